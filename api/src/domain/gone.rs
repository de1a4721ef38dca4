//! Collections that were deleted. Their number outlives them, and under it stands what they were: their records' bytes are removed later,
//! and the deletion may be undone.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use common::{
    id::{CollectionId, OperationId},
    name::CollectionName,
};
use serde::{Deserialize, Serialize};
use store::{Batch, Entry, Expect, Scan, Snapshot, Version};

use super::{
    core::Core,
    error::{Error, Result},
    keyspace,
    numbered::Numbered,
    numbers::CollectionNumber,
    schema::{self, Schema, StoredDefinition},
};

/// A collection that was deleted, as it stands under its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeletedCollectionEntry {
    /// Its id.
    pub id: CollectionId,
    /// What it was called last.
    pub name: CollectionName,
    /// What it was.
    pub gone: DeletedCollection,
}

/// What a deleted collection was, and what is left of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeletedCollection {
    /// Its last definition.
    pub definition: StoredDefinition,
    /// The collections that its reference fields named.
    pub targets: BTreeMap<CollectionName, CollectionNumber>,
    /// What deleted it.
    pub operation: Option<OperationId>,
    /// What is still there.
    pub left: Left,
}

/// What is still there of a deleted collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// Its records, and they count for their owners.
    Counted,
    /// Its records.
    Records,
    /// Nothing but what the journal has.
    Nothing,
}

impl DeletedCollectionEntry {
    /// What becomes of a collection.
    pub fn of(schema: &Schema, operation: Option<OperationId>, left: Left) -> Self {
        let definition = StoredDefinition::new(schema.collection.clone(), schema.keys.clone());
        let targets = schema.targets.iter().map(|(name, number)| (name.clone(), *number)).collect();
        let gone = DeletedCollection { definition, targets, operation, left };
        Self { id: schema.collection.id, name: schema.collection.name.clone(), gone }
    }

    /// Its number.
    pub fn number(&self) -> CollectionNumber {
        self.gone.definition.keys.number
    }

    /// Notes it in a batch, in place of what was read at `version`.
    pub fn stage(&self, batch: &mut Batch, version: Version) -> Result<()> {
        let key = keyspace::numbered(self.number());
        batch.expect(key.clone(), Expect::Version(version)).put(key, serde_json::to_vec(self)?);
        Ok(())
    }

    /// Its definition as it was used. What it refers to is told only where that is still there, and `batch` expects those unchanged: of
    /// what is gone too, nobody counts references.
    pub async fn schema(&self, core: &Core, snapshot: &Snapshot, batch: &mut Batch) -> Result<Schema> {
        let mut targets = HashMap::new();
        for (name, number) in &self.gone.targets {
            if let Some(target) = schema::by_number(&core.schemas, snapshot, *number).await? {
                let key = keyspace::collection(&target.collection.name);
                batch.expect(key, Expect::Version(target.version));
                targets.insert(name.clone(), *number);
            }
        }
        Ok(Schema::new(self.gone.definition.clone(), Version::ZERO, targets))
    }
}

/// What stands under a number that is a deleted collection's; `None` where it is there, or was deleted before anybody noted what it was.
pub fn parse(entry: &Entry) -> Option<DeletedCollectionEntry> {
    serde_json::from_slice(&entry.value).ok()
}

/// The deleted collection of a number, and the version that it was read at.
pub async fn load(snapshot: &Snapshot, number: CollectionNumber) -> Result<Option<(Version, DeletedCollectionEntry)>> {
    let entry = snapshot.get(&keyspace::numbered(number)).await?;
    Ok(entry.and_then(|entry| Some((entry.version, parse(&entry)?))))
}

/// The definition of the collection of a number: the one in force, or the last one of a collection that was deleted.
pub async fn last_schema(core: &Core, snapshot: &Snapshot, number: CollectionNumber) -> Result<Option<Arc<Schema>>> {
    if let Some(schema) = schema::by_number(&core.schemas, snapshot, number).await? {
        return Ok(Some(schema));
    }
    let Some((version, DeletedCollectionEntry { gone, .. })) = load(snapshot, number).await? else { return Ok(None) };
    let DeletedCollection { mut definition, targets, .. } = gone;
    definition.show_ids();
    Ok(Some(Arc::new(Schema::new(definition, version, targets.into_iter().collect()))))
}

/// The version at which the number of a collection stands that is there.
pub async fn version(snapshot: &Snapshot, number: CollectionNumber) -> Result<Version> {
    let entry = snapshot.get(&keyspace::numbered(number)).await?;
    let entry = entry.ok_or_else(|| Error::internal("a collection's number is missing; run coffer check"))?;
    // It must be one.
    let _: Numbered = serde_json::from_slice(&entry.value)?;
    Ok(entry.version)
}

/// All deleted collections, with the versions that they were read at.
pub async fn all(snapshot: &Snapshot) -> std::result::Result<Vec<(Version, DeletedCollectionEntry)>, store::ReadError> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::numbers())).await?;
    Ok(entries.iter().filter_map(|(_, entry)| Some((entry.version, parse(entry)?))).collect())
}

/// All deleted collections of which something is left.
pub async fn leaving(snapshot: &Snapshot) -> std::result::Result<Vec<DeletedCollectionEntry>, store::ReadError> {
    let gone = all(snapshot).await?.into_iter().map(|(_, gone)| gone);
    Ok(gone.filter(|gone| gone.gone.left != Left::Nothing).collect())
}

/// The deleted collections that had a name last, the one that was deleted last first. An error while their records are still being removed.
pub async fn named(snapshot: &Snapshot, name: &CollectionName) -> Result<Vec<(Version, DeletedCollectionEntry)>> {
    let mut found = all(snapshot).await?;
    found.retain(|(_, gone)| gone.name == *name);
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    match found.iter().find(|(_, gone)| gone.gone.left != Left::Nothing) {
        Some((_, DeletedCollectionEntry { gone: DeletedCollection { operation: Some(operation), .. }, .. })) => {
            Err(Error::RemovalUnderWay(*operation))
        }
        _ => Ok(found),
    }
}
