//! What the numbers of collections stand for. A number keeps its collection's id and last name after the collection is gone.

use std::collections::{HashMap, hash_map};

use common::{id::CollectionId, name::CollectionName};
use serde::{Deserialize, Serialize};
use store::Snapshot;

use super::{error::Result, keyspace, numbers::CollectionNumber};

/// What a collection's number stands for, whether or not the collection is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// Its id.
    pub id: CollectionId,
    /// What it is called, or was called last.
    pub name: CollectionName,
}

/// Collections by number, each read once.
#[derive(Default)]
pub struct Directory(HashMap<CollectionNumber, Option<Numbered>>);

impl Directory {
    /// What a number stands for.
    pub async fn find(&mut self, snapshot: &Snapshot, number: CollectionNumber) -> Result<Option<&Numbered>> {
        Ok(match self.0.entry(number) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(unknown) => {
                let entry = snapshot.get(&keyspace::numbered(number)).await?;
                unknown.insert(entry.map(|entry| serde_json::from_slice(&entry.value)).transpose()?)
            }
        }
        .as_ref())
    }
}
