//! The engine that keeps nothing: a map in memory. It is the oracle that tests compare the others
//! with, and the quick store of tests that are about something else.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::engine::Stretch;
use super::scan::Direction;
use super::{Entry, Key};

#[derive(Default)]
pub(super) struct Memory {
    map: RwLock<BTreeMap<Key, Entry>>,
}

impl Memory {
    pub fn get(&self, key: &Key) -> Option<Entry> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub fn read(&self, stretch: &Stretch<'_>) -> Vec<(Key, Entry)> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let range = map.range::<Key, _>((stretch.from, stretch.to));
        let entries = range.map(|(key, entry)| (key.clone(), entry.clone()));
        match stretch.direction {
            Direction::Forward => entries.take(stretch.limit).collect(),
            Direction::Backward => entries.rev().take(stretch.limit).collect(),
        }
    }

    pub fn apply(&self, writes: impl Iterator<Item = (Key, Option<Entry>)>) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        for (key, entry) in writes {
            match entry {
                Some(entry) => map.insert(key, entry),
                None => map.remove(&key),
            };
        }
    }
}
