//! A path as it is stored: what was said of it, and the ids of what its names were then.

use std::collections::BTreeMap;

use common::{
    id::{CollectionId, FieldId, PathId},
    published::PathDefinition,
};
use serde::{Deserialize, Serialize};
use store::{Entry, Scan, Snapshot, Version};

use crate::domain::{
    error::{Error, Result},
    keyspace,
};

/// Published paths at most: every request looks through them.
pub const MAX_PATHS: usize = 500;

/// A path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredPath {
    /// Which.
    pub id: PathId,
    /// What was said of it.
    pub definition: PathDefinition,
    /// The collection that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionId>,
    /// What each source in the definition leads through.
    #[serde(default)]
    pub sources: BTreeMap<String, Vec<Step>>,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// The commit that wrote it.
    #[serde(skip)]
    pub version: Version,
}

/// One part of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// A member that the server owns, or the name of an owner.
    Server(String),
    /// A field of the collection that the way has come to.
    Field(FieldId),
    /// What refers to the record: the records of a collection, by a field of theirs.
    Referrers(CollectionId, FieldId),
}

impl StoredPath {
    /// Reads a stored path.
    pub(super) fn read(entry: &Entry) -> Result<Self> {
        Ok(Self { version: entry.version, ..serde_json::from_slice(&entry.value)? })
    }
}

/// All paths, in the order in which they were published.
pub(super) async fn all(snapshot: &Snapshot) -> Result<Vec<StoredPath>> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::paths())).await?;
    entries.iter().map(|(_, entry)| StoredPath::read(entry)).collect()
}

/// One path.
pub(super) async fn find(snapshot: &Snapshot, id: PathId) -> Result<StoredPath> {
    let entry = snapshot.get(&keyspace::path(id)).await?.ok_or(Error::NotFound)?;
    StoredPath::read(&entry)
}
