//! What is known of the compaction that was asked for last.

use std::sync::{Mutex, MutexGuard, PoisonError};

use store::{CompactError, Compacted};

/// The compaction that was asked for last.
#[derive(Debug, Default)]
pub struct LastCompaction(Mutex<Known>);

#[derive(Debug, Default)]
pub(super) struct Known {
    /// How many wait for one that goes on.
    pub running: u32,
    /// What the files took when it began.
    pub before: u64,
    pub ended: Option<Result<Compacted, CompactError>>,
}

impl LastCompaction {
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
