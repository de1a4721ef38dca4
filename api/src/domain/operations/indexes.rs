//! Removing what indexes left that are gone. An entry that referred to a record counts there until it is removed.

use serde::{Deserialize, Serialize};
use store::{Expect, Key, Scan};

use super::piece::{Budget, Piece, Steps};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    numbers::Retired,
    schema::{self, StoredDefinition},
};

/// Entries that are read at once.
const CHUNK: usize = 128;

/// Removes the entries of all indexes that are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct SweepIndexes {}

impl Steps for SweepIndexes {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        let mut piece = Piece::default();
        let all = schema::all(&snapshot).await?;
        let Some(definition) = all.into_iter().find(|definition| !definition.keys.retired.is_empty()) else {
            piece.is_last = true;
            return Ok(piece);
        };
        let number = definition.keys.number;
        let Some(&retired) = definition.keys.retired.first() else { return Ok(piece) };
        let prefix = if retired.unique {
            keyspace::rule(number, retired.number)
        } else {
            keyspace::index(number, retired.number)
        };
        let mut scan = Scan::prefix(&prefix).limit(CHUNK);
        loop {
            let found = snapshot.scan(scan.clone()).await?;
            let is_end = found.len() < CHUNK;
            for (key, entry) in found {
                piece.done += 1;
                if let Some(target) = target(&retired, &key) {
                    piece.batch.add(target, -1);
                }
                piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key.clone());
                budget.spend(key.as_bytes().len());
                scan = Scan::prefix(&prefix).limit(CHUNK).after(&key);
                if budget.is_spent() {
                    return Ok(piece);
                }
            }
            if is_end {
                break;
            }
        }
        // All of it is gone.
        let key = keyspace::collection(&definition.collection.name);
        let version = definition.version;
        let shown = Some(definition.collection.revision);
        let mut definition = StoredDefinition { shown, ..definition };
        definition.keys.retired.retain(|known| known.number != retired.number);
        piece.batch.expect(key.clone(), Expect::Version(version)).put(key, serde_json::to_vec(&definition)?);
        Ok(piece)
    }
}

/// Where the record that an entry referred to is counted.
fn target(retired: &Retired, key: &Key) -> Option<Key> {
    Some(keyspace::referrers(retired.target?, keyspace::indexed_id(key)?))
}
