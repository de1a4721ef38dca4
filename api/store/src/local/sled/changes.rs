//! What is written into the database.

use ::sled::{Batch, IVec};

/// What is written into a database, and under which keys if somebody wants to know.
pub(super) struct Changes {
    pub batch: Batch,
    pub keys: Option<Vec<Vec<u8>>>,
}

impl Changes {
    pub(super) fn insert(&mut self, key: &[u8], value: impl Into<IVec>) {
        self.note(key);
        self.batch.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        self.note(key);
        self.batch.remove(key);
    }

    fn note(&mut self, key: &[u8]) {
        if let Some(keys) = &mut self.keys {
            keys.push(key.to_vec());
        }
    }
}
