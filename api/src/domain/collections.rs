//! Collections: definitions that admins make, and what changing one does to the records under it. A new definition and the
//! records carried over to it are one commit.

mod carry_over;

use common::{
    access::{Action, Caller, Decision},
    change::{Subject, Verb},
    collection::{Collection, Definition, DefinitionPatch},
    field::FieldType,
    id::{CollectionId, Revision},
    name::CollectionName,
    page::Page,
    problem::{FieldError, FieldErrors},
    reader::unchanged,
};
use serde_json::{Value, json};
use store::{Addition, Batch, CommitError, Expect, Reserve, Scan, Snapshot};

use super::{
    core::Core,
    error::{Error, Result},
    journal, keyspace,
    precondition::Precondition,
    quota::MAX_COLLECTIONS,
    retry::Retry,
    schema,
    stage::Stage,
    usage,
};

/// The collections that the caller may list, with how many records they would see.
pub async fn list(core: &Core, caller: &Caller) -> Result<Page<Collection>> {
    let snapshot = core.store.snapshot().await?;
    let mut visible = Vec::new();
    for collection in schema::all(&snapshot).await? {
        if collection.access.decide(Action::List, caller) != Decision::Denied {
            visible.push(for_caller(core, &snapshot, collection, caller).await?);
        }
    }
    Ok(Page::single(visible))
}

/// One definition, for who may list or view its records.
pub async fn get(core: &Core, caller: &Caller, name: &CollectionName) -> Result<Collection> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    if !schema.is_visible(caller) {
        return Err(Error::NotFound);
    }
    for_caller(core, &snapshot, schema.collection.clone(), caller).await
}

/// A definition as the caller sees it: with the number of records that they may list, and without the names of collections that are not
/// there for them.
async fn for_caller(
    core: &Core,
    snapshot: &Snapshot,
    mut collection: Collection,
    caller: &Caller,
) -> Result<Collection> {
    schema::hide_references(core, snapshot, &mut collection.fields, caller).await?;
    let decision = collection.access.decide(Action::List, caller);
    collection.count = schema::count(snapshot, collection.id, decision).await?;
    Ok(collection)
}

/// Makes a collection.
pub async fn create(core: &Core, caller: &Caller, definition: Definition) -> Result<Collection> {
    let snapshot = core.store.snapshot().await?;
    check_references(core, &snapshot, &definition).await?;
    let at = core.timestamp();
    let Definition { name, description, fields, access, sent_back, .. } = definition;
    // Nothing is there yet that could come back.
    unchanged(&sent_back, &Value::Null)?;
    let id = CollectionId::from_uuid(core.ids.next_id());
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
    let change = journal::entry(core, caller, Subject::Collection, &collection.name, Verb::Create)
        .values(Value::Null, json!(collection));
    let mut batch = Batch::new();
    batch
        .expect(key.clone(), Expect::Absent)
        .put(key, serde_json::to_vec(&collection)?)
        .add_up_to(keyspace::collection_count(), [Addition { by: 1, max: MAX_COLLECTIONS }])
        .append(journal::bytes(&change));
    expect_references(&mut batch, &collection);
    match core.store.commit(batch).await {
        Ok(version) => {
            (collection.revision, collection.count) = (Revision(version.get()), Some(0));
            Ok(collection)
        }
        Err(CommitError::Conflict { .. }) => {
            let error = FieldError::new("unique", "A collection of this name exists already.");
            Err(Error::Taken(FieldErrors::of("name", error)))
        }
        Err(error) => Err(usage::commit_error(core, caller, error)),
    }
}

/// The collections that reference fields name must be there, or be this one.
async fn check_references(core: &Core, snapshot: &Snapshot, definition: &Definition) -> Result<()> {
    let mut errors = FieldErrors::new();
    for (i, field) in definition.fields.iter().enumerate() {
        let FieldType::Reference { collection: Some(collection), .. } = &field.kind else { continue };
        if *collection != definition.name && core.schemas.load(snapshot, collection).await?.is_none() {
            let message = format!("There is no collection \"{collection}\".");
            errors.push(format!("fields.{i}.collection"), FieldError::new("does_not_exist", message));
        }
    }
    Ok(errors.or(())?)
}

