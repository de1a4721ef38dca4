//! Deleting a collection. What a small one has goes in the same commit. A larger one is gone at once too, for its name, for counts,
//! quotas and what it refers to; its records' bytes are removed in the background.

use std::sync::Arc;

use common::{
    access::{Caller, Decision},
    change::{Subject, Verb},
    field::{Field, FieldType},
    id::OperationId,
    name::CollectionName,
    operation::Operation,
    undo::Counted,
};
use serde_json::{Value, json};
use store::{Batch, Expect, Reserve, Scan, Snapshot};

use super::carry_over;
use crate::domain::{
    core::Core,
    error::{Error, Result},
    gone::{self, DeletedCollectionEntry, Left},
    journal::{self, summary::Counts},
    keyspace, operations, paths,
    precondition::Precondition,
    retry::Retry,
    schema::{self, Schema, StoredDefinition},
    stage::Stage,
    views,
};

/// Deletes a collection with all its records, unless another collection refers to it. Gives the work that is left, where there is some.
pub async fn delete(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    precondition: Option<&Precondition>,
) -> Result<Option<Operation>> {
    delete_undoing(core, caller, name, precondition, None, true).await
}

/// The same, which may undo an operation, and of which no more is waited for than its beginning, unless it `waits`.
pub(in crate::domain) async fn delete_undoing(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    precondition: Option<&Precondition>,
    reverts: Option<OperationId>,
    waits: bool,
) -> Result<Option<Operation>> {
    let (mut retry, mut is_large) = (Retry::new(core), false);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = find(core, &snapshot, caller, name, precondition).await?;
        let number = schema.number();
        let records = schema::count(&core.owners, &snapshot, number, Decision::All).await?.unwrap_or(0);
        let is_small = !is_large && records <= core.delete_at_once && schema.keys.retired.is_empty();
        let id = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
        let left = if is_small { Left::Nothing } else { Left::Counted };
        let mut batch = Batch::new();
        batch.use_reserve(Reserve::Much);
        stage_definition(core, caller, &snapshot, &schema, &mut batch).await?;
        if let Some(reverts) = &reverts {
            let revert = journal::entry(core, caller, Subject::Operation, reverts, Verb::Revert);
            batch.append(journal::bytes(&revert));
        }
        DeletedCollectionEntry::of(&schema, Some(id), left)
            .stage(&mut batch, gone::version(&snapshot, number).await?)?;
        if !is_small {
            if let Some(left) = operations::remove_collection(core, caller, number, records, id, batch, waits).await? {
                return Ok(left);
            }
            retry.again()?;
            continue;
        }
        let mut stage = Stage::new(core, caller, batch);
        for (key, entry) in snapshot.scan(Scan::prefix(&keyspace::records(number))).await? {
            stage.delete(&schema, carry_over::id_of(&key)?, &entry).await?;
        }
        let mut batch = stage.finish();
        carry_over::expect_no_new_records(&snapshot, &mut batch, number).await?;
        // Blocks of words go with all that the index has; what packs them meanwhile has this fail.
        if let Some(index) = schema.keys.words_index() {
            let prefix = keyspace::index(number, index);
            batch.withdraw(&prefix);
            for (key, entry) in snapshot.scan(Scan::prefix(&prefix)).await? {
                batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
            }
        }
        for prefix in [keyspace::count(number), keyspace::all_referrers(number)] {
            // Deleting its records counts down; of this collection nothing stays to be counted. Tombstones stay, so that the journal can
            // say what was.
            batch.withdraw(&prefix);
            for (key, _) in snapshot.scan(Scan::prefix(&prefix)).await? {
                batch.delete(key);
            }
        }
        match retry.commit(batch).await {
            Ok(Some(_)) => return Ok(None),
            Ok(None) => {}
            Err(Error::TooManyEntries { .. }) if !is_large => is_large = true,
            Err(error) => return Err(error),
        }
    }
}

/// What [`delete`] would do. What it would refuse, this refuses.
pub async fn would_delete(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    precondition: Option<&Precondition>,
) -> Result<Counts> {
    let snapshot = core.store.snapshot().await?;
    let schema = find(core, &snapshot, caller, name, precondition).await?;
    paths::expect_unnamed(&snapshot, &mut Batch::new(), Some(schema.collection.id), &[]).await?;
    let records = schema::count(&core.owners, &snapshot, schema.number(), Decision::All).await?.unwrap_or(0);
    let of_records = Some(schema.collection.name.clone());
    let mut counts = Counts::default();
    for (subject, collection, count) in [(Subject::Collection, None, 1), (Subject::Record, of_records, records)] {
        if count > 0 {
            counts.add_many(Counted { subject, collection, action: Verb::Delete, count });
        }
    }
    Ok(counts)
}

/// The collection, unless something holds its deletion back.
async fn find(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    name: &CollectionName,
    precondition: Option<&Precondition>,
) -> Result<Arc<Schema>> {
    let schema = core.schemas.find(snapshot, name, caller).await?;
    Precondition::check(precondition, schema.collection.revision)?;
    if let Some(coming) = &schema.coming {
        return Err(Error::ChangeUnderWay(coming.operation));
    }
    check_unreferred(snapshot, &schema).await?;
    Ok(schema)
}

/// No other collection may refer to it, nor be about to.
async fn check_unreferred(snapshot: &Snapshot, schema: &Schema) -> Result<()> {
    let name = &schema.collection.name;
    let refers = |field: &&Field| matches!(&field.kind, FieldType::Reference { collection: Some(collection), .. } if collection == name);
    let mut all = schema::all(snapshot);
    while let Some(StoredDefinition { collection: other, coming, .. }) = all.next().await? {
        let coming = coming.iter().flat_map(|coming| &coming.collection.fields);
        if let Some(field) = other.fields.iter().chain(coming).filter(|_| other.name != *name).find(refers) {
            let message = format!(
                "The field \"{}\" of \"{}\" refers to this collection. Remove that field first.",
                field.name, other.name
            );
            return Err(Error::Conflict(message));
        }
    }
    Ok(())
}

/// Takes its definition away, and its names.
async fn stage_definition(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    schema: &Schema,
    batch: &mut Batch,
) -> Result<()> {
    let name = &schema.collection.name;
    let entry = journal::entry(core, caller, Subject::Collection, name, Verb::Delete)
        .values(json!(schema.collection), Value::Null);
    let key = keyspace::collection(name);
    let referring = keyspace::referring_definitions();
    let unchanged = snapshot.get(&referring).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch
        .expect(key.clone(), Expect::Version(schema.version))
        .expect(referring, unchanged)
        .delete(key)
        .add(keyspace::collection_count(), -1)
        .append(journal::bytes(&entry));
    paths::expect_unnamed(snapshot, batch, Some(schema.collection.id), &[]).await?;
    views::stage_delete_all(snapshot, batch, schema.number()).await?;
    for alias in &schema.collection.aliases {
        batch.delete(keyspace::collection_alias(alias));
    }
    Ok(())
}
