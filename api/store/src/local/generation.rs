//! Generations: the groups of commits since the oldest snapshot, each with what it overwrote.
//!
//! Before a group of commits touches the backend, the values it will replace are put into a new
//! [`Generation`], linked to the one before. A snapshot reads the backend and then lets the
//! generations that followed its own correct what it saw. So readers and the writer never wait for
//! each other, a scan is of one moment, and nobody sees a group before it is on disk.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use base::Charge;

use super::order_statistics::OrderStatistics;
use crate::{Entry, Key, Version, last_changes::LastChanges};

/// One group of commits, and how to see the store as it was before it.
pub(super) struct Generation {
    /// The last version of the group.
    pub version: Version,
    /// The values that the group replaces or removes. Keys that it creates are not in here: their
    /// version alone tells an older snapshot that they were not there.
    pub undo: BTreeMap<Key, Entry>,
    /// What `undo` holds.
    _held: Charge,
    /// Where the keys are after the group.
    pub order: Arc<OrderStatistics>,
    /// The last commit in each space, as of the group.
    pub last_changes: Arc<LastChanges>,
    /// The group after this one, set before that group touches the backend.
    pub next: OnceLock<Arc<Generation>>,
}

impl Generation {
    pub(super) fn new(
        version: Version,
        undo: BTreeMap<Key, Entry>,
        held: Charge,
        order: OrderStatistics,
        last_changes: Arc<LastChanges>,
    ) -> Generation {
        Generation { version, undo, _held: held, order: Arc::new(order), last_changes, next: OnceLock::new() }
    }
}

impl Drop for Generation {
    /// Lets go of a long chain one by one; by itself it would be done by recursion.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(generation) = next {
            next = Arc::into_inner(generation).and_then(|mut last| last.next.take());
        }
    }
}
