//! What is answered to a change of a definition.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Collection;
use crate::{
    answer::JsonAnswer,
    operation::{InvalidRecords, Operation},
};

/// The answer to a change of a definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum DefinitionAnswer {
    /// It is in force.
    Changed(Box<Collection>),
    /// Records are looked at first: how far that is.
    Begun(Box<Operation>),
    /// Nothing was changed: what would be.
    WouldBe(Box<DryRun>),
}

impl JsonAnswer for DefinitionAnswer {}

/// What a change of a definition would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DryRun {
    /// How many records the collection has.
    pub records: u64,
    /// How many of them were looked at; fewer where that took too long.
    pub checked: u64,
    /// How many look otherwise afterwards.
    pub changed: u64,
    /// Those that do not fit.
    pub misfits: InvalidRecords,
    /// How many records hold something in each field that goes.
    pub dropped: BTreeMap<String, u64>,
    /// About how many seconds it takes until it is in force.
    pub seconds: u64,
    /// What goes for good, in words.
    pub gone: Vec<String>,
}

impl DryRun {
    /// Of a collection of so many records, of which none was looked at yet.
    pub fn of(records: u64) -> Self {
        Self {
            records,
            checked: 0,
            changed: 0,
            misfits: InvalidRecords::default(),
            dropped: BTreeMap::new(),
            seconds: 0,
            gone: Vec::new(),
        }
    }
}
