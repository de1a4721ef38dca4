//! The engine in this process, which sees every commit: one thread commits, and readers share its memory.
//!
//! - `queue` → `committer`: how a batch gets in
//! - `generation` → `snapshot`: how a value gets out while later commits go on
//! - `order_statistics`: how far into a range a key is
//! - `inner`: what the committer, the snapshots and the handles have in common
//! - `fill`: how a backup gets into a new store
//! - `committer/compaction`: how disk space goes back to the system
//! - `room`: what may still be written before the disk is full
//! - `backend`: what keeps the bytes, `sled` (on disk) or `memory` (for tests)

mod backend;
mod committer;
mod fill;
mod generation;
mod held;
mod inner;
mod memory;
mod order_statistics;
mod overwritten;
mod page;
mod queue;
mod room;
mod sled;
mod snapshot;
mod state;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::sync::watch;

use self::{backend::open_backend, committer::Committer, inner::Inner, queue::Queue};
use crate::{
    Batch, CommitError, CompactError, Compacted, EngineOptions, Failure, OpenError, Options, ReadError, Reserve, Stats,
    Version, Watermark,
};

pub(crate) use self::sled::salvage;
pub use self::sled::{
    Owner, close_dir, disk_bytes, first_unusable, free_bytes, has_room_beside, is_own, make_private, note_initialized,
    owner_of, size_bytes, this_user,
};
pub(crate) use self::{fill::fill, snapshot::Snapshot};

/// A handle to the engine; it is closed with the last one.
#[derive(Clone)]
pub(crate) struct Local(Arc<Handle>);

struct Handle {
    inner: Arc<Inner>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

impl Local {
    pub(crate) fn open(options: Options) -> Result<Local, OpenError> {
        let Options { engine, queue_batches, queue_bytes, memory } = options;
        let (backend, state, order) = open_backend(&engine)?;
        let cache = match &engine {
            EngineOptions::Sled(options) => options.cache_bytes,
            EngineOptions::Memory => 0,
        };
        let (inner, committer) =
            Committer::new(backend, state, order, Queue::new(queue_batches, queue_bytes), &memory, cache);
        let committer = thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run());
        let committer = committer.map_err(|source| OpenError::Io {
            dir: PathBuf::new(),
            what: "starting a thread".to_owned(),
            source,
        })?;
        Ok(Local(Arc::new(Handle { inner, committer: Mutex::new(Some(committer)) })))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.0.inner))
    }

    pub(crate) fn watermark<const N: usize>(&self, spaces: [&'static str; N]) -> Watermark<N> {
        let current = self.0.inner.current.borrow();
        Watermark { version: current.version, changes: spaces.map(|space| current.last_changes.of(space)) }
    }

    pub(crate) async fn later_than(&self, version: Version) -> Version {
        let mut current = self.0.inner.current.subscribe();
        let later = current.wait_for(|generation| generation.version > version).await.map(|later| later.version);
        match later {
            Ok(later) => later,
            // It cannot be: this handle keeps the sender.
            Err(_) => std::future::pending().await,
        }
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<Version, CommitError> {
        let answer = self.0.inner.queue.push(batch)?;
        // Without an answer the committer ended first.
        answer.await.unwrap_or(Err(CommitError::Stopped))
    }

    pub(crate) async fn compact(&self) -> Result<Compacted, CompactError> {
        let answer = self.0.inner.queue.push_compaction()?;
        answer.await.unwrap_or(Err(CompactError::Stopped))
    }

    pub(crate) fn format(&self) -> u32 {
        self.0.inner.backend.format()
    }

    pub(crate) fn raise_format(&self) -> std::io::Result<()> {
        self.0.inner.backend.raise_format()
    }

    pub(crate) fn takes_writes(&self) -> Result<(), CommitError> {
        if self.0.inner.failure.borrow().is_some() {
            return Err(CommitError::Stopped);
        }
        if self.0.inner.backend.room().has(0, Reserve::Kept) { Ok(()) } else { Err(CommitError::DiskFull) }
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.0.inner.stats
    }

    pub(crate) fn waiting(&self) -> usize {
        self.0.inner.queue.len()
    }

    pub(crate) fn disk_bytes(&self) -> Result<u64, ReadError> {
        self.0.inner.backend.disk_bytes()
    }

    pub(crate) async fn close(&self) {
        self.0.inner.queue.close();
        let mut ended = self.0.inner.ended.subscribe();
        // It cannot fail: this handle keeps the sender.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    pub(crate) fn failure(&self) -> watch::Receiver<Option<Failure>> {
        self.0.inner.failure.subscribe()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.queue.close();
        let committer = self.committer.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(committer) = committer.take() {
            // It caught its own panics.
            let _ = committer.join();
        }
    }
}
