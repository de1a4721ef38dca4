//! What a snapshot keeps of the past.

use std::{collections::BTreeMap, sync::Arc};

use base::Charge;

use super::generation::Generation;
use crate::{Entry, Key};

/// What has been overwritten since the snapshot.
pub(super) struct Overwritten {
    /// The oldest replaced value of each key, up to `folded`.
    pub undo: BTreeMap<Key, Entry>,
    /// `None` where it was too much, and is not kept any longer: a generation holds all that follow it.
    pub folded: Option<Arc<Generation>>,
    /// What `undo` holds.
    pub held: Charge,
}

impl Overwritten {
    /// The generations after `folded`, oldest first.
    pub(super) fn generations(&self) -> impl Iterator<Item = &Arc<Generation>> {
        let first = self.folded.as_ref().and_then(|folded| folded.next.get());
        std::iter::successors(first, |generation| generation.next.get())
    }

    /// Keeps the oldest value of each key and lets go of the generations. Says how many bytes it keeps.
    pub(super) fn fold(&mut self) -> u64 {
        while let Some(generation) = self.folded.as_ref().and_then(|folded| folded.next.get()).map(Arc::clone) {
            for (key, entry) in &generation.undo {
                if !self.undo.contains_key(key) {
                    self.held.grow_anyway(size(key, entry) as u64);
                    self.undo.insert(key.clone(), entry.clone());
                }
            }
            self.folded = Some(generation);
        }
        self.held.bytes()
    }

    /// Keeps nothing any longer. Whoever reads on is told.
    pub(super) fn give_up(&mut self) {
        self.folded = None;
        self.undo.clear();
        self.held.shrink_to(0);
    }
}

/// About how much memory an entry takes that is kept.
pub(super) fn size(key: &Key, entry: &Entry) -> usize {
    key.as_bytes().len() + entry.value.len() + 128
}
