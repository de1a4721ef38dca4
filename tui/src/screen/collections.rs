//! The list of collections.

use common::collection::Collection;

use super::cursor::{Window, acts_on_row, moved};
use crate::{
    effect::Effect,
    key::Action,
    load::{Load, Tickets},
};

/// The list of collections.
#[derive(Default)]
pub struct Collections {
    /// The rows, once they are loaded.
    pub rows: Option<Vec<Collection>>,
    /// The row under the cursor.
    pub selected: usize,
    /// The rows that the window shows.
    pub window: Window,
    /// How loading them goes.
    pub load: Load,
}

impl Collections {
    /// Loads them.
    pub fn load(&mut self, tickets: &Tickets) -> Effect {
        Effect::Collections(self.load.begin(tickets))
    }

    /// The same because others changed something.
    pub fn load_quietly(&mut self, tickets: &Tickets) -> Effect {
        Effect::Collections(self.load.begin_quietly(tickets))
    }

    /// Takes them; the cursor stays on the collection that it was on.
    pub fn show(&mut self, rows: Vec<Collection>) {
        let name = self.current().map(|collection| collection.name.clone());
        self.selected = rows.iter().position(|row| Some(&row.name) == name.as_ref()).unwrap_or(0);
        self.rows = Some(rows);
    }

    /// The collection under the cursor.
    pub fn current(&self) -> Option<&Collection> {
        self.rows.as_ref()?.get(self.selected)
    }

    /// Keys that act on a row wait until there are rows.
    pub fn must_wait(&self, action: Option<Action>) -> bool {
        self.rows.is_none() && self.load.is_under_way() && acts_on_row(action)
    }

    /// Moves the cursor.
    pub fn go(&mut self, action: Action) {
        let rows = self.rows.as_ref().map_or(0, Vec::len);
        if matches!(action, Action::WindowUp | Action::WindowDown) {
            self.selected = self.window.leap(self.selected, action == Action::WindowDown, rows);
            return;
        }
        let by = match action {
            Action::Up => -1,
            Action::Down => 1,
            Action::First => isize::MIN,
            Action::Last => isize::MAX,
            _ => return,
        };
        self.selected = moved(self.selected, by, rows);
    }
}
