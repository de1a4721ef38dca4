//! When indexes of words were packed.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::domain::numbers::CollectionNumber;

/// How many entries the indexes of words had when they were last packed: where there are as many, nothing came since.
#[derive(Debug, Default)]
pub struct PackedWords(Mutex<HashMap<CollectionNumber, usize>>);

impl PackedWords {
    /// Of a collection.
    pub fn of(&self, collection: CollectionNumber) -> Option<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&collection).copied()
    }

    /// Notes it.
    pub fn note(&self, collection: CollectionNumber, entries: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(collection, entries);
    }
}
