//! Removing what indexes left that are gone. An entry that referred to a record counts there until it is removed.

use serde::{Deserialize, Serialize};
use store::{Expect, Scan, Snapshot};

use super::piece::{Budget, Piece, Steps};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    numbers::{CollectionNumber, Retired},
    schema::{self, StoredDefinition},
};

/// Removes the entries of all indexes that are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct SweepIndexes {}

impl Steps for SweepIndexes {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        let mut piece = Piece::default();
        let mut all = schema::all(&snapshot);
        let definition = loop {
            match all.next().await? {
                Some(definition) if definition.keys.retired.is_empty() => {}
                Some(definition) => break definition,
                None => {
                    piece.is_last = true;
                    return Ok(piece);
                }
            }
        };
        let number = definition.keys.number;
        let Some(&retired) = definition.keys.retired.first() else { return Ok(piece) };
        if !remove_index(core, &snapshot, number, &retired, &mut piece, budget).await? {
            return Ok(piece);
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

/// Removes entries of an index that is gone. Says whether all are.
pub(super) async fn remove_index(
    core: &Core,
    snapshot: &Snapshot,
    collection: CollectionNumber,
    retired: &Retired,
    piece: &mut Piece,
    budget: &mut Budget<'_>,
) -> Result<bool> {
    let prefix = if retired.unique {
        keyspace::rule(collection, retired.number)
    } else {
        keyspace::index(collection, retired.number)
    };
    // References to a deleted collection are not counted.
    let target = match retired.target {
        Some(target) => schema::by_number(&core.schemas, snapshot, target).await?,
        None => None,
    };
    if let Some(target) = &target {
        piece.batch.expect(keyspace::collection(&target.collection.name), Expect::Version(target.version));
    }
    let begin = Scan::prefix(&prefix);
    let mut scan = begin.clone();
    loop {
        let found = budget.scan(snapshot, scan).await?.entries;
        let Some((last, _)) = found.last() else { return Ok(true) };
        scan = begin.clone().after(last);
        for (key, entry) in found {
            piece.done += 1;
            if let (Some(target), Some(id)) = (&target, keyspace::indexed_id(&key)) {
                piece.batch.add(keyspace::referrers(target.number(), id), -1);
            }
            budget.spend(key.as_bytes().len());
            piece.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
            if budget.is_spent() {
                return Ok(false);
            }
        }
    }
}
