//! Drawings as bytes for the terminal: no more than what is another than before. Terminals do not agree on how wide emoji and piled-up marks
//! are; a row that has or had any is written anew as a whole where anything in it changes.

use std::io;

use crossterm::{
    cursor::{Hide, MoveTo, Show},
    queue,
    terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate},
};
use ratatui::{
    backend::{Backend as _, CrosstermBackend},
    buffer::{Buffer, Cell, CellDiffOption},
    layout::{Position, Rect},
};

use crate::{model::Model, output::Draft, view};

/// What the terminal shows.
#[derive(Debug)]
pub(crate) struct Painter {
    shown: Option<Buffer>,
    cursor: Option<Position>,
    draft: Draft,
    backend: CrosstermBackend<Draft>,
}

impl Painter {
    /// Knows nothing of the terminal yet: the first drawing is whole.
    pub(crate) fn new() -> Self {
        let draft = Draft::default();
        Self { shown: None, cursor: None, backend: CrosstermBackend::new(draft.clone()), draft }
    }

    /// The terminal shows something else now: the next drawing is whole.
    pub(crate) fn forget(&mut self) {
        self.shown = None;
    }

    /// The bytes that make the terminal show the model; none where it does.
    pub(crate) fn paint(&mut self, model: &Model) -> io::Result<Vec<u8>> {
        let area = Rect::new(0, 0, model.size.0, model.size.1);
        let mut next = Buffer::empty(area);
        let cursor = view::draw(&mut next, model);
        queue!(self.draft, BeginSynchronizedUpdate)?;
        let begun = self.draft.take();
        let shown = if let Some(shown) = self.shown.take().filter(|shown| shown.area == area) {
            shown
        } else {
            queue!(self.draft, Hide, Clear(ClearType::All))?;
            self.cursor = None;
            Buffer::empty(area)
        };
        mark_unsure(&shown, &mut next);
        let mut cells = shown.diff_iter(&next).peekable();
        if cells.peek().is_some() {
            self.backend.draw(cells)?;
        }
        let changes = self.draft.take();
        match cursor {
            Some(position) if self.cursor != cursor || !changes.is_empty() => {
                queue!(self.draft, MoveTo(position.x, position.y))?;
                if self.cursor.is_none() {
                    queue!(self.draft, Show)?;
                }
            }
            None if self.cursor.is_some() => queue!(self.draft, Hide)?,
            _ => {}
        }
        let cursors = self.draft.take();
        for cell in &mut next.content {
            cell.set_diff_option(CellDiffOption::None);
        }
        (self.shown, self.cursor) = (Some(next), cursor);
        if changes.is_empty() && cursors.is_empty() {
            return Ok(Vec::new());
        }
        queue!(self.draft, EndSynchronizedUpdate)?;
        Ok([begun, changes, cursors, self.draft.take()].concat())
    }
}

impl Default for Painter {
    fn default() -> Self {
        Self::new()
    }
}

/// Has rows written as a whole where a terminal may take another width for what they have or had, and they change.
fn mark_unsure(shown: &Buffer, next: &mut Buffer) {
    let columns = usize::from(next.area.width).max(1);
    let old = shown.content.chunks(columns);
    for (old, new) in old.zip(next.content.chunks_mut(columns)) {
        if old != new && old.iter().chain(new.iter()).any(is_unsure) {
            for cell in new {
                cell.set_diff_option(CellDiffOption::AlwaysUpdate);
            }
        }
    }
}

fn is_unsure(cell: &Cell) -> bool {
    let mut characters = cell.symbol().chars();
    characters.next().is_some_and(|first| first >= '\u{1f000}') || characters.next().is_some()
}
