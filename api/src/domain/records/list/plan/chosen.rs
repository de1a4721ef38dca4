//! What was chosen for a query.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use common::id::RecordId;

use super::{access::Access, far_order::FarOrder};
use crate::domain::{
    indexes::ReadIndex,
    records::{filter::Conditions, path::Path, sort::SortKeys},
};

/// Ids that are found in more than one way.
pub(super) type Ids = HashSet<RecordId>;

/// How the rows of a query are found.
pub(in crate::domain::records::list) struct Plan {
    /// What the source leaves open.
    pub(super) conditions: Conditions,
    pub(super) keys: SortKeys,
    pub(super) source: Source,
    /// How many rows are tested in the hope that a page is full soon.
    pub(super) limit: Option<usize>,
    /// What was chosen when that was in vain.
    pub(super) instead: OnceLock<Box<Plan>>,
    /// Further sets that every match is in.
    pub(super) sets: Vec<Ids>,
    /// The indexes that ids were read by: the source's, and those of each further set.
    pub(super) ids_by: Vec<Vec<Arc<ReadIndex>>>,
    /// How many match, where that is kept.
    pub(super) kept: bool,
    /// How many match, where that was counted by other keys than the rows are read by.
    pub(super) counted: Option<u64>,
    /// The fields that were searched by their words.
    pub(super) words: Vec<String>,
    /// How well records fit a search, where that is known. It is told in one way, however the records are found: pages are of one order.
    pub(super) scores: Option<Scores>,
    /// How rows are ordered where a search asks for no order.
    pub(super) ranking: Option<Ranking>,
    /// The fields of an index that would leave less to be read.
    pub(super) proposal: Option<Vec<String>>,
}

/// Where rows come from.
pub(super) enum Source {
    /// An index.
    Keys(Box<Access>),
    /// Ids, in order.
    Ids(Vec<RecordId>),
    /// What a reference leads to, in the order of the query.
    Far(Box<FarOrder>),
}

/// How well records fit a search.
pub(super) struct Scores {
    /// The records, in order; `None` where these are the ids of the source.
    pub ids: Option<Vec<RecordId>>,
    /// The score of each.
    pub by_id: Vec<f64>,
}

/// How matches are ranked.
pub(super) struct Ranking {
    pub words: Vec<String>,
    /// How much each word says: the rarer, the more.
    pub rarity: Vec<f64>,
    pub ignores_accents: bool,
    pub paths: Vec<Path>,
}

impl Plan {
    /// Whether everything that the source gives is a match.
    pub(super) fn is_exact(&self) -> bool {
        self.conditions.is_empty()
    }
}
