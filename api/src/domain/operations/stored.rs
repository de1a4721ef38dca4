//! An operation's record.

use common::{
    access::Caller,
    id::{OperationId, UserId},
    operation::{Operation, OperationKind, OperationState},
};
use serde::{Deserialize, Serialize};
use store::{Entry, Version};
use uuid::Uuid;

use super::{
    erase::Erase,
    history::TrimHistory,
    indexes::SweepIndexes,
    kinds::{ChangeRecords, DeleteCollection, DeleteRecord, ImportRows, Migrate, Redefine, Revert},
    piece::{Budget, Piece, Steps},
    sweep::{SweepKeys, SweepOperations, SweepSessions},
    trim::Trim,
    words::PackWords,
};
use crate::domain::{core::Core, error::Result, keyspace};

/// How long a process holds the work without a word: seconds. If it dies, another goes on after this.
const LEASE: i64 = 5;

/// The work that an operation does, and where its next piece begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    /// Removes old entries of the journal.
    TrimChanges(Trim),
    /// Undoes a large operation.
    Revert(Revert),
    /// Checks records against a changed definition, and writes them anew.
    Redefine(Redefine),
    /// Deletes a record, and what goes with it.
    DeleteRecord(DeleteRecord),
    /// Writes the rows of a file.
    Import(Box<ImportRows>),
    /// Removes what a deleted collection left.
    DeleteCollection(DeleteCollection),
    /// Removes what indexes left that are gone.
    SweepIndexes(SweepIndexes),
    /// Removes from the journal what is to be erased.
    Erase(Erase),
    /// Applies a migration, or takes one back.
    Migrate(Migrate),
    /// Changes records as a step of a migration says.
    ChangeRecords(Box<ChangeRecords>),
    /// Removes sessions whose tokens have all expired.
    SweepSessions(SweepSessions),
    /// Removes the records of operations that ended long ago.
    SweepOperations(SweepOperations),
    /// Removes the answers that keys of requests have kept long enough.
    SweepKeys(SweepKeys),
    /// Removes from histories what definitions do not keep.
    TrimHistory(TrimHistory),
    /// Puts what stands by itself in indexes of words into blocks.
    PackWords(PackWords),
}

impl Work {
    /// Plans the next piece: see [`Steps::step`].
    pub(crate) async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        match self {
            Self::TrimChanges(work) => work.step(core, budget).await,
            Self::Revert(work) => work.step(core, budget).await,
            Self::Redefine(work) => work.step(core, budget).await,
            Self::DeleteRecord(work) => work.step(core, budget).await,
            Self::Import(work) => work.step(core, budget).await,
            Self::DeleteCollection(work) => work.step(core, budget).await,
            Self::SweepIndexes(work) => work.step(core, budget).await,
            Self::Erase(work) => work.step(core, budget).await,
            // It does pieces of other operations.
            Self::Migrate(work) => Box::pin(work.step(core, budget)).await,
            Self::ChangeRecords(work) => work.step(core, budget).await,
            Self::SweepSessions(work) => work.step(core, budget).await,
            Self::SweepOperations(work) => work.step(core, budget).await,
            Self::SweepKeys(work) => work.step(core, budget).await,
            Self::TrimHistory(work) => work.step(core, budget).await,
            Self::PackWords(work) => work.step(core, budget).await,
        }
    }

    /// How many entries there are left to do, where that can be said without reading all.
    pub(crate) async fn count(&self, core: &Core) -> Result<Option<u64>> {
        match self {
            Self::TrimChanges(work) => work.count(core).await,
            Self::Revert(work) => work.count(core).await,
            Self::Redefine(work) => work.count(core).await,
            Self::Import(work) => Ok(work.left()),
            Self::DeleteCollection(work) => work.count(core).await,
            Self::ChangeRecords(work) => work.count(core).await,
            Self::Migrate(_)
            | Self::Erase(_)
            | Self::DeleteRecord(_)
            | Self::SweepSessions(_)
            | Self::SweepOperations(_)
            | Self::SweepKeys(_)
            | Self::SweepIndexes(_)
            | Self::PackWords(_)
            | Self::TrimHistory(_) => Ok(None),
        }
    }

    /// Somebody waits for its end: it rests no longer than others need.
    pub(crate) fn is_waited_for(&self) -> bool {
        matches!(self, Self::Import(_) | Self::Migrate(_) | Self::ChangeRecords(_))
    }

    /// Users who are no admins begin it too.
    pub(super) fn is_anyones(&self) -> bool {
        matches!(self, Self::Import(_) | Self::Revert(_) | Self::DeleteRecord(_) | Self::ChangeRecords(_))
    }

    /// What it did goes back: somebody stopped it, or it cannot be finished.
    pub(crate) fn is_taken_back(&self) -> bool {
        match self {
            Self::Import(work) => work.is_taken_back(),
            Self::Migrate(work) => work.is_taken_back(),
            Self::ChangeRecords(work) => work.is_taken_back(),
            _ => false,
        }
    }

    /// What is to be said of it when it is done; nothing where that is plain.
    pub(crate) fn remark(&self) -> Option<String> {
        match self {
            Self::Revert(work) => work.remark(),
            Self::Redefine(work) => work.remark(),
            _ => None,
        }
    }

    /// As it is sent.
    pub(crate) fn kind(&self) -> OperationKind {
        match self {
            Self::TrimChanges(_) => OperationKind::TrimChanges,
            Self::Revert(_) => OperationKind::Revert,
            Self::Redefine(_) => OperationKind::Redefine,
            Self::DeleteRecord(_) => OperationKind::DeleteRecord,
            Self::Import(_) => OperationKind::Import,
            Self::DeleteCollection(_) => OperationKind::DeleteCollection,
            Self::SweepIndexes(_) | Self::PackWords(_) => OperationKind::SweepIndexes,
            Self::Erase(_) => OperationKind::Erase,
            Self::Migrate(_) => OperationKind::Migrate,
            Self::ChangeRecords(_) => OperationKind::ChangeRecords,
            Self::SweepSessions(_) => OperationKind::SweepSessions,
            Self::SweepOperations(_) => OperationKind::SweepOperations,
            Self::SweepKeys(_) => OperationKind::SweepKeys,
            Self::TrimHistory(_) => OperationKind::TrimHistory,
        }
    }
}

