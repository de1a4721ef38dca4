//! When indexes of words were packed.

use quick_cache::sync::Cache;

use crate::domain::numbers::CollectionNumber;

/// Collections of which this is remembered; of another it is looked at again.
const KEPT: usize = 1000;

/// How many entries the indexes of words had when they were last packed: where there are as many, nothing came since.
#[derive(Debug)]
pub struct PackedWords(Cache<CollectionNumber, usize>);

impl Default for PackedWords {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl PackedWords {
    /// Of a collection.
    pub fn of(&self, collection: CollectionNumber) -> Option<usize> {
        self.0.get(&collection)
    }

    /// Notes it.
    pub fn note(&self, collection: CollectionNumber, entries: usize) {
        self.0.insert(collection, entries);
    }
}
