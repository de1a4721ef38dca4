//! Panes beside each other, where there is room: the collections, a table, and the record that is open above it. In a narrow window each has all
//! of it. The update asks where the record is, to know how far it scrolls.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::model::{Model, Screen};

/// A window with fewer columns shows one thing at a time.
const WIDE: u16 = 120;
/// From here on the collections stay beside a record, too.
const WIDEST: u16 = 180;
const COLLECTIONS: u16 = 26;

/// Where things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panes {
    /// The collections, beside what is open.
    pub collections: Option<Rect>,
    /// What is open, or what lies below the record.
    pub main: Rect,
    /// The record, beside its table.
    pub record: Option<Rect>,
}

/// The panes of a screen.
pub(crate) fn panes(model: &Model, body: Rect) -> Panes {
    let alone = Panes { collections: None, main: body, record: None };
    if body.width < WIDE {
        return alone;
    }
    let is_table = |screen: Option<&Screen>| matches!(screen, Some(Screen::Records(table)) if !table.is_look_up);
    let below = model.screens.len().checked_sub(2).and_then(|below| model.screens.get(below));
    let has_record = matches!(model.screens.last(), Some(Screen::Record(_))) && is_table(below);
    if !has_record && !is_table(model.screens.last()) {
        return alone;
    }
    let has_collections = !has_record || body.width >= WIDEST;
    let columns = if has_collections { COLLECTIONS } else { 0 };
    let [collections, rest] = Layout::horizontal([Constraint::Length(columns), Constraint::Fill(1)]).areas(body);
    let [main, record] = if has_record {
        Layout::horizontal([Constraint::Percentage(55), Constraint::Fill(1)]).areas(rest)
    } else {
        [rest, Rect::default()]
    };
    Panes { collections: has_collections.then_some(collections), main, record: has_record.then_some(record) }
}

/// Where a record's lines are: to the right of a border where it is beside its table.
pub(crate) fn record_lines(model: &Model, body: Rect) -> Rect {
    let record = panes(model, body).record;
    record.map_or(body, |pane| Rect { x: pane.x + 1, width: pane.width.saturating_sub(1), ..pane })
}
