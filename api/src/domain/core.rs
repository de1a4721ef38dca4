//! What every part of the domain works with.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use base::{Clock, IdSource, MemoryBudget, Newest};
use common::metrics::{NOTED, SlowQuery};
use store::Store;
use tokio::sync::{Mutex, Notify};
use uuid::Uuid;

use super::{
    compaction::LastCompaction,
    deadline::{Deadline, Reading},
    idempotency::Idempotency,
    intake::Spool,
    owners::Owners,
    paths::Paths,
    quota::Quota,
    record,
    record_ids::RecordIds,
    records::{Adding, Guesses},
    schema::Schemas,
    search::packed::PackedWords,
};

/// Up to how many records an operation is undone in one commit. What is larger goes back in pieces.
const REVERT_AT_ONCE: u64 = 10_000;

/// Entries that one commit may write in any case: an array of 1,000 records with ten indexes.
const LEAST_ENTRIES: usize = 12_000;
/// Entries that one commit may write where there is memory for more.
const MOST_ENTRIES: usize = 200_000;

/// Up to how many records a collection is deleted in one commit. What a larger one has goes in pieces.
const DELETE_AT_ONCE: u64 = 1000;

/// Up to how many records one deletion of a record changes in one commit: all of it is staged, committed and kept for snapshots at once.
const CASCADE_AT_ONCE: usize = 10_000;

/// A list that takes as long is told in the log.
const SLOW_QUERY: Duration = Duration::from_millis(100);

/// The store, and what goes with reading and changing it.
pub struct Core {
    /// Where all state is.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// New ids.
    pub ids: IdSource,
    /// The collections' definitions, parsed.
    pub schemas: Schemas,
    /// The published paths, parsed.
    pub paths: Paths,
    /// The numbers of owners.
    pub owners: Owners,
    /// Numbers that are reserved for new records.
    pub record_ids: RecordIds,
    /// When indexes of words were packed.
    pub packed_words: PackedWords,
    /// How much a user may own.
    pub quota: Quota,
    /// Guesses at unique values that callers may not see.
    pub guesses: Guesses,
    /// Keys of requests that may come twice.
    pub idempotency: Arc<Idempotency>,
    /// Where files on their way in are.
    pub spool: Arc<Spool>,
    /// Those who add to numbers of records.
    pub adding: Adding,
    /// What is held for requests is charged to it.
    pub memory: MemoryBudget,
    /// How long requests may go on reading, and how many at once.
    pub reading: Reading,
    /// The compaction that was asked for last.
    pub last_compaction: Arc<LastCompaction>,
    /// Held while room is made for versions: one at a time, since it takes from one quota.
    pub making_room: Mutex<()>,
    /// Held while a collection is made: each expects the names of all others unchanged, and one that lost against them often enough would be busy.
    pub making_collection: Mutex<()>,
    /// Up to how many records an operation is undone in one commit.
    pub revert_at_once: u64,
    /// Up to how many records a collection is deleted in one commit.
    pub delete_at_once: u64,
    /// Up to how many records one deletion of a record changes in one commit.
    pub cascade_at_once: usize,
    /// A list that takes as long is told in the log.
    pub slow_query: Duration,
    /// Lists that took as long.
    pub slow_queries: AtomicU64,
    /// The newest of them.
    pub newest_slow: Newest<SlowQuery>,
    /// Wakes those who do work in the background.
    pub operation_started: Notify,
    /// What recurs is to be done now, and not only when its time has come.
    pub clear_now: Notify,
}

impl Core {
    /// Over a store, with the usual limits.
    pub fn new(store: Store, clock: Clock, ids: IdSource) -> Self {
        Self {
            guesses: Guesses::new(clock.clone()),
            store,
            clock,
            ids,
            schemas: Schemas::default(),
            paths: Paths::default(),
            owners: Owners::default(),
            record_ids: RecordIds::default(),
            packed_words: PackedWords::default(),
            quota: Quota::default(),
            adding: Adding::default(),
            spool: Arc::default(),
            idempotency: Arc::default(),
            memory: MemoryBudget::unlimited(),
            reading: Reading::default(),
            last_compaction: Arc::default(),
            making_room: Mutex::default(),
            making_collection: Mutex::default(),
            slow_query: SLOW_QUERY,
            slow_queries: AtomicU64::new(0),
            newest_slow: Newest::new(NOTED),
            revert_at_once: REVERT_AT_ONCE,
            delete_at_once: DELETE_AT_ONCE,
            cascade_at_once: CASCADE_AT_ONCE,
            operation_started: Notify::new(),
            clear_now: Notify::new(),
        }
    }

    /// Entries that one commit of a request may write. While a commit enters the engine on disk, each takes the memory of a page: about 6 KiB,
    /// so that half of what may be held at a time is the most.
    pub fn most_entries(&self) -> usize {
        usize::try_from(self.memory.limit() / (2 * 6 * 1024)).unwrap_or(usize::MAX).clamp(LEAST_ENTRIES, MOST_ENTRIES)
    }

    /// The time, as it is written into records: to the microsecond, which is what the contract's times can say.
    pub fn timestamp(&self) -> String {
        record::moment(self.stamp())
    }

    /// The time as a stamp: see [`record::stamp_of`].
    pub fn stamp(&self) -> i64 {
        record::stamp_of(i64::try_from(self.clock.now().unix_timestamp_nanos() / 1000).unwrap_or(0))
    }

    /// A new id, and when it was made, as that is written into records: what is ordered by one is ordered by the other.
    pub fn new_id(&self) -> (Uuid, String) {
        let (id, nanos) = self.ids.next_id_at();
        (id, record::moment(record::stamp_of(i64::try_from(nanos / 1000).unwrap_or(0))))
    }

    /// The moment at which a request that begins now has to stop reading.
    pub fn deadline(&self) -> Deadline {
        Deadline::new(&self.clock, &self.reading)
    }

    /// The turns of a request whose answer is made while it is taken: it may take as long as that.
    pub fn turns(&self) -> Deadline {
        let endless = Duration::from_secs(u64::MAX / 4);
        Deadline::new(&self.clock, &Reading { time: endless, wait: endless, is_long: true, ..self.reading.clone() })
    }
}
