//! Draws the saved views of a collection: what each is called, whether it is shared, and what it shows.

use common::{text::single_line, view::View};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::{first_row, put, sentence};
use crate::{
    model::Model,
    screen::Views,
    width::{cut, width, window},
    words,
};

/// Columns of the name and of who sees it.
const NAME: usize = 28;
const WHO: usize = 12;

/// Draws them. Where a name is typed, says where its cursor is.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Views) -> Option<Position> {
    let theme = model.theme;
    let mut cursor = None;
    let mut list = body;
    if let Some((id, input)) = &screen.naming {
        let label = if id.is_some() { words::RENAME_VIEW } else { words::NAME_VIEW };
        let text = single_line(input.text()).into_owned();
        let before: String = text.chars().take(input.cursor().1).collect();
        let at = width(label) + 3;
        let room = usize::from(body.width).saturating_sub(at + 2);
        let from = width(&before).saturating_sub(room.saturating_sub(1));
        put(buffer, body, 1, 0, label, theme.strong());
        put(buffer, body, at, 0, &" ".repeat(room), theme.field());
        put(buffer, body, at, 0, &window(&text, from, room), theme.field());
        let column = u16::try_from(at + width(&before) - from).unwrap_or(0);
        cursor = Some(Position::new(body.x + column.min(body.width.saturating_sub(1)), body.y));
        list = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
    }
    if let Some(error) = &screen.load.error {
        sentence(buffer, list, theme, error, words::PRESS_R);
        return cursor;
    }
    let Some(rows) = &screen.rows else {
        sentence(buffer, list, theme, words::LOADING, "");
        return cursor;
    };
    if rows.is_empty() {
        sentence(buffer, list, theme, words::NO_VIEWS, words::NO_VIEWS_NEXT);
        return cursor;
    }
    let me = model.user.as_ref().map(|user| user.id);
    let first = first_row(screen.selected, rows.len(), usize::from(list.height));
    for (row, (at, view)) in (0..list.height).zip(rows.iter().enumerate().skip(first)) {
        let is_here = at == screen.selected;
        if is_here {
            buffer.set_style(Rect { y: list.y + row, height: 1, ..list }, theme.cursor());
        }
        let quiet = if is_here { theme.cursor() } else { theme.quiet() };
        let style = if is_here { theme.cursor() } else { Style::new() };
        let name = single_line(&view.definition.name).into_owned();
        put(buffer, list, 1, row, &cut(&name, NAME), style);
        let who = match (Some(view.owner) == me, view.definition.shared) {
            (true, true) => words::VIEW_SHARED,
            (true, false) => words::VIEW_OWN,
            (false, _) => words::VIEW_OTHERS,
        };
        put(buffer, list, NAME + 3, row, who, quiet);
        let room = usize::from(list.width).saturating_sub(NAME + WHO + 5);
        put(buffer, list, NAME + WHO + 4, row, &cut(&shows(view), room), quiet);
    }
    cursor
}

/// What a view shows, in a line; first of all what of it is gone.
fn shows(view: &View) -> String {
    let definition = &view.definition;
    let mut parts = view.notes.clone();
    parts.extend([definition.filter.clone(), definition.search.clone()]);
    if !definition.ordering.is_empty() {
        parts.push(words::ordered_by(&definition.ordering));
    }
    if !definition.columns.is_empty() {
        parts.push(common::text::count(definition.columns.len() as u64, "column"));
    }
    parts.retain(|part| !part.is_empty());
    single_line(&parts.join(" · ")).into_owned()
}
