//! The store: one ordered map from keys to versioned values, and everything else a layer over it.
//!
//! A commit is a [`Batch`]: what must be true, and what to change if it is. It happens whole or not
//! at all, and an `Ok` means that it is on disk and survives a power cut. Reads come from
//! [`Snapshot`]s, which never wait for writers and never show what a crash could take back.
//!
//! - `key`, `version`, `batch`, `scan`, `error`: the words that callers use
//! - `journal`: where change entries live
//! - `queue` → `committer` → `group`: how a batch gets in
//! - `snapshot`: how a value gets out, `ranks`: how far into a range it is, and `spaces`: whether anything near it changed
//! - `fill`: how a backup gets into a new store
//! - `engine`: the seam; behind it `sled` (on disk) and `memory` (for tests)
//!
//! What keys mean is not known here: that is up to the parts that use the store.

mod batch;
mod committer;
mod engine;
mod error;
mod fill;
mod group;
pub mod journal;
mod key;
mod memory;
mod pages;
mod queue;
mod ranks;
mod scan;
mod sled;
mod snapshot;
mod spaces;
mod version;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

use self::committer::Shared;
use self::engine::{Engine, State};
use self::memory::Memory;
use self::queue::Queue;
use self::ranks::Ranks;
use self::sled::Sled;
use self::snapshot::Generation;
use self::spaces::Spaces;
use base::histogram::{Histogram, SECONDS, SIZES};

pub use self::batch::{Addition, Batch, Expect};
pub use self::error::{CommitError, Failure, OpenError, ReadError};
pub use self::fill::FillError;
pub use self::key::{Element, Elements, Key, KeyError};
pub use self::pages::Pages;
pub use self::scan::{Direction, Scan};
pub use self::snapshot::Snapshot;
pub use self::version::{Entry, ParseVersionError, Version, counter, counters};

/// The newest format of a store: how keys and values are written, and what those who use the store keep in it. A program refuses
/// newer ones, and so does not write into a store without keeping what it does not know of.
///
/// - 1: the first
/// - 2: what every owner has is counted (`domain/usage`)
pub const FORMAT: u32 = 2;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the bytes are kept.
    pub engine: EngineOptions,
    /// How many batches may wait before the next is refused as `Busy`.
    pub queue_batches: usize,
    /// How many bytes of batches may wait.
    pub queue_bytes: usize,
}

/// The choice of an engine.
#[derive(Debug, Clone)]
pub enum EngineOptions {
    /// A directory on this machine's disk.
    Sled(SledOptions),
    /// Memory, gone with the store.
    Memory,
}

/// How to keep a store in a directory.
#[derive(Debug, Clone)]
pub struct SledOptions {
    /// The directory, made if it is not there.
    pub dir: PathBuf,
    /// How much memory the page cache may take. The whole process needs more than this.
    pub cache_bytes: u64,
    /// Room that is left on the disk: commits that would use it up are refused as `DiskFull`.
    /// Opening a store needs some, so a disk filled to the brim would lock the store away.
    pub reserve_bytes: u64,
    /// Open even if commits that were acknowledged are missing. They stay lost.
    pub accept_data_loss: bool,
}

impl Options {
    /// A store on disk in `dir`.
    pub fn sled(dir: impl Into<PathBuf>) -> Options {
        Options::new(EngineOptions::Sled(SledOptions {
            dir: dir.into(),
            // Twice as much takes 60 MB more at a million records, for sled counts pages as they are on disk; what is not in
            // here is mostly in the system's own cache.
            cache_bytes: 16 << 20,
            reserve_bytes: 64 << 20,
            accept_data_loss: false,
        }))
    }

    /// A store in memory.
    pub fn memory() -> Options {
        Options::new(EngineOptions::Memory)
    }

    fn new(engine: EngineOptions) -> Options {
        Options { engine, queue_batches: 4096, queue_bytes: 64 << 20 }
    }
}

/// How far a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark<const N: usize> {
    /// Its last commit.
    pub version: Version,
    /// The last commit that wrote to each of the spaces that were asked about; the one that the store was opened at, if none
    /// has since.
    pub changes: [Version; N],
}

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

