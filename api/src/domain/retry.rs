//! Optimistic changes: read, decide, commit with what was read as the expectation, and again from the beginning where another
//! writer came first. What is read and decided is up to the callers:
//!
//! ```text
//! let mut retry = Retry::new(core);
//! loop {
//!     // read, decide, make a batch
//!     if let Some(version) = retry.commit(batch).await? {
//!         return Ok(answer);
//!     }
//! }
//! ```

use common::access::Caller;
use store::{Batch, CommitError, Version};

use super::{
    core::Core,
    error::{Error, Result},
    idempotency, journal, usage,
};

/// How often a change is tried. Each attempt reads anew, so a change that cannot be made any more says so instead.
const MAX_ATTEMPTS: u32 = 64;

/// The attempts at one change.
pub(super) struct Retry<'a> {
    core: &'a Core,
    left: u32,
}

impl<'a> Retry<'a> {
    /// Begins a change.
    pub(crate) fn new(core: &'a Core) -> Self {
        Self { core, left: MAX_ATTEMPTS }
    }

    /// Another writer came first in a commit that was made elsewhere; an error after the last attempt.
    pub(crate) fn again(&mut self) -> Result<()> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { Err(Error::Busy) } else { Ok(()) }
    }

    /// Commits what an attempt came to; `None` where another writer came first. After the last attempt it is busy. What writes more than one
    /// commit may is refused.
    pub(crate) async fn commit(&mut self, batch: Batch) -> Result<Option<Version>> {
        self.commit_for(&Caller::Anonymous, batch).await
    }

    /// The same for a change that a quota may refuse: `caller` is told whose it is.
    pub(crate) async fn commit_for(&mut self, caller: &Caller, batch: Batch) -> Result<Option<Version>> {
        self.left = self.left.saturating_sub(1);
        let (entries, most) = (batch.entries(), self.core.most_entries());
        if entries > most {
            return Err(Error::TooManyEntries { entries, most });
        }
        match commit_noted(self.core, batch, false).await {
            Ok(version) => Ok(Some(version)),
            Err(CommitError::Conflict { .. }) if self.left > 0 => Ok(None),
            Err(error) => Err(usage::commit_error(self.core, caller, error)),
        }
    }
}

/// Commits a batch as a part of what the running request does, with its key where it has one. `begins` work whose pieces are further parts,
/// whatever this one holds.
pub(super) async fn commit_noted(
    core: &Core,
    mut batch: Batch,
    begins: bool,
) -> std::result::Result<Version, CommitError> {
    let is_counted = journal::count_operation(&mut batch);
    let is_noted = idempotency::note(&mut batch);
    let version = core.store.commit(batch).await?;
    if is_counted || begins {
        journal::written();
    }
    if is_noted {
        idempotency::noted(version);
    }
    Ok(version)
}