/// Which process holds the work, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    /// The process: its runner's id.
    pub holder: Uuid,
    /// Seconds since 1970: from then on anybody may go on with the work.
    pub until: i64,
}

/// An operation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// The work, and where its next piece begins.
    pub work: Work,
    /// How it stands; one that nobody works on is stored as running.
    pub state: OperationState,
    /// Entries that are done.
    pub done: u64,
    /// Entries that there were to do, about.
    #[serde(default)]
    pub of: Option<u64>,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub ended_at: Option<String>,
    /// The user who asked for it.
    #[serde(default)]
    pub by: Option<UserId>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// The process that holds it, and until when.
    #[serde(default)]
    pub lease: Option<Lease>,
    /// Somebody stopped it for now.
    #[serde(default)]
    pub is_paused: bool,
    /// Something of it is in the journal: what comes follows that.
    #[serde(default)]
    pub has_parts: bool,
}

impl Stored {
    /// Work that nobody has begun.
    pub(crate) fn new(work: Work, of: Option<u64>, started_at: String, by: Option<UserId>) -> Self {
        Self {
            work,
            state: OperationState::Running,
            done: 0,
            of,
            started_at,
            ended_at: None,
            by,
            error: None,
            lease: None,
            is_paused: false,
            has_parts: false,
        }
    }

    /// Reads a stored one.
    pub(crate) fn parse(entry: &Entry) -> Result<Self> {
        Ok(serde_json::from_slice(&entry.value)?)
    }

    /// As it is stored.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Nothing more happens, from now on.
    pub(crate) fn end(&mut self, state: OperationState, at: String) {
        (self.state, self.ended_at, self.lease) = (state, Some(at), None);
    }

    /// Whether `holder` may work on it at `now`, in seconds since 1970.
    pub(crate) fn is_free_for(&self, holder: Uuid, now: i64) -> bool {
        self.lease.is_none_or(|lease| lease.holder == holder || lease.until <= now)
    }

    /// Gives it to `holder`.
    pub(crate) fn hold(&mut self, holder: Uuid, now: i64) {
        self.lease = Some(Lease { holder, until: now + LEASE });
    }

    /// Whether half of the lease is over.
    pub(crate) fn must_be_renewed(&self, now: i64) -> bool {
        self.lease.is_none_or(|lease| lease.until - now <= LEASE / 2)
    }

    /// As it is sent.
    pub(crate) fn shown(&self, id: OperationId, core: &Core) -> Operation {
        let is_held = self.lease.is_some_and(|lease| lease.until > core.clock.unix_seconds());
        let state = match self.state {
            OperationState::Running if self.is_paused => OperationState::Paused,
            OperationState::Running if self.work.is_taken_back() => OperationState::Stopping,
            OperationState::Running if !is_held => OperationState::Waiting,
            state => state,
        };
        Operation {
            id,
            kind: self.work.kind(),
            state,
            done: self.done,
            // It was counted beforehand, and more may have come since.
            of: self.of.map(|of| of.max(self.done)),
            started_at: self.started_at.clone(),
            ended_at: self.ended_at.clone(),
            by: self.by,
            error: self.error.clone(),
            misfits: match &self.work {
                Work::Redefine(work) => Some(work.misfits.clone()),
                _ => None,
            },
            import: match &self.work {
                Work::Import(work) => Some(Box::new(work.shown(id, state))),
                _ => None,
            },
        }
    }
}

/// An operation, and the version that it was read at.
pub(crate) async fn load(core: &Core, id: OperationId) -> Result<Option<(Version, Stored)>> {
    match core.store.get(&keyspace::operation(id)).await? {
        Some(entry) => Ok(Some((entry.version, Stored::parse(&entry)?))),
        None => Ok(None),
    }
}

/// An operation as its caller may know it: how many records go with one that is deleted, or come back, counts those that they may not view.
pub(crate) fn shown_to(caller: &Caller, operation: Operation) -> Operation {
    let counts_hidden = matches!(operation.kind, OperationKind::DeleteRecord | OperationKind::Revert);
    if caller.is_admin() || !counts_hidden { operation } else { Operation { done: 0, of: None, ..operation } }
}
