//! The backend that keeps nothing: a map in memory. It is the oracle that tests compare the others
//! with, and the quick store of tests that are about something else.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{PoisonError, RwLock},
};

use super::page::PageRequest;
use crate::{Direction, Entry, Key};

#[derive(Default)]
pub(super) struct Memory {
    map: RwLock<BTreeMap<Key, Entry>>,
}

impl Memory {
    pub(super) fn get(&self, key: &Key) -> Option<Entry> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn read(&self, request: &PageRequest<'_>) -> Vec<(Key, Entry)> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let range = map.range::<Key, _>((request.from, request.to));
        let entries = range.map(|(key, entry)| Ok::<_, Infallible>((key.clone(), entry.clone())));
        let Ok(page) = match request.direction {
            Direction::Forward => request.take(entries),
            Direction::Backward => request.take(entries.rev()),
        };
        page
    }

    pub(super) fn apply(&self, writes: &[(Key, Option<Entry>)]) {
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        for (key, entry) in writes {
            match entry {
                Some(entry) => map.insert(key.clone(), entry.clone()),
                None => map.remove(key),
            };
        }
    }
}
