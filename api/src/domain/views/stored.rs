//! A view as it is stored: what was said of it, and the ids of what its names were then.

use std::collections::BTreeMap;

use common::{
    id::{FieldId, UserId, ViewId},
    view::{ViewDefinition, first_name},
};
use serde::{Deserialize, Serialize};
use store::{Batch, Entry, Expect, Key, Scan, Snapshot, Version};

use crate::domain::{
    error::{Error, Result},
    keyspace,
    numbers::CollectionNumber,
    schema::Schema,
};

/// Views of one user at most.
pub(super) const MAX_OF_USER: usize = 100;
/// Views of one collection at most: it takes them along when it goes.
pub(super) const MAX_OF_COLLECTION: usize = 1000;

/// A view.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::domain) struct StoredView {
    /// Which.
    pub id: ViewId,
    /// What was said of it.
    pub definition: ViewDefinition,
    /// The collection that it shows.
    pub collection: common::id::CollectionId,
    /// That collection in keys.
    pub number: CollectionNumber,
    /// The fields that it names.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldId>,
    /// Who keeps it.
    pub owner: UserId,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// The commit that wrote it.
    #[serde(skip)]
    pub version: Version,
}

impl StoredView {
    /// Reads a stored view.
    pub(in crate::domain) fn read(entry: &Entry) -> Result<Self> {
        Ok(Self { version: entry.version, ..serde_json::from_slice(&entry.value)? })
    }

    /// What it is found by.
    pub(in crate::domain) fn found_by(&self) -> [Key; 2] {
        let shared = self.definition.shared;
        [keyspace::view_of(self.owner, self.id), keyspace::view_in(self.number, shared, self.id)]
    }

    /// Takes it out of the store.
    pub(super) fn remove(&self, batch: &mut Batch) {
        for key in self.found_by().into_iter().chain([keyspace::view(self.id)]) {
            batch.delete(key);
        }
    }

    /// What was said of it, by the names of today, and the names that are gone.
    pub(super) fn today(&self, schema: &Schema) -> (ViewDefinition, Vec<String>) {
        let fields = &schema.collection.fields;
        let named = |path: &str| Some(first_name(path, |name| self.fields.contains_key(name))?.to_owned());
        let now = |name: &str| {
            let id = self.fields.get(name)?;
            fields.iter().find(|field| field.id == Some(*id)).map(|field| field.name.to_string())
        };
        let mut gone: Vec<String> = self.definition.names().iter().filter_map(|path| named(path)).collect();
        gone.retain(|name| now(name).is_none());
        gone.sort_unstable();
        gone.dedup();
        // What was said of a field that is gone is not said of another that has its name now.
        let of_none = |name: &str| {
            let mut free = format!("{name}_gone");
            while schema.collection.field(&free).is_some() {
                free.push('_');
            }
            schema.collection.field(name).map(|_| free)
        };
        let mut definition = self.definition.renamed(|path| {
            let found = named(path).and_then(|name| Some((now(&name).or_else(|| of_none(&name))?, name.len())));
            found.map_or_else(|| path.to_owned(), |(today, length)| format!("{today}{}", &path[length..]))
        });
        definition.collection = schema.collection.name.clone();
        (definition, gone)
    }
}

/// The ids of the fields that a view names.
pub(super) fn fields_of(definition: &ViewDefinition, schema: &Schema) -> BTreeMap<String, FieldId> {
    let collection = &schema.collection;
    let field = |path: &String| {
        let name = first_name(path, |name| collection.field(name).is_some())?;
        Some((name.to_owned(), collection.field(name)?.id?))
    };
    definition.names().iter().filter_map(field).collect()
}

/// The view that a key is of; `None` for what views are found by.
pub(in crate::domain) fn id_of(key: &Key) -> Option<ViewId> {
    let mut elements = key.elements();
    elements.space().ok()?;
    elements.uuid().ok().map(ViewId::from_uuid)
}

/// A view of this id, whoever asks.
pub(super) async fn find(snapshot: &Snapshot, id: ViewId) -> Result<StoredView> {
    let entry = snapshot.get(&keyspace::view(id)).await?.ok_or(Error::NotFound)?;
    StoredView::read(&entry)
}

/// The ids under a prefix of what views are found by, in the order of their creation.
pub(super) async fn ids(snapshot: &Snapshot, prefix: &Key) -> Result<Vec<ViewId>> {
    let found = snapshot.scan(Scan::prefix(prefix)).await?;
    let id = |key: &Key| keyspace::last_id(key).map(|id| ViewId::from_uuid(id.bits()));
    Ok(found.iter().filter_map(|(key, _)| id(key)).collect())
}

/// These views.
pub(super) async fn load(snapshot: &Snapshot, ids: &[ViewId]) -> Result<Vec<StoredView>> {
    let keys: Vec<Key> = ids.iter().map(|id| keyspace::view(*id)).collect();
    let entries = snapshot.get_many(&keys).await?;
    entries.iter().flatten().map(StoredView::read).collect()
}

/// Has other changes of views that come first be looked at again: they are bounded together.
pub(super) async fn expect_unchanged(snapshot: &Snapshot, batch: &mut Batch) -> Result<()> {
    let changes = keyspace::view_changes();
    let unchanged = snapshot.get(&changes).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch.expect(changes.clone(), unchanged).add(changes, 1);
    Ok(())
}
