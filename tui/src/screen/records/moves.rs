//! Moving in a table: by rows, windows, pages and columns, and to a row or page by its number.

use common::query::LAST_PAGE;

use super::{CursorTarget, Records, Rows, all_own, moved};
use crate::{effect::Effect, key::Action, load::Tickets, width::width};

/// Members that keys need of every row: which it is, whether it may be changed, and whether it is still the same.
const NEEDED: [&str; 4] = ["id", "owner", "updated_at", "revision"];
/// Between two columns.
const GAP: usize = 2;

impl Records {
    pub(super) fn go_on(&mut self, action: Action, tickets: &Tickets) -> Option<Effect> {
        let rows = self.rows.as_ref().map_or(0, Vec::len);
        let number = self.number.take();
        match action {
            Action::Last if number.is_some() => return self.go_to_row(number.unwrap_or(1), tickets),
            Action::NextPage | Action::PreviousPage if number.is_some() => {
                return Some(self.turn_to(number.unwrap_or(1), CursorTarget::First, tickets));
            }
            Action::Up if self.selected == 0 => {
                return self.table.turn(-1).then(|| self.load_other(tickets, CursorTarget::Last));
            }
            Action::Down if self.selected + 1 >= rows => {
                return self.table.turn(1).then(|| self.load_other(tickets, CursorTarget::First));
            }
            Action::Up => self.selected = moved(self.selected, -1, rows),
            Action::Down => self.selected = moved(self.selected, 1, rows),
            Action::WindowUp if self.selected == 0 => {
                return self.table.turn(-1).then(|| self.load_other(tickets, CursorTarget::Last));
            }
            Action::WindowDown if self.selected + 1 >= rows => {
                return self.table.turn(1).then(|| self.load_other(tickets, CursorTarget::First));
            }
            Action::WindowUp | Action::WindowDown => {
                self.selected = self.window.leap(self.selected, action == Action::WindowDown, rows);
            }
            Action::First if self.table.query.page > 1 => return Some(self.turn_to(1, CursorTarget::First, tickets)),
            Action::Last if self.table.query.page < self.table.pages() => {
                return Some(self.turn_to(LAST_PAGE, CursorTarget::Last, tickets));
            }
            Action::First => self.selected = 0,
            Action::Last => self.selected = rows.saturating_sub(1),
            Action::Left | Action::Right => {
                let by = if action == Action::Left { -1 } else { 1 };
                self.column = moved(self.column, by, self.columns.len());
                return self.load_column(tickets);
            }
            Action::HideColumn if self.columns.len() > 1 => {
                self.columns.remove(self.column);
                self.column = moved(self.column, 0, self.columns.len());
                return self.load_column(tickets);
            }
            Action::Narrower | Action::Wider => self.widen(action == Action::Wider),
            Action::ShowColumns => {
                self.widths.clear();
                let name = self.columns.get(self.column).map(|column| column.name.clone());
                self.columns = self.all_columns();
                self.column = self.columns.iter().position(|column| Some(&column.name) == name.as_ref()).unwrap_or(0);
                return self.load_column(tickets);
            }
            Action::PreviousPage => return self.table.turn(-1).then(|| self.load_other(tickets, CursorTarget::First)),
            Action::NextPage => return self.table.turn(1).then(|| self.load_other(tickets, CursorTarget::First)),
            Action::Sort => {
                let column = self.columns.get(self.column).filter(|column| column.sortable)?;
                self.table.sort(&column.name);
                return Some(self.load_other(tickets, CursorTarget::First));
            }
            _ => {}
        }
        None
    }

    /// Goes to a page by its number, or to the last.
    fn turn_to(&mut self, page: u64, land: CursorTarget, tickets: &Tickets) -> Effect {
        self.table.query.page = page.clamp(1, self.table.pages());
        self.load_other(tickets, land)
    }

    /// Goes to a row by its number among all rows.
    fn go_to_row(&mut self, row: u64, tickets: &Tickets) -> Option<Effect> {
        let (size, row) = (self.table.query.page_size.max(1), row.clamp(1, self.table.count.max(1)) - 1);
        let on_page = usize::try_from(row % size).unwrap_or_default();
        if row / size + 1 == self.table.query.page {
            self.selected = moved(on_page, 0, self.rows.as_ref().map_or(0, Vec::len));
            return None;
        }
        Some(self.turn_to(row / size + 1, CursorTarget::Row(on_page), tickets))
    }

    /// Asks for the values of the column under the cursor, where they were not asked for.
    fn load_column(&mut self, tickets: &Tickets) -> Option<Effect> {
        let column = self.columns.get(self.column)?;
        let is_there = self.asked.is_empty() || self.asked.contains(&column.name) || self.is_joined(&column.name);
        (!is_there && !self.is_old).then(|| self.load(tickets))
    }

    /// Rows have some of their members only.
    pub fn is_partial(&self) -> bool {
        !self.asked.is_empty()
    }

    /// The members of an export: those of the columns that are shown; none for all of them.
    pub fn exported(&self) -> Vec<String> {
        let shown: Vec<String> = self.own_columns().map(|column| column.name.clone()).collect();
        if shown.len() == all_own(self.source, &self.collection).len() { Vec::new() } else { shown }
    }

    /// The members to ask for: those of the columns that a window and the next one show; none for all.
    pub(super) fn wanted(&self) -> Vec<String> {
        let room = 2 * self.window.columns();
        let size = |column: usize| width(&self.columns[column].label) + GAP;
        let (mut first, mut last) = (self.column.min(self.columns.len().saturating_sub(1)), self.column);
        let mut used = 0;
        while last < self.columns.len() && used < room {
            used += size(last);
            last += 1;
        }
        while first > 0 && used < room {
            first -= 1;
            used += size(first);
        }
        if self.source != Rows::Records || last - first >= self.all_columns().len() {
            return Vec::new();
        }
        let shown = self.columns[first..last].iter().map(|column| column.name.as_str());
        let shown = shown.filter(|name| !self.is_joined(name));
        let mut names: Vec<String> = shown.map(str::to_owned).collect();
        let needed = NEEDED.iter().filter(|name| !names.iter().any(|known| known == *name));
        let needed: Vec<String> = needed.map(|name| (*name).to_owned()).collect();
        names.extend(needed);
        names
    }
}
