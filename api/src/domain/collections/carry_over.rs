//! Carrying records over to a new definition: every stored record is checked against it, and all are rewritten in the
//! commit that writes the definition. Where one does not fit, nothing is changed, and the answer says which.

use std::collections::HashMap;

use common::{
    access::Caller,
    clean,
    field::FieldType,
    id::RecordId,
    problem::{FieldError, FieldErrors},
    reader::required,
    record::Record,
};
use store::{Batch, Entry, Expect, Key, Scan, Snapshot};

use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
    numbers::CollectionNumber,
    record,
    records::assemble,
    schema::{Schema, StoredDefinition},
    stage::{Stage, Stored},
};

/// Records that one commit rewrites at most.
const MAX_RECORDS: usize = 100_000;
/// Ids that an answer names at most.
const MAX_EXAMPLES: usize = 5;

/// All records of a collection, if they are few enough for one commit.
pub(super) async fn all_records(snapshot: &Snapshot, number: CollectionNumber) -> Result<Vec<(Key, Entry)>> {
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
pub(super) fn id_of(key: &Key) -> Result<RecordId> {
    keyspace::last_id(key).ok_or_else(|| Error::internal("a stored record has no id; run coffer check"))
}

/// Holds the commit back if a record was made or deleted since `snapshot`.
pub(super) async fn expect_no_new_records(
    snapshot: &Snapshot,
    batch: &mut Batch,
    number: CollectionNumber,
) -> Result<()> {
    let key = keyspace::count(number);
    let expect = snapshot.get(&key).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch.expect(key, expect);
    Ok(())
}

/// Stages every record as the new definition has it.
pub(super) async fn stage(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    batch: Batch,
    before: &Schema,
    after: StoredDefinition,
) -> Result<Batch> {
    let (number, mut targets) = (after.keys.number, HashMap::new());
    for field in &after.collection.fields {
        let FieldType::Reference { collection: Some(collection), .. } = &field.kind else { continue };
        if *collection == after.collection.name {
            targets.insert(collection.clone(), number);
        } else if let Some(target) = core.schemas.load(snapshot, collection).await? {
            targets.insert(collection.clone(), target.number());
        }
    }
    let new = Schema::new(after, before.version, targets);
    let mut stage = Stage::new(core, caller, batch);
    let mut errors = RecordErrors::default();
    for (key, entry) in all_records(snapshot, number).await? {
        let id = id_of(&key)?;
        let old = record::decode(id, &entry.value)?;
        match carried(&new, &old) {
            Err(found) => errors.push(&old, found),
            Ok(record) => {
                let stored = Stored { id, entry, record: old };
                for field in stage.replace(before, &stored, &new, &record).await? {
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
    expect_no_new_records(snapshot, &mut batch, number).await?;
    Ok(batch)
}

/// A record with the new definition's fields.
fn carried(schema: &Schema, old: &Record) -> std::result::Result<Record, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut values = Record::default();
    for field in &schema.collection.fields {
        let name = field.name.as_str();
        let value = match old.member(name) {
            None if field.required && field.default.is_none() => {
                errors.push(name, required());
                continue;
            }
            None => Ok(field.initial().into()),
            Some(member) if member.value.is_null() && !field.nullable && field.default.is_some() => {
                Ok(field.initial().into())
            }
            Some(member) => clean::carry_over(field, member),
        };
        match value {
            Ok(value) => {
                values.set(name, value);
            }
            Err(faults) => {
                errors.add(name.to_owned(), faults);
            }
        }
    }
    errors.or(assemble(old, values))
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

    fn result(&mut self) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let Self { count, errors, examples } = std::mem::take(self);
        Err(Error::RecordsDoNotFit { count, errors, examples })
    }
}
