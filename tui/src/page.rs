//! Pages that scroll: the help page, and a record. Their lines are laid out here, for the view to draw and for the update to know
//! how far they scroll.

mod detail;
mod help;
mod import;

pub(crate) use detail::lines as detail_lines;
pub(crate) use help::lines as help_lines;
pub(crate) use import::lines as import_lines;

use crate::{
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
