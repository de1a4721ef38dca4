//! Collections: definitions that admins make, and what changing one does to the records under it. A new definition and the
//! records carried over to it are one commit.

mod carry_over;

use std::{collections::HashMap, sync::Arc};

use common::{
    access::{Action, Caller, Decision},
    change::Subject,
    collection::{Collection, Definition, DefinitionPatch},
    field::FieldType,
    id::{CollectionId, Revision},
    name::CollectionName,
    page::Page,
    problem::{FieldError, FieldErrors},
    reader::unchanged,
};
use serde_json::{Value, json};

use super::{App, Error, Result, error::AuthError, journal, keyspace, records::stage::Stage, usage};
use crate::{
    bounded::Bounded,
    store::{Addition, Batch, CommitError, Entry, Expect, Scan, Snapshot, Version, counter},
};

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

    /// Whether the caller may do `action`, and to which records. Who may not even look does not learn that it exists.
    pub fn authorize(&self, action: Action, caller: &Caller) -> Result<Decision> {
        let rules = &self.collection.access;
        match (rules.decide(action, caller), caller) {
            (Decision::Denied, Caller::Anonymous) => Err(AuthError::Missing.into()),
            (Decision::Denied, _) if self.is_visible(caller) => Err(Error::Denied),
            (Decision::Denied, _) => Err(Error::NotFound),
            (decision, _) => Ok(decision),
        }
    }

    fn is_visible(&self, caller: &Caller) -> bool {
        let rules = &self.collection.access;
        [Action::List, Action::View].iter().any(|action| rules.decide(*action, caller) != Decision::Denied)
    }
}

/// Parsed definitions by name, each with the last change of any definition when it was read.
pub type Cache = Bounded<CollectionName, (Version, Arc<Schema>), 1024>;

/// The definition of this name as of `snapshot`.
pub async fn load(app: &App, snapshot: &Snapshot, name: &CollectionName) -> Result<Option<Arc<Schema>>> {
    let as_of = snapshot.last_change(keyspace::COLLECTIONS);
    if let Some((_, schema)) = app.collections.get(name).filter(|(then, _)| *then == as_of) {
        return Ok(Some(schema));
    }
    let Some(entry) = snapshot.get(&keyspace::collection(name)).await? else { return Ok(None) };
    let collection = parse(&entry)?;
    let mut targets = HashMap::new();
    for field in &collection.fields {
        let FieldType::Reference { collection: target, .. } = &field.kind else { continue };
        if let Some(entry) = snapshot.get(&keyspace::collection(target)).await? {
            targets.insert(target.clone(), parse(&entry)?.id);
        }
    }
    let schema = Arc::new(Schema { collection, version: entry.version, targets });
    app.collections.put(name.clone(), (as_of, Arc::clone(&schema)));
    Ok(Some(schema))
}

