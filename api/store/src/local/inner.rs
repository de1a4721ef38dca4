//! What the handles, the snapshots and the committer's thread of one store have in common.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use base::Charge;
use tokio::sync::{RwLock, watch};

use super::{backend::Backend, generation::Generation, held::HeldSnapshots, queue::Queue};
use crate::{Failure, ReadError, ReadFault, Stats};

pub(super) struct Inner {
    pub backend: Backend,
    /// Readers hold this while they read. The committer takes it to close the backend for a moment.
    pub gate: RwLock<()>,
    pub queue: Queue,
    /// The last group that is on disk. Readers start here.
    pub current: watch::Sender<Arc<Generation>>,
    /// How often the files were opened again. Readers see one number as long as they hold the gate.
    pub openings: AtomicU64,
    /// Set once, when the store can write no more.
    pub failure: watch::Sender<Option<Failure>>,
    /// True once the committer has ended.
    pub ended: watch::Sender<bool>,
    pub stats: Stats,
    /// The backend's cache.
    pub _cache: Charge,
    /// The snapshots that are open, and what they keep.
    pub held: HeldSnapshots,
}

impl Inner {
    pub(super) fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.current.borrow())
    }

    /// Stops writing for good.
    pub(super) fn fail(&self, reason: String) {
        self.queue.close();
        let durable = self.current().version;
        tracing::error!(%durable, %reason, "the store stopped writing");
        self.failure.send_replace(Some(Failure { durable, reason }));
    }

    /// What a reader gets of the backend. Where it met a full disk, the committer opens the files anew once there is room.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Backend) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let opening = self.openings.load(Relaxed);
        let found = read(&self.backend);
        if found.as_ref().is_err_and(|error| error.fault == ReadFault::DiskFull) {
            self.queue.push_full(opening);
        }
        found
    }
}
