//! Optimistic changes: read, decide, commit with what was read as the expectation, and again from the beginning where another
//! writer came first. What is read and decided is up to the callers:
//!
//! ```text
//! let mut tries = app.tries();
//! loop {
//!     // read, decide, make a batch
//!     if let Some(version) = tries.commit(batch).await? {
//!         return Ok(answer);
//!     }
//! }
//! ```

use common::access::Caller;

use super::{App, Result, usage};
use crate::store::{Batch, CommitError, Version};

/// How often a change is tried. Each try reads anew, so a change that cannot be made any more says so instead.
const MAX_TRIES: u32 = 64;

/// The tries at one change.
pub(super) struct Tries<'a> {
    app: &'a App,
    left: u32,
}

impl App {
    /// Begins a change.
    pub(super) fn tries(&self) -> Tries<'_> {
        Tries { app: self, left: MAX_TRIES }
    }
}

impl Tries<'_> {
    /// Commits what a try came to; `None` where another writer came first. After the last try it is busy.
    pub async fn commit(&mut self, batch: Batch) -> Result<Option<Version>> {
        self.commit_for(&Caller::Anonymous, batch).await
    }

    /// The same for a change that a quota may refuse: `caller` is told whose it is.
    pub async fn commit_for(&mut self, caller: &Caller, batch: Batch) -> Result<Option<Version>> {
        self.left = self.left.saturating_sub(1);
        match self.app.store.commit(batch).await {
            Ok(version) => Ok(Some(version)),
            Err(CommitError::Conflict { .. }) if self.left > 0 => Ok(None),
            Err(error) => Err(usage::commit_error(self.app, caller, error)),
        }
    }
}
