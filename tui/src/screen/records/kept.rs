//! What stays of a table that was left: its filter, order, columns and row, so that it is as it was when somebody comes back.

use std::collections::BTreeMap;

use common::{
    id::RecordId,
    query::{ListQuery, Query as _, decode, encode},
    record::Record,
};
use serde::{Deserialize, Serialize};

use super::{CursorTarget, Records};

/// What stays of a table that was left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SavedTable {
    /// Filter, order and page, as a query string.
    query: String,
    /// The columns that are shown; all where it is empty.
    #[serde(default)]
    columns: Vec<String>,
    /// How wide columns are that somebody has made narrower or wider.
    #[serde(default)]
    widths: BTreeMap<String, u16>,
    /// The column under the cursor.
    #[serde(default)]
    column: usize,
    /// The record under the cursor.
    #[serde(default)]
    record: Option<RecordId>,
}

impl Records {
    /// What stays of it.
    pub fn keep(&self) -> SavedTable {
        let all = self.all_columns();
        let shown = self.columns.iter().map(|column| column.name.clone());
        SavedTable {
            query: encode(&self.table.query.to_pairs()),
            columns: if self.columns == all { Vec::new() } else { shown.collect() },
            widths: self.widths.clone(),
            column: self.column,
            record: self.current().and_then(Record::id),
        }
    }

    /// Puts it back, as far as it fits the collection still.
    pub fn restore(&mut self, kept: &SavedTable) {
        let query = ListQuery::from_pairs(decode(&kept.query)).ok();
        if let Some(query) = query.filter(|query| query.check(&self.collection).is_ok()) {
            self.table.query = query;
        }
        self.show_columns(kept.columns.iter().map(String::as_str));
        self.widths.clone_from(&kept.widths);
        self.column = kept.column.min(self.columns.len().saturating_sub(1));
        self.land = kept.record.map(|id| CursorTarget::On(id, 0));
    }
}