/// They must still be there when the definition is committed, and whoever deletes one meanwhile must look again.
fn expect_references(batch: &mut Batch, collection: &Collection) {
    for field in &collection.fields {
        if let FieldType::Reference { collection: Some(target), .. } = &field.kind
            && *target != collection.name
        {
            batch.expect(keyspace::collection(target), Expect::Present).add(keyspace::referring_definitions(), 1);
        }
    }
}

/// Defines a collection anew and carries its records over.
pub async fn replace(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    definition: Definition,
    precondition: Option<&Precondition>,
) -> Result<Collection> {
    change(core, caller, name, precondition, |_| Ok(definition.clone())).await
}

/// Changes parts of a definition and carries the records over.
pub async fn update(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    patch: DefinitionPatch,
    precondition: Option<&Precondition>,
) -> Result<Collection> {
    change(core, caller, name, precondition, |collection| Ok(patch.clone().apply(collection))).await
}

async fn change(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    precondition: Option<&Precondition>,
    define: impl Fn(&Collection) -> std::result::Result<Definition, FieldErrors>,
) -> Result<Collection> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let before = core.schemas.find(&snapshot, name, caller).await?;
        let definition = define(&before.collection)?;
        Precondition::check(precondition, before.collection.revision)?;
        if definition.revision.is_some_and(|read| read != before.collection.revision) {
            return Err(Error::Stale);
        }
        before.collection.check_sent_back(&definition.sent_back)?;
        if definition.name != *name {
            let error =
                FieldError::new("read_only", "A collection's name cannot be changed. Make a new collection instead.");
            return Err(FieldErrors::of("name", error).into());
        }
        check_references(core, &snapshot, &definition).await?;
        let Definition { description, fields, access, .. } = definition;
        let after =
            Collection { description, fields, access, updated_at: core.timestamp(), ..before.collection.clone() };
        let key = keyspace::collection(name);
        let entry = journal::entry(core, caller, Subject::Collection, name, Verb::Update)
            .values(json!(before.collection), json!(after));
        let mut batch = Batch::new();
        batch
            .expect(key.clone(), Expect::Version(before.version))
            .put(key, serde_json::to_vec(&after)?)
            .append(journal::bytes(&entry));
        expect_references(&mut batch, &after);
        if after.fields != before.collection.fields {
            batch = carry_over::stage(core, caller, &snapshot, batch, &before, &after).await?;
        }
        if retry.commit(batch).await?.is_some() {
            return get(core, caller, name).await;
        }
    }
}

/// Deletes a collection with all its records, unless another collection refers to it.
pub async fn delete(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    precondition: Option<&Precondition>,
) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        Precondition::check(precondition, schema.collection.revision)?;
        for other in schema::all(&snapshot).await? {
            let refers = |field: &common::field::Field| matches!(&field.kind, FieldType::Reference { collection: Some(collection), .. } if collection == name);
            if let Some(field) = other.fields.iter().find(|field| other.name != *name && refers(field)) {
                let message = format!(
                    "The field \"{}\" of \"{}\" refers to this collection. Remove that field first.",
                    field.name, other.name
                );
                return Err(Error::Conflict(message));
            }
        }
        let entry = journal::entry(core, caller, Subject::Collection, name, Verb::Delete)
            .values(json!(schema.collection), Value::Null);
        let key = keyspace::collection(name);
        let referring = keyspace::referring_definitions();
        let unchanged = snapshot.get(&referring).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        let mut batch = Batch::new();
        batch
            .expect(key.clone(), Expect::Version(schema.version))
            .expect(referring, unchanged)
            .delete(key)
            .add(keyspace::collection_count(), -1)
            .append(journal::bytes(&entry));
        let mut stage = Stage::new(core, caller, batch);
        let id = schema.id();
        for (key, entry) in carry_over::all_records(&snapshot, id).await? {
            stage.delete(&schema, &key, &entry)?;
        }
        let mut batch = stage.finish();
        carry_over::expect_no_new_records(&snapshot, &mut batch, id).await?;
        for prefix in [keyspace::count(id), keyspace::all_referrers(id), keyspace::tombstones(id)] {
            // Deleting its records counts down and notes them as gone; of this collection nothing stays to be counted.
            batch.withdraw(&prefix);
            for (key, _) in snapshot.scan(Scan::prefix(&prefix)).await? {
                batch.delete(key);
            }
        }
        batch.use_reserve(Reserve::Half);
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}