/// An open store. Clones are handles to the same one; when the last is gone, what was queued is
/// committed and the store is closed.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens a store, and makes it if it is not there. Blocks until everything has been checked.
    pub fn open(options: Options) -> Result<Store, OpenError> {
        let (engine, state, ranks) = match options.engine {
            EngineOptions::Memory => (Engine::Memory(Memory::default()), State::default(), Ranks::default()),
            EngineOptions::Sled(options) => {
                let (sled, state, ranks) = Sled::open(&options)?;
                (Engine::Sled(sled), state, ranks)
            }
        };
        let spaces = Arc::new(Spaces::new(state.version));
        let generation = Generation::new(state.version, BTreeMap::new(), ranks.clone(), Arc::clone(&spaces));
        let shared = Arc::new(Shared {
            engine,
            queue: Queue::new(options.queue_batches, options.queue_bytes),
            current: watch::Sender::new(Arc::new(generation)),
            failure: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            stats: Stats::default(),
        });
        let for_thread = Arc::clone(&shared);
        let committer = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer::run(&for_thread, state, ranks, spaces))
            .map_err(|source| OpenError::Io { dir: PathBuf::new(), what: "starting a thread".to_owned(), source })?;
        Ok(Store(Arc::new(Handle { shared, committer: Mutex::new(Some(committer)) })))
    }

    /// The store as it is now, to be read as often as needed.
    #[expect(clippy::unused_async, reason = "an engine over the network will wait here")]
    pub async fn snapshot(&self) -> Result<Snapshot, ReadError> {
        Ok(Snapshot::new(Arc::clone(&self.0.shared)))
    }

    /// The value of `key`, if there is one.
    pub async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        self.snapshot().await?.get(key).await
    }

    /// The values of several keys, in their order and all as of one moment.
    pub async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        self.snapshot().await?.get_many(keys).await
    }

    /// The entries that `scan` visits, all as of one moment.
    pub async fn scan(&self, scan: Scan) -> Result<Vec<(Key, Entry)>, ReadError> {
        self.snapshot().await?.scan(scan).await
    }

    /// Applies a batch whole or not at all, and returns its version once it is on disk. The batch
    /// goes through even if the caller stops waiting.
    pub async fn commit(&self, batch: Batch) -> Result<Version, CommitError> {
        self.0.shared.commit(batch).await
    }

    /// The format that the store is in; that of an earlier version of this program is less than [`FORMAT`].
    pub fn format(&self) -> u32 {
        self.0.shared.engine.format()
    }

    /// Notes, durably, that the store is in the newest format, after what an earlier one lacks was added. Blocks.
    pub fn raise_format(&self) -> std::io::Result<()> {
        self.0.shared.engine.raise_format()
    }

    /// How far the store is: its last commit, and the last one that wrote to each of these spaces. Whoever keeps what was read
    /// asks this first: what was read at the same [`Watermark::changes`] is still so.
    #[expect(clippy::unused_async, reason = "an engine over the network will wait here")]
    pub async fn watermark<const N: usize>(&self, spaces: [&'static str; N]) -> Result<Watermark<N>, ReadError> {
        let current = self.0.shared.current.borrow();
        Ok(Watermark { version: current.version, changes: spaces.map(|space| current.spaces.last_change(space)) })
    }

    /// Whether a small commit would go through now, as far as can be told without one.
    pub fn takes_writes(&self) -> Result<(), CommitError> {
        let shared = &self.0.shared;
        if shared.failure.borrow().is_some() {
            return Err(CommitError::Stopped);
        }
        if shared.engine.has_room_for(0) { Ok(()) } else { Err(CommitError::DiskFull) }
    }

    /// What the store has been doing, for metrics.
    pub fn stats(&self) -> &Stats {
        &self.0.shared.stats
    }

    /// How many batches wait for the next group.
    pub fn waiting(&self) -> usize {
        self.0.shared.queue.len()
    }

    /// How many bytes the store takes on the disk; 0 in memory. Looks at its files, so it may block for a moment.
    pub fn disk_bytes(&self) -> Result<u64, ReadError> {
        self.0.shared.engine.disk_bytes()
    }

    /// Commits what is queued and stops taking writes; reads go on. The directory is free for
    /// another process when all handles and snapshots are gone too.
    pub async fn close(&self) {
        self.0.shared.queue.close();
        let mut ended = self.0.shared.ended.subscribe();
        // It cannot fail: this handle keeps the sender.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Resolves when a write failed and the store stopped taking writes for good, so that the
    /// process can end. Never resolves after an orderly close.
    pub fn failed(&self) -> impl Future<Output = Failure> + Send + use<> {
        let mut failure = self.0.shared.failure.subscribe();
        async move {
            let failed = failure.wait_for(Option::is_some).await;
            match failed.ok().and_then(|failure| failure.clone()) {
                Some(failure) => failure,
                None => std::future::pending().await,
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.close();
        let committer = self.committer.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(committer) = committer.take() {
            // It caught its own panics.
            let _ = committer.join();
        }
    }
}
