//! Removing what indexes left that are gone. An entry that referred to a record counts there until it is removed.

use serde::{Deserialize, Serialize};
use store::Expect;

use super::{
    delete_collection::remove_index,
    piece::{Budget, Piece, Steps},
};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    schema::{self, StoredDefinition},
};

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
        if !remove_index(core, &snapshot, (number, &retired), &mut piece, budget).await? {
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
