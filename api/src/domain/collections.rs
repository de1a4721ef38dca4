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
use store::{Addition, Batch, Expect, Reserve, Scan, Snapshot, counter};

use super::{
    core::Core,
    error::{Error, Result},
    journal, keyspace,
    numbers::{CollectionNumber, Keys},
    precondition::Precondition,
    quota::MAX_COLLECTIONS,
    retry::Retry,
    schema::{self, StoredDefinition},
    stage::Stage,
};

/// The collections that the caller may list, with how many records they would see.
pub async fn list(core: &Core, caller: &Caller) -> Result<Page<Collection>> {
    let snapshot = core.store.snapshot().await?;
    let mut visible = Vec::new();
    for StoredDefinition { collection, keys } in schema::all(&snapshot).await? {
        if collection.access.decide(Action::List, caller) != Decision::Denied {
            visible.push(for_caller(core, &snapshot, collection, keys.number, caller).await?);
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
    for_caller(core, &snapshot, schema.collection.clone(), schema.number(), caller).await
}

/// A definition as the caller sees it: with the number of records that they may list, and without the names of collections that are not
/// there for them.
async fn for_caller(
    core: &Core,
    snapshot: &Snapshot,
    mut collection: Collection,
    number: CollectionNumber,
    caller: &Caller,
) -> Result<Collection> {
    schema::hide_references(core, snapshot, &mut collection.fields, caller).await?;
    let decision = collection.access.decide(Action::List, caller);
    collection.count = schema::count(&core.owners, snapshot, number, decision).await?;
    Ok(collection)
}

/// Makes a collection.
pub async fn create(core: &Core, caller: &Caller, definition: Definition) -> Result<Collection> {
    // Nothing is there yet that could come back.
    unchanged(&definition.sent_back, &Value::Null)?;
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        check_references(core, &snapshot, &definition).await?;
        if core.schemas.load(&snapshot, &definition.name).await?.is_some() {
            let error = FieldError::new("unique", "A collection of this name exists already.");
            return Err(Error::Taken(FieldErrors::of("name", error)));
        }
        let (mut collection, batch) = stage_create(core, caller, &snapshot, definition.clone()).await?;
        if let Some(version) = retry.commit_for(caller, batch).await? {
            (collection.revision, collection.count) = (Revision(version.get()), Some(0));
            return Ok(collection);
        }
    }
}

async fn stage_create(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    definition: Definition,
) -> Result<(Collection, Batch)> {
    let at = core.timestamp();
    let Definition { name, description, fields, access, .. } = definition;
    let collection = Collection {
        id: CollectionId::from_uuid(core.ids.next_id()),
        name,
        description,
        fields,
        access,
        created_at: at.clone(),
        updated_at: at,
        revision: Revision(0),
        count: None,
    };
    let last = keyspace::last_collection();
    let given = snapshot.get(&last).await?;
    let number = match given.as_ref().map_or(Some(0), counter).and_then(|given| u32::try_from(given).ok()) {
        Some(given) => CollectionNumber(given + 1),
        None => return Err(Error::internal("the last collection's number cannot be read; run coffer check")),
    };
    let keys = Keys::new(number, &collection, &mut || core.ids.next_id());
    let key = keyspace::collection(&collection.name);
    let numbered = journal::read::Numbered { id: collection.id, name: collection.name.clone() };
    let change = journal::entry(core, caller, Subject::Collection, &collection.name, Verb::Create)
        .values(Value::Null, json!(collection));
    let mut batch = Batch::new();
    batch
        .expect(key.clone(), Expect::Absent)
        .put(key, serde_json::to_vec(&StoredDefinition { collection: collection.clone(), keys })?)
        .expect(last.clone(), given.map_or(Expect::Absent, |entry| Expect::Version(entry.version)))
        .put(last, i64::from(number.0).to_be_bytes().to_vec())
        .put(keyspace::numbered(number), serde_json::to_vec(&numbered)?)
        .add_up_to(keyspace::collection_count(), [Addition { by: 1, max: MAX_COLLECTIONS }])
        .append(journal::bytes(&change));
    expect_references(&mut batch, &collection);
    Ok((collection, batch))
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
        let keys = before.keys.changed(Some(&before.collection), &after, &mut || core.ids.next_id());
        let rekeyed = keys.indexes != before.keys.indexes;
        let after = StoredDefinition { collection: after, keys };
        let mut batch = Batch::new();
        batch
            .expect(key.clone(), Expect::Version(before.version))
            .put(key, serde_json::to_vec(&after)?)
            .append(journal::bytes(&entry));
        expect_references(&mut batch, &after.collection);
        if rekeyed || after.collection.fields != before.collection.fields {
            batch = carry_over::stage(core, caller, &snapshot, batch, &before, after).await?;
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
        for StoredDefinition { collection: other, .. } in schema::all(&snapshot).await? {
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
        let number = schema.number();
        for (key, entry) in carry_over::all_records(&snapshot, number).await? {
            stage.delete(&schema, carry_over::id_of(&key)?, &entry).await?;
        }
        let mut batch = stage.finish();
        carry_over::expect_no_new_records(&snapshot, &mut batch, number).await?;
        for prefix in [keyspace::count(number), keyspace::all_referrers(number)] {
            // Deleting its records counts down; of this collection nothing stays to be counted. Tombstones stay, so that the journal can
            // say what was.
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
