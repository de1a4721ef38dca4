//! The mouse: a click chooses a row, a second one opens it; headings order rows and are dragged; the wheel moves; the footer's keys can be
//! pressed.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::act::act;
use crate::{
    effect::Effect,
    footer::footer_hints,
    key::{Action, Context},
    model::{Model, Screen},
};

/// Rows that a notch of the wheel goes over.
const NOTCH: usize = 3;

/// Takes what the mouse did.
pub(super) fn take(model: &mut Model, event: MouseEvent) -> Vec<Effect> {
    if model.writing.is_some() {
        return Vec::new();
    }
    let at = (event.column, event.row);
    match event.kind {
        MouseEventKind::ScrollUp => wheel(model, Action::Up),
        MouseEventKind::ScrollDown => wheel(model, Action::Down),
        MouseEventKind::Down(MouseButton::Left) if at.1 + 1 == model.size.1 => press_footer(model, at.0),
        MouseEventKind::Down(MouseButton::Left) => click(model, at),
        MouseEventKind::Up(MouseButton::Left) => release(model, at),
        _ => Vec::new(),
    }
}

fn wheel(model: &mut Model, action: Action) -> Vec<Effect> {
    let context = model.context();
    if (context.is_text() && context != Context::Palette) || is_form(context) || is_waiting(model) {
        return Vec::new();
    }
    // The wheel stays on the page.
    let room = match model.screens.last() {
        Some(screen) if screen.table().is_some() && context != Context::Help && context != Context::Palette => {
            screen.table().map_or(0, |table| {
                let rows = table.rows.as_ref().map_or(0, Vec::len);
                if action == Action::Up { table.selected } else { rows.saturating_sub(table.selected + 1) }
            })
        }
        _ => NOTCH,
    };
    (0..room.min(NOTCH)).flat_map(|_| act(model, action)).collect()
}

fn is_form(context: Context) -> bool {
    matches!(context, Context::Choice | Context::Choices | Context::Dashboard)
}

/// The rows that are shown are not those that are asked for.
fn is_waiting(model: &Model) -> bool {
    model.screens.last().and_then(Screen::table).is_some_and(|table| table.is_old)
}

fn press_footer(model: &mut Model, column: u16) -> Vec<Effect> {
    let hints = footer_hints(model, usize::from(model.size.0));
    let column = usize::from(column);
    let hint = hints.into_iter().find(|hint| (hint.at..hint.at + hint.columns).contains(&column));
    hint.map(|hint| act(model, hint.action)).unwrap_or_default()
}

fn click(model: &mut Model, (column, row): (u16, u16)) -> Vec<Effect> {
    if !is_list(model) {
        return Vec::new();
    }
    let is_waiting = is_waiting(model);
    let opens = match model.top() {
        Screen::Collections(list) => {
            let rows = list.rows.as_ref().map_or(0, Vec::len);
            let Some(clicked) = list.window.row_at(row).filter(|row| *row < rows) else { return Vec::new() };
            std::mem::replace(&mut list.selected, clicked) == clicked
        }
        screen => {
            let Some(table) = screen.table_mut() else { return Vec::new() };
            if let Some(heading) = table.window.heading_at(column, row) {
                table.column = heading;
                table.dragged = Some(heading);
                return Vec::new();
            }
            // Nobody chooses a row that they have not seen.
            let rows = if is_waiting { 0 } else { table.rows.as_ref().map_or(0, Vec::len) };
            let Some(clicked) = table.window.row_at(row).filter(|row| *row < rows) else { return Vec::new() };
            std::mem::replace(&mut table.selected, clicked) == clicked
        }
    };
    if opens { act(model, Action::Open) } else { Vec::new() }
}

fn release(model: &mut Model, (column, row): (u16, u16)) -> Vec<Effect> {
    let Some(table) = model.top().table_mut() else { return Vec::new() };
    let Some(from) = table.dragged.take() else { return Vec::new() };
    match table.window.heading_at(column, row) {
        Some(to) if to == from => act(model, Action::Sort),
        Some(to) if from < table.columns.len() && to < table.columns.len() => {
            let moved = table.columns.remove(from);
            table.columns.insert(to, moved);
            table.column = to;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn is_list(model: &Model) -> bool {
    let context = model.context();
    matches!(context, Context::Collections | Context::Records | Context::Chosen | Context::Users | Context::Sessions)
}
