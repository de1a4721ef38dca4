//! How rows become records, and what became of them.

use common::import::{ImportQuery, OnConflict, OnError};
use serde::{Deserialize, Serialize};

use crate::domain::intake::{Target, WrittenAs};

/// How rows become records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct How {
    /// The field by which they find records that are there.
    pub(in crate::domain) key: Option<String>,
    pub(in crate::domain) on_conflict: OnConflict,
    pub(in crate::domain) on_error: OnError,
    /// The members that the file has.
    pub(in crate::domain) targets: Vec<Target>,
    /// How rows are written that do not fit.
    #[serde(default)]
    pub(in crate::domain) written: WrittenAs,
}

impl How {
    /// As a request asks, of a file with these columns.
    pub(super) fn new(query: &ImportQuery, targets: Vec<Target>) -> Self {
        Self {
            key: query.key.clone(),
            on_conflict: query.on_conflict,
            on_error: query.on_error,
            targets,
            written: WrittenAs { decimal_comma: query.decimal_comma, spreadsheet: query.spreadsheet },
        }
    }
}

/// What became of rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(in crate::domain) created: u64,
    pub(in crate::domain) updated: u64,
    pub(in crate::domain) unchanged: u64,
    pub(in crate::domain) rejected: u64,
}

impl Tally {
    pub(in crate::domain) fn add(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.rejected += other.rejected;
    }
}
