//! Deleting a record, and what that means for the records that refer to it: refused, deleted too, or made to refer to
//! nothing, as their fields say. All of it is one commit.

use std::collections::BTreeSet;

use common::{
    access::{Action, Caller},
    field::{Field, FieldType, OnDelete},
    id::{RecordId, Revision},
    name::CollectionName,
    problem::{FieldError, FieldErrors, NON_FIELD},
};
use serde_json::Value;
use store::{Batch, Expect, Reserve, Scan, Snapshot, counter};

use super::{
    find::{Target, expect_schema, find},
    stored::{assemble, parse},
    visible::is_visible,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
    precondition::Precondition,
    retry::Retry,
    schema::{self, Schema, StoredDefinition},
    stage::{Stage, Stored},
};

/// Records that one deletion touches at most.
const MAX_TOUCHED: usize = 10_000;

/// Deletes a record.
pub async fn delete(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    precondition: Option<&Precondition>,
) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let Target { schema, stored } = find(core, &snapshot, caller, Action::Delete, name, id).await?;
        Precondition::check(precondition, Revision(stored.entry.version.get()))?;
        let mut batch = stage_with_referrers(core, caller, &snapshot, &schema, id).await?;
        batch.use_reserve(Reserve::Half);
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

async fn stage_with_referrers(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    schema: &Schema,
    id: RecordId,
) -> Result<Batch> {
    let mut stage = Stage::new(core, caller, expect_schema(schema));
    let mut waiting = vec![(schema.collection.name.clone(), id)];
    let mut going = BTreeSet::from([id]);
    // References that must become null, once it is known which records go.
    let mut emptied: Vec<(CollectionName, Field, RecordId)> = Vec::new();
    let mut restricting: Vec<(CollectionName, Field, RecordId)> = Vec::new();
    while let Some((name, id)) = waiting.pop() {
        let Some(schema) = core.schemas.load(snapshot, &name).await? else { continue };
        let Some(entry) = snapshot.get(&keyspace::record(schema.number(), id)).await? else { continue };
        stage.delete(&schema, id, &entry).await?;
        let referrers = keyspace::referrers(schema.number(), id);
        let counted = snapshot.get(&referrers).await?;
        stage.expect(referrers, counted.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version)));
        if counted.as_ref().and_then(counter).unwrap_or(0) == 0 {
            continue;
        }
        for (name, field, on_delete, referrer) in referring(snapshot, &schema, id).await? {
            match on_delete {
                OnDelete::Restrict => restricting.push((name, field, referrer)),
                OnDelete::SetNull => emptied.push((name, field, referrer)),
                OnDelete::Cascade if going.insert(referrer) => waiting.push((name, referrer)),
                OnDelete::Cascade => {}
            }
        }
        if going.len() + emptied.len() > MAX_TOUCHED {
            let message =
                format!("More than {MAX_TOUCHED} records refer to this one. Delete or change some of them first.");
            return Err(Error::Conflict(message));
        }
    }
    restricting.retain(|(_, _, id)| !going.contains(id));
    if !restricting.is_empty() {
        return Err(restricted(core, snapshot, caller, &restricting).await?);
    }
    empty_references(core, snapshot, &mut stage, emptied, &going).await?;
    Ok(stage.finish())
}

/// What is told of the records that hold a deletion back: the field and the number of those that the caller may see. Where they may see
/// none, only that there are some.
async fn restricted(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    restricting: &[(CollectionName, Field, RecordId)],
) -> Result<Error> {
    let mut seen: Option<(&CollectionName, &Field, u64)> = None;
    for (name, field, id) in restricting {
        if seen.is_some_and(|(other, by, _)| other != name || by.name != field.name) {
            break;
        }
        let Some(schema) = core.schemas.load(snapshot, name).await? else { continue };
        if is_visible(snapshot, caller, &schema, *id).await? {
            seen = Some((name, field, seen.map_or(1, |(.., count)| count + 1)));
        }
    }
    let (place, message) = match seen {
        Some((name, field, count)) => {
            let records = common::text::count(count, "record");
            let refer = if count == 1 { "refers" } else { "refer" };
            let message = format!("{records} of \"{name}\" still {refer} to this through \"{}\".", field.name);
            (field.name.as_str(), message)
        }
        None => (NON_FIELD, "Something that you may not see still refers to this.".to_owned()),
    };
    Ok(Error::Taken(FieldErrors::of(place, FieldError::new("restricted", message))))
}

/// Every reference to a record: from which collection, by which field, from which record.
async fn referring(
    snapshot: &Snapshot,
    schema: &Schema,
    id: RecordId,
) -> Result<Vec<(CollectionName, Field, OnDelete, RecordId)>> {
    let mut found = Vec::new();
    let value = Value::String(id.to_string());
    for StoredDefinition { collection: other, keys } in schema::all(snapshot).await? {
        for field in &other.fields {
            let FieldType::Reference { collection, on_delete } = &field.kind else { continue };
            if collection.as_ref() != Some(&schema.collection.name) {
                continue;
            }
            let Some(index) = keys.indexes_of(field.name.as_str()).values else { continue };
            let prefix = keyspace::index_value(keys.number, index, field, &value);
            let scan = Scan::prefix(&prefix).limit(MAX_TOUCHED + 1);
            let entries = snapshot.scan(scan).await?;
            let ids = entries.iter().filter_map(|(key, _)| keyspace::last_id(key));
            found.extend(ids.map(|id| (other.name.clone(), field.clone(), *on_delete, id)));
        }
    }
    Ok(found)
}

/// Makes references null. A record with several of them is written once.
async fn empty_references(
    core: &Core,
    snapshot: &Snapshot,
    stage: &mut Stage<'_>,
    mut emptied: Vec<(CollectionName, Field, RecordId)>,
    going: &BTreeSet<RecordId>,
) -> Result<()> {
    emptied.retain(|(_, _, id)| !going.contains(id));
    emptied.sort_by_key(|(_, _, id)| *id);
    for group in emptied.chunk_by(|(_, _, a), (_, _, b)| a == b) {
        let [(name, _, id), ..] = group else { continue };
        let Some(schema) = core.schemas.load(snapshot, name).await? else { continue };
        let Some(entry) = snapshot.get(&keyspace::record(schema.number(), *id)).await? else { continue };
        let old = parse(*id, &entry)?;
        let mut values = old.clone();
        values.retain(|name| schema.collection.field(name).is_some());
        for (_, field, _) in group {
            values.set(field.name.as_str(), Value::Null);
        }
        let mut record = assemble(&old, values);
        record.set("updated_at", core.timestamp());
        stage.update(&schema, &Stored { id: *id, entry, record: old }, &record).await?;
    }
    Ok(())
}
