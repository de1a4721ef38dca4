//! What snapshots keep of the past, and its bound: a snapshot that is read slowly beside a fast writer would otherwise hold everything
//! that is overwritten meanwhile. Where all together hold more than their part of the memory, those that hold the most are given up.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use base::{Charge, MemoryBudget};

use super::overwritten::Overwritten;

/// The part of the budget that all snapshots together may keep.
const PART: u64 = 8;

/// The snapshots that are open.
pub(super) struct HeldSnapshots {
    /// Their part of the budget.
    memory: MemoryBudget,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Weak<Mutex<Overwritten>>>>,
}

impl HeldSnapshots {
    pub(super) fn new(budget: &MemoryBudget) -> HeldSnapshots {
        let memory = budget.part(budget.limit() / PART);
        HeldSnapshots { memory, next: AtomicU64::new(0), open: Mutex::default() }
    }

    /// Charges what is kept; it is there already.
    pub(super) fn charge(&self, bytes: usize) -> Charge {
        self.memory.charge_anyway(bytes as u64)
    }

    /// Notes a snapshot, under the number that it gets.
    pub(super) fn open(&self, overwritten: &Arc<Mutex<Overwritten>>) -> u64 {
        let number = self.next.fetch_add(1, Relaxed);
        self.lock().insert(number, Arc::downgrade(overwritten));
        number
    }

    /// The snapshot with this number is gone.
    pub(super) fn close(&self, number: u64) {
        self.lock().remove(&number);
    }

    /// Brings what is kept below its bound.
    pub(super) fn relieve(&self) {
        if self.memory.held() <= self.memory.limit() {
            return;
        }
        let open: Vec<_> = self.lock().values().filter_map(Weak::upgrade).collect();
        // What was overwritten several times is kept once; often that is enough.
        let mut kept: Vec<_> = open.iter().map(|snapshot| (lock(snapshot).fold(), snapshot)).collect();
        kept.sort_unstable_by_key(|(bytes, _)| *bytes);
        while self.memory.held() > self.memory.limit()
            && let Some((bytes, most)) = kept.pop()
        {
            tracing::warn!(
                bytes,
                "what a snapshot keeps is too much; it is given up, and so is whatever is read from it"
            );
            lock(most).give_up();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Weak<Mutex<Overwritten>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(overwritten: &Mutex<Overwritten>) -> MutexGuard<'_, Overwritten> {
    overwritten.lock().unwrap_or_else(PoisonError::into_inner)
}
