//! How a table is shown: which columns, in which order and how wide; and a saved view in its place.

use common::{
    query::{JoinWith, ListQuery},
    table::{Column, joined_columns},
    view::{MAX_WIDTH, ViewColumn},
};

use super::{CursorTarget, Records, all_own, moved};
use crate::{effect::Effect, load::Tickets};

/// How much narrower or wider a column becomes at once.
const STEP: u16 = 4;
/// As wide as a column is that nobody has changed, about.
const USUAL: u16 = 20;

impl Records {
    /// The columns as a view keeps them; none where all are shown as they come.
    pub fn view_columns(&self) -> Vec<ViewColumn> {
        let all = all_own(self.source, &self.collection);
        if self.widths.is_empty() && self.own_columns().eq(all.iter()) {
            return Vec::new();
        }
        let column = |name: &String| ViewColumn { name: name.clone(), width: self.widths.get(name).copied() };
        self.own_columns().map(|shown| column(&shown.name)).collect()
    }

    /// Shows these columns, in this order, as far as there are such; all where there is none.
    pub(super) fn show_columns<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let all = self.all_columns();
        let find = |name: &str| all.iter().find(|column| column.name == name).cloned();
        self.columns = names.filter_map(find).collect();
        if self.columns.is_empty() {
            self.columns = all;
        }
        self.column = self.column.min(self.columns.len() - 1);
    }

    /// All columns that there are: the collection's own, and those of the collections that are joined.
    pub(super) fn all_columns(&self) -> Vec<Column> {
        let mut all = all_own(self.source, &self.collection);
        all.extend(joined_columns(&self.table.query.left_join));
        all
    }

    /// The columns that are shown and are the collection's own.
    pub(super) fn own_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !self.is_joined(&column.name))
    }

    /// A column shows the rows of a collection that is joined.
    pub fn is_joined(&self, column: &str) -> bool {
        self.table.query.left_join.iter().any(|join| join.collection.as_str() == column)
    }

    /// Joins these collections in place of those that were. The cursor goes to the column of one that is new.
    pub fn join(&mut self, joins: Vec<JoinWith>, tickets: &Tickets) -> Effect {
        let mut columns: Vec<Column> = self.own_columns().cloned().collect();
        let is_new = |join: &JoinWith| !self.table.query.left_join.contains(join);
        let new = joins.iter().position(is_new).map(|at| columns.len() + at);
        columns.extend(joined_columns(&joins));
        self.table.query.left_join = joins;
        self.columns = columns;
        self.column = moved(new.unwrap_or(self.column), 0, self.columns.len());
        self.load(tickets)
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
