//! What a store keeps of migrations: what was applied, and how each step is taken back.

use std::fmt::Write as _;

use common::{
    Object,
    id::OperationId,
    migration::{AppliedMigration, MigrationId, MigrationState},
    published::PathDefinition,
    undo::Changed,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Entry, Scan, Snapshot, Version};

use crate::domain::{core::Core, error::Result, keyspace};

/// A migration as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredMigration {
    /// As it is sent.
    #[serde(flatten)]
    pub shown: AppliedMigration,
    /// How its steps are taken back, in their order. Nothing where it was only noted.
    #[serde(default)]
    pub undo: Vec<Undo>,
    /// What is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The commit that wrote it.
    #[serde(skip)]
    pub version: Version,
}

/// Applying a migration, or taking it back: one action after another, each an operation of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// All that is to be done.
    pub actions: Vec<Action>,
    /// What becomes of what was changed since.
    pub changed: Changed,
    /// How each action that was done is taken back.
    pub done: Vec<Undo>,
    /// The operation of the action that is being done. It was noted before that began, so whether it has begun is seen by it.
    pub own: Option<OperationId>,
    /// What the action that is being done is taken back by, where that is not its operation.
    pub path: Option<Undo>,
    /// Why all that was done goes back.
    pub failed: Option<String>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// A step is done.
    Do(Object),
    /// The same, and fields that are new come back with the values that they had.
    Restore(Object),
    /// A step is taken back.
    Undo(Undo),
}

/// How a step is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Undo {
    /// By undoing the operation that did it.
    Operation(OperationId),
    /// By giving a path its former definition; by taking it back where there was none.
    Path {
        /// Its address.
        path: String,
        /// What it was.
        before: Option<Box<PathDefinition>>,
    },
}

impl StoredMigration {
    /// Reads a stored one.
    pub(crate) fn parse(entry: &Entry) -> Result<Self> {
        Ok(Self { version: entry.version, ..serde_json::from_slice(&entry.value)? })
    }

    /// As it is stored.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Which one.
    pub(crate) fn id(&self) -> MigrationId {
        self.shown.migration.id()
    }

    /// Whether it is applied, and nothing is under way.
    pub(crate) fn is_applied(&self) -> bool {
        self.shown.state == MigrationState::Applied
    }
}

/// All of them, in the order in which they were applied.
pub(crate) async fn all(snapshot: &Snapshot) -> Result<Vec<StoredMigration>> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::migrations())).await?;
    let mut found = entries.iter().map(|(_, entry)| StoredMigration::parse(entry)).collect::<Result<Vec<_>>>()?;
    found.sort_by_key(|migration| migration.version);
    Ok(found)
}

/// One of them.
pub(crate) async fn find(core: &Core, id: &MigrationId) -> Result<Option<StoredMigration>> {
    core.store.get(&keyspace::migration(id)).await?.as_ref().map(StoredMigration::parse).transpose()
}

/// Whether an entry can be read: for a check of the store.
pub fn is_readable(entry: &Entry) -> bool {
    StoredMigration::parse(entry).is_ok()
}

/// The digest of what a migration says: whatever form its file has, and in whatever order its members stand there.
pub fn digest(migration: &common::migration::Migration) -> String {
    let steps: Vec<Value> = migration.steps.iter().cloned().map(Value::Object).map(sorted).collect();
    let said = serde_json::json!([migration.id(), migration.after, steps]);
    let hash = Sha256::digest(said.to_string().as_bytes());
    let mut digits = String::with_capacity(2 * hash.len());
    for byte in hash {
        // Writing into a text does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}
