//! Definitions of collections as requests use them: looked up by name, and parsed once for each version. How they are made and
//! changed is in `collections`.

use std::{collections::HashMap, sync::Arc};

use common::{
    access::{Action, Caller, Decision},
    collection::Collection,
    field::{Field, FieldType},
    id::{CollectionId, Revision},
    name::CollectionName,
};
use quick_cache::sync::Cache;
use store::{Entry, Scan, Snapshot, Version, counter};

use super::{
    core::Core,
    error::{AuthError, Error, Result},
    keyspace,
};

/// How many definitions are kept.
const MAX_SCHEMAS: usize = 1024;

/// A definition as requests use it: parsed once for each version.
#[derive(Debug)]
pub struct Schema {
    /// What is stored, with `revision` set.
    pub collection: Collection,
    /// The commit that wrote it.
    pub version: Version,
    /// The ids of the collections that its reference fields name.
    pub targets: HashMap<CollectionName, CollectionId>,
}

impl Schema {
    /// The collection's id.
    pub fn id(&self) -> CollectionId {
        self.collection.id
    }

    /// Whether the caller may do `action`, and to which records. A caller who may not even look does not learn that it exists.
    pub fn authorize(&self, action: Action, caller: &Caller) -> Result<Decision> {
        let rules = &self.collection.access;
        match (rules.decide(action, caller), caller) {
            (Decision::Denied, Caller::Anonymous) => Err(AuthError::Missing.into()),
            (Decision::Denied, _) if !self.is_visible(caller) => Err(Error::NotFound),
            (Decision::Denied, _) if rules.is_nobodys(action) => {
                Err(Error::NobodyMay(Action::ALL.into_iter().filter(|action| rules.is_nobodys(*action)).collect()))
            }
            (Decision::Denied, _) => Err(Error::Denied),
            (decision, _) => Ok(decision),
        }
    }

    /// Whether the caller may list or view its records, all or some.
    pub fn is_visible(&self, caller: &Caller) -> bool {
        let rules = &self.collection.access;
        [Action::List, Action::View].iter().any(|action| rules.decide(*action, caller) != Decision::Denied)
    }
}

/// Definitions by name, parsed, each with the last change of any definition when it was read.
#[derive(Debug)]
pub struct Schemas(Cache<CollectionName, (Version, Arc<Schema>)>);

impl Default for Schemas {
    fn default() -> Self {
        Self(Cache::new(MAX_SCHEMAS))
    }
}

impl Schemas {
    /// The definition of this name as of `snapshot`.
    pub async fn load(&self, snapshot: &Snapshot, name: &CollectionName) -> Result<Option<Arc<Schema>>> {
        let as_of = snapshot.last_change(keyspace::COLLECTIONS);
        if let Some((_, schema)) = self.0.get(name).filter(|(then, _)| *then == as_of) {
            return Ok(Some(schema));
        }
        let Some(entry) = snapshot.get(&keyspace::collection(name)).await? else { return Ok(None) };
        let collection = parse(&entry)?;
        let named = collection.fields.iter().filter_map(|field| match &field.kind {
            FieldType::Reference { collection, .. } => collection.as_ref(),
            _ => None,
        });
        let named: Vec<_> = named.cloned().collect();
        let keys: Vec<_> = named.iter().map(keyspace::collection).collect();
        let mut targets = HashMap::new();
        for (target, entry) in named.into_iter().zip(snapshot.get_many(&keys).await?) {
            if let Some(entry) = entry {
                targets.insert(target, parse(&entry)?.id);
            }
        }
        let schema = Arc::new(Schema { collection, version: entry.version, targets });
        self.0.insert(name.clone(), (as_of, Arc::clone(&schema)));
        Ok(Some(schema))
    }

    /// The definition of this name for a caller: one that is not there looks like one that they may not see.
    pub async fn find(&self, snapshot: &Snapshot, name: &CollectionName, caller: &Caller) -> Result<Arc<Schema>> {
        match (self.load(snapshot, name).await?, caller) {
            (Some(schema), _) => Ok(schema),
            (None, Caller::Anonymous) => Err(AuthError::Missing.into()),
            (None, _) => Err(Error::NotFound),
        }
    }
}

fn parse(entry: &Entry) -> Result<Collection> {
    let mut collection: Collection = serde_json::from_slice(&entry.value)?;
    collection.revision = Revision(entry.version.get());
    Ok(collection)
}

/// All definitions, by name.
pub async fn all(snapshot: &Snapshot) -> Result<Vec<Collection>> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::collections())).await?;
    entries.iter().map(|(_, entry)| parse(entry)).collect()
}

/// Leaves out which collection a reference field refers to where that is not there for the caller.
pub async fn hide_references(core: &Core, snapshot: &Snapshot, fields: &mut [Field], caller: &Caller) -> Result<()> {
    for field in fields {
        let FieldType::Reference { collection, .. } = &mut field.kind else { continue };
        let Some(name) = &*collection else { continue };
        if !core.schemas.load(snapshot, name).await?.is_some_and(|schema| schema.is_visible(caller)) {
            *collection = None;
        }
    }
    Ok(())
}

/// How many records a decision covers, from the kept counts; `None` where it covers none at all.
pub async fn count(snapshot: &Snapshot, id: CollectionId, decision: Decision) -> Result<Option<u64>> {
    let key = match decision {
        Decision::All => keyspace::count(id),
        Decision::Own(user) => keyspace::owned_count(id, Some(user)),
        Decision::Denied => return Ok(None),
    };
    let count = snapshot.get(&key).await?.as_ref().and_then(counter).unwrap_or(0);
    Ok(Some(u64::try_from(count).unwrap_or(0)))
}
