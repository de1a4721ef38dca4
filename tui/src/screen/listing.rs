//! Rows with a cursor, all of them on one page: users, sessions. What the rows are, the screen around them knows.

use super::{acts_on_row, moved};
use crate::{key::Action, model::Load};

/// Rows with a cursor.
pub struct Listing<T> {
    /// What is shown, once it is known.
    pub rows: Option<Vec<T>>,
    /// The row under the cursor.
    pub selected: usize,
    /// The column under the cursor.
    pub column: usize,
    /// How loading them goes.
    pub load: Load,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { rows: None, selected: 0, column: 0, load: Load::default() }
    }
}

impl<T> Listing<T> {
    /// Takes the rows; the cursor stays on the one that it was on, which `key` tells from others.
    pub fn show<K: PartialEq>(&mut self, rows: Vec<T>, key: impl Fn(&T) -> K) {
        let here = self.current().map(&key);
        let same = rows.iter().position(|row| here.as_ref() == Some(&key(row)));
        self.selected = same.unwrap_or_else(|| moved(self.selected, 0, rows.len()));
        self.rows = Some(rows);
    }

    /// The row under the cursor.
    pub fn current(&self) -> Option<&T> {
        self.rows.as_ref()?.get(self.selected)
    }

    /// Keys that act on a row wait until there are rows.
    pub fn holds(&self, action: Option<Action>) -> bool {
        self.rows.is_none() && self.load.is_under_way() && (acts_on_row(action) || action == Some(Action::Sessions))
    }

    /// Moves the cursor among the rows and so many columns.
    pub fn go(&mut self, action: Action, columns: usize) {
        let rows = self.rows.as_ref().map_or(0, Vec::len);
        match action {
            Action::Up => self.selected = moved(self.selected, -1, rows),
            Action::Down => self.selected = moved(self.selected, 1, rows),
            Action::First => self.selected = 0,
            Action::Last => self.selected = rows.saturating_sub(1),
            Action::Left => self.column = moved(self.column, -1, columns),
            Action::Right => self.column = moved(self.column, 1, columns),
            _ => {}
        }
    }
}
