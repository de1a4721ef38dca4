//! Draws a list of changes, and below it what the one under the cursor did, word by word.

use common::{
    activity::{did, when},
    change::Change,
    diff::{Fate, FieldDiff},
    text::label,
};
use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::Line as Text,
    widgets::{Block, Borders, Widget as _},
};
use unicode_width::UnicodeWidthChar;

use super::{first_row, put, sentence};
use crate::{
    screen::ChangesScreen,
    style::{Plot, Theme},
    width::{cut, width},
    words,
};

/// Columns of a moment, and of what was done.
const WHEN: usize = 20;
const DID: usize = 14;

/// Draws it.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, theme: Theme, screen: &ChangesScreen) {
    let list = &screen.list;
    if let Some(error) = &screen.load.error {
        return sentence(buffer, body, theme, error, words::PRESS_R);
    }
    if list.rows.is_empty() {
        let text = if list.is_read { words::no_changes_in(&list.source) } else { words::LOADING };
        return sentence(buffer, body, theme, text, "");
    }
    let rows = u16::try_from(list.rows.len()).unwrap_or(u16::MAX);
    let upper = if body.height < 8 { body.height } else { rows.min(body.height / 2) };
    let [upper, lower] = Layout::vertical([Constraint::Length(upper), Constraint::Min(0)]).areas(body);
    let first = first_row(screen.selected, list.rows.len(), usize::from(upper.height));
    let names: Vec<String> = list.rows.iter().map(|change| list.who(change)).collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0).min(usize::from(body.width) / 4);
    for (row, at) in (0..upper.height).zip(first..list.rows.len()) {
        let change = &list.rows[at];
        if at == screen.selected {
            buffer.set_style(Rect { y: upper.y + row, height: 1, ..upper }, theme.cursor());
        }
        let style = if at == screen.selected { theme.cursor() } else { Style::new() };
        let quiet = if at == screen.selected { theme.cursor() } else { theme.quiet() };
        put(buffer, upper, 1, row, &when(change), quiet);
        put(buffer, upper, 1 + WHEN, row, &cut(&names[at], widest), style);
        put(buffer, upper, 3 + WHEN + widest, row, &cut(did(change.action), DID), style);
        let left = 3 + WHEN + widest + DID;
        let room = usize::from(upper.width).saturating_sub(left + 1);
        put(buffer, upper, left, row, &cut(&list.what(change), room), style);
    }
    if let Some(change) = list.rows.get(screen.selected) {
        draw_diff(buffer, lower, theme, change, &list.diff(change));
    }
}

fn draw_diff(buffer: &mut Buffer, area: Rect, theme: Theme, change: &Change, fields: &[FieldDiff]) {
    if area.height < 2 {
        return;
    }
    let block = Block::new().borders(Borders::TOP).border_style(theme.quiet());
    let block = block.title(Text::styled(format!(" {} ", words::what_changed(change)), theme.strong()));
    let inner = block.inner(area);
    block.render(area, buffer);
    let mut row = 0;
    if fields.is_empty() {
        put(buffer, inner, 1, 0, words::NOTHING_CHANGED, theme.quiet());
    }
    for field in fields {
        put(buffer, inner, 1, row, &label(&field.field), theme.strong());
        row = pieces(
            buffer,
            Rect { y: inner.y + (row + 1).min(inner.height), height: inner.height.saturating_sub(row + 1), ..inner },
            theme,
            field,
        ) + row
            + 1;
        if row >= inner.height {
            return;
        }
    }
}

/// Draws what became of a value; gives how many rows that took.
fn pieces(buffer: &mut Buffer, area: Rect, theme: Theme, field: &FieldDiff) -> u16 {
    let (left, right) = (3, usize::from(area.width).saturating_sub(1));
    let (mut column, mut row) = (left, 0);
    for piece in &field.pieces {
        // Marks as of a diff by words, so that nothing is said by colour alone.
        let (text, style) = match piece.fate {
            Fate::Same => (piece.text.clone(), Style::new()),
            Fate::Gone => (format!("[-{}-]", piece.text), theme.error()),
            Fate::New => (format!("{{+{}+}}", piece.text), theme.plot(Plot::Good)),
        };
        for c in text.chars() {
            let size = c.width().unwrap_or(0);
            if c == '\n' || column + size > right {
                (column, row) = (left, row + 1);
            }
            if c == '\n' {
                continue;
            }
            if row >= area.height {
                return row;
            }
            put(buffer, area, column, row, c.encode_utf8(&mut [0; 4]), style);
            column += size;
        }
    }
    row + 1
}
