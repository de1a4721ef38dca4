//! What a store counts of itself, for metrics.

use std::sync::atomic::AtomicU64;

use base::histogram::{Histogram, SECONDS, SIZES};

/// What a store has been doing since it was opened.
#[derive(Debug)]
pub struct Stats {
    /// Groups of commits that were made durable together, each with one sync of the disk.
    pub groups: AtomicU64,
    /// Batches that were committed.
    pub committed: AtomicU64,
    /// Batches that were not, because what they expected was not so, or there was no room for them.
    pub refused: AtomicU64,
    /// How many batches a group had.
    pub group_sizes: Histogram,
    /// From a batch's arrival to its answer.
    pub commit_time: Histogram,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            groups: AtomicU64::new(0),
            committed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            group_sizes: Histogram::new(SIZES),
            commit_time: Histogram::new(SECONDS),
        }
    }
}
