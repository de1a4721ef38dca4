//! What is stored of the kinds of work that need records, definitions or other operations to be done. What they do stands with those; what is
//! begun, held and told of an operation rests on this alone.

use std::{any::Any, collections::BTreeSet, fmt};

use common::{
    id::{FieldId, OperationId, RecordId, UserId},
    import::{ImportQuery, ReadAs, RowFault},
    migration::MigrationId,
    operation::InvalidRecords,
    undo::Changed,
};
use serde::{Deserialize, Serialize};
use store::Version;

use crate::domain::{
    numbers::CollectionNumber,
    records::{How, Tally},
};

/// Checks and rewrites the records of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redefine {
    /// The operation that this is the work of.
    pub(in crate::domain) operation: OperationId,
    pub(in crate::domain) collection: CollectionNumber,
    /// The definition is in force; otherwise records are checked.
    pub(in crate::domain) in_force: bool,
    /// The last record that was looked at.
    pub(in crate::domain) after: Option<RecordId>,
    /// Records that do not fit.
    pub(in crate::domain) misfits: InvalidRecords,
    /// Who asked for it.
    pub(in crate::domain) by: Option<UserId>,
    /// Fields whose values come back from histories, each with the version before which they had them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::domain) refilled: Vec<(FieldId, u32)>,
    /// The operation that it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::domain) reverts: Option<OperationId>,
    /// Fields stay as they are whose values do not fit; otherwise those are its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::domain) skips: bool,
    /// Values that are in no history any more are left out; otherwise they are its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::domain) overwrites: bool,
    /// Those that do not fit, as far as they are known by now, by the names that they were to have.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(in crate::domain) unfit: BTreeSet<String>,
    /// How many fields stay.
    #[serde(default)]
    pub(in crate::domain) stayed: u64,
}

/// Removes what is left of a deleted collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteCollection {
    pub(in crate::domain) collection: CollectionNumber,
    /// Who deleted it.
    pub(in crate::domain) by: Option<UserId>,
}

/// Deletes a record, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeleteRecord {
    pub(in crate::domain) collection: CollectionNumber,
    pub(in crate::domain) id: RecordId,
    /// Who deletes it.
    pub(in crate::domain) by: Option<UserId>,
    /// Records that go with it, each below the one before: where to go on.
    #[serde(default)]
    pub(in crate::domain) places: Vec<(CollectionNumber, RecordId)>,
}

/// Whether a step is done, or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::domain) enum StepPhase {
    Writing,
    /// What was written goes back, since this happened.
    TakingBack(String),
}

/// Changes or deletes records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangeRecords {
    pub(in crate::domain) collection: CollectionNumber,
    pub(in crate::domain) by: Option<UserId>,
    /// The step, as a file has it.
    pub(in crate::domain) step: common::Object,
    /// The last record that was looked at.
    pub(in crate::domain) after: Option<RecordId>,
    pub(in crate::domain) phase: StepPhase,
    pub(in crate::domain) back: Option<Revert>,
}

/// What is done of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::domain) enum ImportPhase {
    /// The file is taken apart.
    Reading(Box<Reading>),
    /// All rows are looked at first.
    Checking,
    Writing,
    /// What was written goes back, since this happened; or since somebody stopped it.
    TakingBack(Option<String>),
    Over,
}

/// What a process has in hand of work that it is at: it is begun anew where another goes on.
#[derive(Default)]
pub(in crate::domain) struct AtWork(Option<Box<dyn Any + Send + Sync>>);

impl AtWork {
    /// What it is, where it is of this kind.
    pub(in crate::domain) fn get<T: Any>(&mut self) -> Option<&mut T> {
        self.0.as_mut()?.downcast_mut()
    }

    /// Takes it out.
    pub(in crate::domain) fn take<T: Any>(&mut self) -> Option<Box<T>> {
        self.0.take()?.downcast().ok()
    }

    /// Puts something in its place.
    pub(in crate::domain) fn put<T: Any + Send + Sync>(&mut self, of: Box<T>) {
        self.0 = Some(of);
    }
}

impl Clone for AtWork {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for AtWork {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for AtWork {}

impl fmt::Debug for AtWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtWork").finish_non_exhaustive()
    }
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::domain) struct Reading {
    pub(in crate::domain) query: ImportQuery,
    /// Its format, and what is said of its encoding.
    pub(in crate::domain) format: String,
    pub(in crate::domain) charset: Option<String>,
}

/// Writes the rows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportRows {
    pub(in crate::domain) collection: CollectionNumber,
    pub(in crate::domain) by: Option<UserId>,
    pub(in crate::domain) how: How,
    pub(in crate::domain) phase: ImportPhase,
    /// How many rows there are, how many were looked at before the first is written, and how many are done.
    pub(in crate::domain) rows: u64,
    #[serde(default)]
    pub(in crate::domain) checked: u64,
    pub(in crate::domain) done: u64,
    /// Where the next row begins in the spool.
    pub(in crate::domain) offset: u64,
    pub(in crate::domain) tally: Tally,
    /// Bytes of the file of rows that were left out.
    pub(in crate::domain) rejected_bytes: u64,
    pub(in crate::domain) faults: Vec<RowFault>,
    pub(in crate::domain) read: ReadAs,
    pub(in crate::domain) started_at: String,
    pub(in crate::domain) back: Option<Revert>,
    /// What this process is at.
    #[serde(skip)]
    pub(in crate::domain) at_work: AtWork,
}

/// Does a migration, or takes it back. How far it is stands with the migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Migrate {
    pub(in crate::domain) migration: MigrationId,
    pub(in crate::domain) by: Option<UserId>,
    /// Somebody stopped it: what was done goes back.
    #[serde(default)]
    pub(in crate::domain) is_stopped: bool,
}

/// Undoes an operation in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Revert {
    /// Which one.
    pub(in crate::domain) operation: OperationId,
    /// Who asked for it; their rules hold for each piece.
    pub(in crate::domain) by: Option<UserId>,
    pub(in crate::domain) changed: Changed,
    /// Everything was looked at before anything is written.
    pub(in crate::domain) is_checked: bool,
    /// The commit that was looked at last.
    #[serde(default)]
    pub(in crate::domain) checked_from: Option<Version>,
    /// The commit whose entries were undone last.
    pub(in crate::domain) done_from: Option<Version>,
    /// Records that were left as they are.
    #[serde(default)]
    pub(in crate::domain) skipped: u64,
    /// Their collection is back already.
    #[serde(default)]
    pub(in crate::domain) has_collection: bool,
    /// It ends what began it, whatever whoever that is may do by themselves.
    #[serde(default)]
    pub(in crate::domain) is_taking_back: bool,
}
