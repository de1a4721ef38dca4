//! What a store counts of itself, for metrics.

use std::{sync::atomic::AtomicU64, time::Duration};

use crate::{Key, Version};
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

/// What [`Store::compact`](super::Store::compact) did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes that the store took on the disk before.
    pub before: u64,
    /// Bytes that it takes now.
    pub after: u64,
    /// Bytes that are free inside its files and were not given back, since the file system does not take them. What is written
    /// next goes there.
    pub free_inside: u64,
    /// The longest that a read or commit waited for it.
    pub waited: Duration,
    /// Everything was written anew. Otherwise only segments of the files that held nothing at all were given back: the files could
    /// not become much smaller, or there was no room for a second copy.
    pub rewritten: bool,
    /// Something that was erased may still stand in the files, since they were not written anew, or it was erased meanwhile.
    pub has_erased: bool,
}

/// What [`Store::salvage`](super::Store::salvage) found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Entries that could be read.
    pub entries: u64,
    /// Keys whose values could not.
    pub lost: Vec<Key>,
    /// The last key before, and the first key behind, each part of which nothing could be read; `None` for the beginning or the end.
    pub gaps: Vec<(Option<Key>, Option<Key>)>,
    /// Stretches of the log could not be read: what they said is missing, or stands as it was before.
    pub has_gaps: bool,
    /// The last commit that was confirmed, and the last one that was found, where that is an earlier one.
    pub short: Option<(Version, Version)>,
}
