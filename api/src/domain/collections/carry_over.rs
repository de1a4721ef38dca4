//! Carrying records over to a new definition: every stored record is checked against it, and all are rewritten in the
//! commit that writes the definition. Where one does not fit, nothing is changed, and the answer says which.

use std::collections::HashMap;

use common::{
    access::Caller,
    field::FieldType,
    id::RecordId,
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::invalid,
    record::Record,
    validate::{Ends, check_member},
};
use store::{Batch, Entry, Expect, Key, Scan, Snapshot};

use super::plan::Plan;
use crate::domain::{
    core::Core,
    error::{Error, Result as DomainResult},
    keyspace,
    numbers::CollectionNumber,
    schema::Schema,
    stage::{Stage, Stored},
};

/// Records that one commit rewrites at most.
const MAX_RECORDS: usize = 100_000;
/// Ids that an answer names at most.
const MAX_EXAMPLES: usize = 5;

/// All records of a collection, if they are few enough for one commit.
pub(super) async fn all_records(snapshot: &Snapshot, number: CollectionNumber) -> DomainResult<Vec<(Key, Entry)>> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::records(number)).limit(MAX_RECORDS + 1)).await?;
    if entries.len() > MAX_RECORDS {
        let message = format!(
            "This collection has more than {MAX_RECORDS} records, too many to change at once. Delete some first."
        );
        return Err(Error::Conflict(message));
    }
    Ok(entries)
}

/// The id of the record of a key.
pub(super) fn id_of(key: &Key) -> DomainResult<RecordId> {
    keyspace::last_id(key).ok_or_else(|| Error::internal("a stored record has no id; run coffer check"))
}

/// Holds the commit back if a record was made or deleted since `snapshot`.
pub(super) async fn expect_no_new_records(
    snapshot: &Snapshot,
    batch: &mut Batch,
    number: CollectionNumber,
) -> DomainResult<()> {
    let key = keyspace::count(number);
    let expect = snapshot.get(&key).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch.expect(key, expect);
    Ok(())
}

/// The definition of a plan as requests will use it.
pub(super) async fn schema_of(core: &Core, snapshot: &Snapshot, before: &Schema, plan: Plan) -> DomainResult<Schema> {
    let (after, mut targets) = (plan.after, HashMap::new());
    for field in &after.collection.fields {
        let FieldType::Reference { collection: Some(collection), .. } = &field.kind else { continue };
        if *collection == after.collection.name {
            targets.insert(collection.clone(), after.keys.number);
        } else if let Some(target) = core.schemas.load(snapshot, collection).await? {
            targets.insert(collection.clone(), target.number());
        }
    }
    Ok(Schema::new(after, before.version, targets))
}

/// Checks every record against the new definition, and stages its index entries.
pub(super) async fn stage(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    batch: Batch,
    before: &Schema,
    plan: Plan,
) -> DomainResult<Batch> {
    let checked = plan.checked.clone();
    let new = schema_of(core, snapshot, before, plan).await?;
    let mut stage = Stage::new(core, caller, batch);
    let mut errors = RecordErrors::default();
    for (key, entry) in all_records(snapshot, new.number()).await? {
        let id = id_of(&key)?;
        let old = before.decode(id, &entry.value)?;
        match translated(&new, &checked, id, &entry) {
            Err(found) => errors.push(&old, found),
            Ok(record) => {
                let stored = Stored { id, entry, record: old };
                for field in stage.index_anew(before, &stored, &new, &record).await? {
                    let error = FieldError::new("unique", "This field must be unique.");
                    errors.push(&stored.record, FieldErrors::of(field, error));
                }
            }
        }
    }
    errors.result()?;
    for target in stage.references() {
        if snapshot.get(&target.key).await?.is_none() {
            errors.count += 1;
            errors.errors.push(target.field.clone(), common::validate::does_not_exist(&target.id.to_string()));
        }
    }
    errors.result()?;
    let mut batch = stage.finish();
    expect_no_new_records(snapshot, &mut batch, new.number()).await?;
    Ok(batch)
}

/// A stored record as a new definition has it, if it fits; `checked` are the fields whose values may not.
pub(super) fn translated(
    schema: &Schema,
    checked: &[usize],
    id: RecordId,
    entry: &Entry,
) -> Result<Record, FieldErrors> {
    let unreadable = |_| FieldErrors::of(NON_FIELD, invalid("The stored record cannot be read; run coffer check."));
    let (original, version) = schema.original(id, &entry.value).map_err(unreadable)?;
    let mut errors = FieldErrors::new();
    let record = schema.translate(original, version, Some(&mut errors));
    for field in checked.iter().filter_map(|i| schema.collection.fields.get(*i)) {
        let name = field.name.as_str();
        if errors.0.contains_key(name) {
            continue;
        }
        let Some(member) = record.member(name) else { continue };
        if let Err(faults) = check_member(field, member, Ends::Kept) {
            errors.add(name.to_owned(), faults);
        }
    }
    errors.or(record)
}

#[derive(Default)]
struct RecordErrors {
    count: u64,
    errors: FieldErrors,
    examples: Vec<String>,
}

impl RecordErrors {
    fn push(&mut self, record: &Record, errors: FieldErrors) {
        self.count += 1;
        for (field, mut faults) in errors.0 {
            faults.retain(|fault| !self.errors.0.get(&field).is_some_and(|known| known.contains(fault)));
            self.errors.add(field, faults);
        }
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.extend(record.id().map(|id| id.to_string()));
        }
    }

    fn result(&mut self) -> DomainResult<()> {
        if self.count == 0 {
            return Ok(());
        }
        let Self { count, errors, examples } = std::mem::take(self);
        Err(Error::RecordsDoNotFit { count, errors, examples })
    }
}
