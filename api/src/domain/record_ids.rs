//! The numbers that this process has reserved for new records, by collection. How they come here is in `new_ids`.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use quick_cache::sync::Cache;
use store::Version;
use tokio::sync::Mutex as Turn;

use super::numbers::CollectionNumber;

/// Numbers of the first block: each is twice as large as the one before.
const FIRST_BLOCK: i64 = 16;

/// Numbers that are reserved.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The next one that is given.
    pub next: i64,
    /// The last one.
    pub last: i64,
    /// The commit that reserved them. Once there is a later one, no more of them are given.
    pub version: Version,
}

impl Block {
    /// Whether a number may still be given.
    pub fn holds(&self, number: i64) -> bool {
        (self.next..=self.last).contains(&number)
    }
}

/// What one collection has.
#[derive(Debug)]
pub struct Reserved {
    block: Mutex<Block>,
    /// How many the next block has. Who holds it reserves for all who wait.
    pub size: Turn<i64>,
}

impl Reserved {
    /// The block as it is.
    pub fn block(&self) -> Block {
        *self.block.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts another in its place.
    pub fn set(&self, block: Block) {
        *self.block.lock().unwrap_or_else(PoisonError::into_inner) = block;
    }

    /// Takes the next number, if `version` is the last commit that reserved any.
    pub fn take(&self, version: Version) -> Option<i64> {
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = block.version == version && block.next <= block.last;
        is_there.then(|| {
            block.next += 1;
            block.next - 1
        })
    }
}

/// The blocks of collections. One that is forgotten wastes the numbers that are left of it, and no number is given twice: each is reserved by a
/// commit.
#[derive(Debug)]
pub struct RecordIds(Cache<CollectionNumber, Arc<Reserved>>);

/// Collections whose blocks are kept.
const KEPT: usize = 1000;

impl Default for RecordIds {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl RecordIds {
    /// Those of a collection.
    pub fn of(&self, collection: CollectionNumber) -> Arc<Reserved> {
        let none = || {
            let block = Block { next: 1, last: 0, version: Version::ZERO };
            Ok::<_, Infallible>(Arc::new(Reserved { block: Mutex::new(block), size: Turn::new(FIRST_BLOCK) }))
        };
        match self.0.get_or_insert_with(&collection, none) {
            Ok(reserved) => reserved,
            Err(never) => match never {},
        }
    }
}
