//! How a table is shown: which columns, in which order and how wide; and a saved view in its place.

use common::{
    query::ListQuery,
    view::{MAX_WIDTH, ViewColumn},
};

use super::{CursorTarget, Records, all_columns};
use crate::{effect::Effect, load::Tickets};

/// How much narrower or wider a column becomes at once.
const STEP: u16 = 4;
/// As wide as a column is that nobody has changed, about.
const USUAL: u16 = 20;

impl Records {
    /// The columns as a view keeps them; none where all are shown as they come.
    pub fn view_columns(&self) -> Vec<ViewColumn> {
        if self.widths.is_empty() && self.columns == all_columns(self.source, &self.collection) {
            return Vec::new();
        }
        let column = |name: &String| ViewColumn { name: name.clone(), width: self.widths.get(name).copied() };
        self.columns.iter().map(|shown| column(&shown.name)).collect()
    }

    /// Shows these columns, in this order, as far as there are such; all where there is none.
    pub(super) fn show_columns<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let all = all_columns(self.source, &self.collection);
        let find = |name: &str| all.iter().find(|column| column.name == name).cloned();
        self.columns = names.filter_map(find).collect();
        if self.columns.is_empty() {
            self.columns = all;
        }
        self.column = self.column.min(self.columns.len() - 1);
    }

    /// Makes the column under the cursor narrower or wider.
    pub(super) fn widen(&mut self, is_wider: bool) {
        let Some(column) = self.columns.get(self.column) else { return };
        let seen = self.window.width_of(self.column).unwrap_or(USUAL);
        let before = self.widths.get(&column.name).copied().unwrap_or(seen);
        let width = if is_wider { before.saturating_add(STEP) } else { before.saturating_sub(STEP) };
        self.widths.insert(column.name.clone(), width.clamp(STEP, MAX_WIDTH));
    }

    /// Shows other records.
    pub fn show_query(&mut self, query: ListQuery, tickets: &Tickets) -> Effect {
        self.table.query = query;
        self.selection.clear();
        self.load_other(tickets, CursorTarget::First)
    }

    /// Shows the table as a view says; what does not fit the collection is an error.
    pub fn show_view(&mut self, query: ListQuery, columns: &[ViewColumn], tickets: &Tickets) -> Result<Effect, String> {
        let asked = ListQuery { fields: Vec::new(), page_size: self.table.query.page_size, ..query };
        if let Err(errors) = asked.check(&self.collection) {
            return Err(errors.0.into_values().flatten().next().map_or_else(String::new, |error| error.message));
        }
        self.show_columns(columns.iter().map(|column| column.name.as_str()));
        let width = |column: &ViewColumn| Some((column.name.clone(), column.width?));
        self.widths = columns.iter().filter_map(width).collect();
        Ok(self.show_query(asked, tickets))
    }
}
