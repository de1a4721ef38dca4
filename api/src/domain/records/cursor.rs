//! A place in a list that stays where it is while records come and go: not a number of rows, but what the row at that place is
//! ordered by.

use common::id::RecordId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Toward the beginning of the list.
    #[serde(rename = "b")]
    pub backward: bool,
    /// The row at this place is one of those that are asked for.
    #[serde(rename = "i")]
    pub inclusive: bool,
    /// What that row is ordered by.
    #[serde(rename = "v")]
    pub values: Vec<Value>,
    /// Which row it is, or was.
    #[serde(rename = "r")]
    pub id: RecordId,
}

/// Where another part of a list begins.
#[derive(Debug, Clone, PartialEq)]
pub enum PageStart {
    /// A page's number.
    Page(u64),
    /// Rows that are passed over.
    Offset(u64),
    /// A row.
    Cursor(Cursor),
}
