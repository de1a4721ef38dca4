//! Pages that scroll: the help page, and a record. Their lines are laid out here, for the view to draw and for the update to know
//! how far they scroll.

mod detail;
mod help;
mod import;
mod sheet;

pub(crate) use detail::lines as detail_lines;
pub(crate) use help::lines as help_lines;
pub(crate) use import::lines as import_lines;
pub(crate) use sheet::lines as sheet_lines;

use ratatui::layout::Rect;

use crate::{
    key::Context,
    model::{Model, Screen},
    panes::record_lines,
    status::body_now,
};

/// Lines and height of the help page.
pub(crate) fn help_extent(model: &Model) -> (usize, usize) {
    let body = body_now(model);
    (help_lines(model, usize::from(body.width)).len(), usize::from(body.height))
}

/// Lines and height of the record that is open.
pub(crate) fn detail_extent(model: &Model) -> (usize, usize) {
    let body = record_lines(model, body_now(model));
    let Some(Screen::Record(detail)) = model.screens.last() else { return (0, 0) };
    (detail_lines(detail, model.theme, usize::from(body.width)).len(), usize::from(body.height))
}

/// Lines and height of the file that is on its way in.
pub(crate) fn import_extent(model: &Model) -> (usize, usize) {
    let body = body_now(model);
    let Some(Screen::Import(screen)) = model.screens.last() else { return (0, 0) };
    (import_lines(screen, model.theme, usize::from(body.width)).len(), usize::from(body.height))
}

/// Lines and height of the page about the server or a token.
pub(crate) fn sheet_extent(model: &Model) -> (usize, usize) {
    let body = sheet_body(model, body_now(model));
    let Some(Screen::Sheet(sheet)) = model.screens.last() else { return (0, 0) };
    (sheet_lines(model, sheet, usize::from(body.width)).len(), usize::from(body.height))
}

/// Where its lines are: below the inputs, where a token is pasted.
pub(crate) fn sheet_body(model: &Model, body: Rect) -> Rect {
    let inputs = u16::from(model.context_below_help() == Context::Token) * 3;
    Rect { y: body.y + inputs.min(body.height), height: body.height.saturating_sub(inputs), ..body }
}