/// The definition of this name for a caller: one that is not there looks like one that they may not see.
pub async fn find(app: &App, snapshot: &Snapshot, name: &CollectionName, caller: &Caller) -> Result<Arc<Schema>> {
    match (load(app, snapshot, name).await?, caller) {
        (Some(schema), _) => Ok(schema),
        (None, Caller::Anonymous) => Err(AuthError::Missing.into()),
        (None, _) => Err(Error::NotFound),
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

/// The collections that the caller may list, with how many records they would see.
pub async fn list(app: &App, caller: &Caller) -> Result<Page<Collection>> {
    let snapshot = app.store.snapshot();
    let mut visible = Vec::new();
    for collection in all(&snapshot).await? {
        if collection.access.decide(Action::List, caller) != Decision::Denied {
            visible.push(with_count(&snapshot, collection, caller).await?);
        }
    }
    Ok(Page::single(visible))
}

/// One definition, for who may list or view its records.
pub async fn get(app: &App, caller: &Caller, name: &CollectionName) -> Result<Collection> {
    let snapshot = app.store.snapshot();
    let schema = find(app, &snapshot, name, caller).await?;
    if !schema.is_visible(caller) {
        return Err(Error::NotFound);
    }
    with_count(&snapshot, schema.collection.clone(), caller).await
}

async fn with_count(snapshot: &Snapshot, mut collection: Collection, caller: &Caller) -> Result<Collection> {
    let decision = collection.access.decide(Action::List, caller);
    collection.count = count(snapshot, collection.id, decision).await?;
    Ok(collection)
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

/// Makes a collection.
pub async fn create(app: &App, caller: &Caller, definition: Definition) -> Result<Collection> {
    let snapshot = app.store.snapshot();
    check_references(app, &snapshot, &definition).await?;
    let at = app.timestamp();
    let Definition { name, description, fields, access, sent_back, .. } = definition;
    // Nothing is there yet that could come back.
    unchanged(&sent_back, &Value::Null)?;
    let id = CollectionId::from_uuid(app.ids.next_id());
    let mut collection = Collection {
        id,
        name,
        description,
        fields,
        access,
        created_at: at.clone(),
        updated_at: at,
        revision: Revision(0),
        count: None,
    };
    let key = keyspace::collection(&collection.name);
    let change = journal::entry(app, caller, Subject::Collection, &collection.name, "create")
        .values(Value::Null, json!(collection));
    let batch = Batch::new()
        .expect(key.clone(), Expect::Absent)
        .put(key, serde_json::to_vec(&collection)?)
        .add_up_to(keyspace::collection_count(), [Addition { by: 1, max: usage::MAX_COLLECTIONS }])
        .append(journal::bytes(&change));
    match app.store.commit(expect_references(batch, &collection)).await {
        Ok(version) => {
            (collection.revision, collection.count) = (Revision(version.get()), Some(0));
            Ok(collection)
        }
        Err(CommitError::Conflict { .. }) => {
            let error = FieldError::new("unique", "A collection of this name exists already.");
            Err(Error::Taken(FieldErrors::of("name", error)))
        }
        Err(error) => Err(usage::commit_error(app, caller, error)),
    }
}

/// The collections that reference fields name must be there, or be this one.
async fn check_references(app: &App, snapshot: &Snapshot, definition: &Definition) -> Result<()> {
    let mut errors = FieldErrors::new();
    for (i, field) in definition.fields.iter().enumerate() {
        let FieldType::Reference { collection, .. } = &field.kind else { continue };
        if *collection != definition.name && load(app, snapshot, collection).await?.is_none() {
            let message = format!("There is no collection \"{collection}\".");
            errors.push(format!("fields.{i}.collection"), FieldError::new("does_not_exist", message));
        }
    }
    Ok(errors.or(())?)
}

/// They must still be there when the definition is committed, and whoever deletes one meanwhile must look again.
fn expect_references(mut batch: Batch, collection: &Collection) -> Batch {
    for field in &collection.fields {
        if let FieldType::Reference { collection: target, .. } = &field.kind
            && *target != collection.name
        {
            batch =
                batch.expect(keyspace::collection(target), Expect::Present).add(keyspace::referring_definitions(), 1);
        }
    }
    batch
}

/// Defines a collection anew and carries its records over.
pub async fn replace(
    app: &App,
    caller: &Caller,
    name: &CollectionName,
    definition: Definition,
    expected: Option<Revision>,
) -> Result<Collection> {
    change(app, caller, name, expected, |_| Ok(definition.clone())).await
}

/// Changes parts of a definition and carries the records over.
pub async fn update(
    app: &App,
    caller: &Caller,
    name: &CollectionName,
    patch: DefinitionPatch,
    expected: Option<Revision>,
) -> Result<Collection> {
    change(app, caller, name, expected, |collection| patch.clone().apply(collection)).await
}

async fn change(
    app: &App,
    caller: &Caller,
    name: &CollectionName,
    expected: Option<Revision>,
    define: impl Fn(&Collection) -> std::result::Result<Definition, FieldErrors>,
) -> Result<Collection> {
    let mut tries = app.tries();
    loop {
        let snapshot = app.store.snapshot();
        let before = find(app, &snapshot, name, caller).await?;
        let definition = define(&before.collection)?;
        if [expected, definition.revision].into_iter().flatten().any(|revision| revision != before.collection.revision)
        {
            return Err(Error::Stale);
        }
        before.collection.check_sent_back(&definition.sent_back)?;
        if definition.name != *name {
            let error =
                FieldError::new("read_only", "A collection's name cannot be changed. Make a new collection instead.");
            return Err(FieldErrors::of("name", error).into());
        }
        check_references(app, &snapshot, &definition).await?;
        let Definition { description, fields, access, .. } = definition;
        let after =
            Collection { description, fields, access, updated_at: app.timestamp(), ..before.collection.clone() };
        let key = keyspace::collection(name);
        let entry = journal::entry(app, caller, Subject::Collection, name, "update")
            .values(json!(before.collection), json!(after));
        let batch = Batch::new()
            .expect(key.clone(), Expect::Version(before.version))
            .put(key, serde_json::to_vec(&after)?)
            .append(journal::bytes(&entry));
        let batch = expect_references(batch, &after);
        let batch = if after.fields == before.collection.fields {
            batch
        } else {
            carry_over::stage(app, caller, &snapshot, batch, &before, &after).await?
        };
        if tries.commit(batch).await?.is_some() {
            return get(app, caller, name).await;
        }
    }
}

/// Deletes a collection with all its records, unless another collection refers to it.
pub async fn delete(app: &App, caller: &Caller, name: &CollectionName, expected: Option<Revision>) -> Result<()> {
    let mut tries = app.tries();
    loop {
        let snapshot = app.store.snapshot();
        let schema = find(app, &snapshot, name, caller).await?;
        if expected.is_some_and(|revision| revision != schema.collection.revision) {
            return Err(Error::Stale);
        }
        for other in all(&snapshot).await? {
            let refers = |field: &common::field::Field| matches!(&field.kind, FieldType::Reference { collection, .. } if collection == name);
            if let Some(field) = other.fields.iter().find(|field| other.name != *name && refers(field)) {
                let message = format!(
                    "The field \"{}\" of \"{}\" refers to this collection. Remove that field first.",
                    field.name, other.name
                );
                return Err(Error::Conflict(message));
            }
        }
        let entry = journal::entry(app, caller, Subject::Collection, name, "delete")
            .values(json!(schema.collection), Value::Null);
        let key = keyspace::collection(name);
        let referring = keyspace::referring_definitions();
        let unchanged = snapshot.get(&referring).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        let batch = Batch::new()
            .expect(key.clone(), Expect::Version(schema.version))
            .expect(referring, unchanged)
            .delete(key)
            .add(keyspace::collection_count(), -1)
            .append(journal::bytes(&entry));
        let mut stage = Stage::new(app, caller, batch);
        let id = schema.id();
        for (key, entry) in carry_over::all_records(&snapshot, id).await? {
            stage.delete(&schema, &key, &entry)?;
        }
        let mut batch = carry_over::expect_no_new_records(&snapshot, stage.finish(), id).await?;
        for prefix in [keyspace::count(id), keyspace::all_referrers(id), keyspace::all_gone(id)] {
            // Deleting its records counts down and notes them as gone; of this collection nothing stays to be counted.
            batch = batch.without(&prefix);
            for (key, _) in snapshot.scan(Scan::prefix(&prefix)).await? {
                batch = batch.delete(key);
            }
        }
        if tries.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}
