//! Records, and what stands beside each: index entries, unique values, the records that it refers to. First from the records
//! to their entries, then, where there are more entries than the records ask for, from the entries back.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use common::{field::FieldType, id::RecordId, validate::is_canonical_decimal};
use serde_json::Value;
use store::{Key, counter};

use super::{
    definitions::{Leaving, Schemas},
    derived,
    ledger::{CheckError, Ledger},
    stored::{load, read},
    words::{self, DueWords},
};
use crate::domain::{
    keyspace::{self, shown},
    numbers::CollectionNumber,
    record,
    schema::Schema,
    stage::{Entries, unique_holder, unique_value},
};

/// What the records of a collection ask for.
#[derive(Default)]
struct Due {
    /// The kept counts, by key.
    counts: HashMap<Key, [i64; 1]>,
    /// Index entries that are there.
    indexes: u64,
    /// The words of its records.
    words: DueWords,
    /// Unique entries that are there and name the right record.
    uniques: u64,
    /// Unique entries that name the wrong record: told from the record's side already.
    misnamed: BTreeSet<Key>,
}

/// What everybody has: records, their bytes, and those of the versions that they made.
pub(super) type Usage = HashMap<Key, [i64; 3]>;

/// What the records of all collections ask for together.
#[derive(Default)]
struct Totals {
    /// How often each record is referred to.
    referrers: HashMap<Key, [i64; 1]>,
    /// What every owner has.
    usage: Usage,
}

/// Checks all collections.
pub(super) async fn check(ledger: &mut Ledger<'_>, schemas: &Schemas, leaving: &Leaving) -> Result<Usage, CheckError> {
    let mut across = Totals::default();
    for (schema, is_counted) in leaving {
        left(ledger, schema, *is_counted, &mut across).await?;
        unfinished(ledger, schema, &mut across).await?;
    }
    for schema in schemas.values() {
        let due = forward(ledger, schema, &mut across).await?;
        unfinished(ledger, schema, &mut across).await?;
        let id = schema.number();
        derived::counters(ledger, &keyspace::count(id), due.counts).await?;
        let of_words = words::check(ledger, schema, &due.words).await?;
        if count(ledger, &keyspace::indexes(id)).await? > due.indexes + of_words {
            indexes_back(ledger, schema).await?;
        }
        if count(ledger, &keyspace::uniques(id)).await? > due.uniques + due.misnamed.len() as u64 {
            uniques_back(ledger, schema, &due.misnamed).await?;
        }
    }
    for &id in schemas.keys() {
        let prefix = keyspace::all_referrers(id);
        let due = across.referrers.extract_if(|key, _| key.starts_with(&prefix)).collect();
        derived::counters(ledger, &prefix, due).await?;
    }
    Ok(across.usage)
}

/// What is left of a collection that is gone: its records may count for their owners still, and what they refer to counts them.
async fn left(
    ledger: &mut Ledger<'_>,
    schema: &Schema,
    is_counted: bool,
    across: &mut Totals,
) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::records(schema.number()));
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let Some((id, record)) = read(schema, &key, &entry) else { continue };
            let owner = ledger.owner(&key, &record).await?;
            if is_counted {
                let usage = across.usage.entry(keyspace::usage(owner)).or_default();
                usage[0] += 1;
                usage[1] += record::counted_size(&entry.value).unwrap_or_default();
            }
            for target in Entries::of(schema, id, &record, owner).targets {
                across.referrers.entry(keyspace::referrers(target.collection, target.id)).or_default()[0] += 1;
            }
        }
    }
    Ok(())
}

async fn forward(ledger: &mut Ledger<'_>, schema: &Schema, across: &mut Totals) -> Result<Due, CheckError> {
    let mut due = Due::default();
    let collection = schema.number();
    let mut last = 0;
    let mut pages = ledger.pages(&keyspace::records(collection));
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let Some((id, record)) = read(schema, &key, &entry) else {
                ledger.unreadable(&key, "the record");
                continue;
            };
            ledger.report.records += 1;
            last = id.number().map_or(last, |number| number.max(last));
            if !schema.collection.ids.fit(id) {
                ledger.damaged(format_args!("{}: its id is none of this collection's ids", shown(&key)));
            }
            if ledger.snapshot.get(&keyspace::tombstone(collection, id)).await?.is_some() {
                ledger.damaged(format_args!("{}: the record is there, and noted as deleted", shown(&key)));
            }
            for field in &schema.collection.fields {
                let value = record.get(field.name.as_str()).unwrap_or(&Value::Null);
                if !is_canonical_decimal(field, value) {
                    ledger.damaged(format_args!(
                        "{}: its field {} holds a decimal with more digits than can be read, or other places than the field has; write it anew",
                        shown(&key),
                        field.name
                    ));
                }
            }
            let owner = ledger.owner(&key, &record).await?;
            let entries = Entries::of(schema, id, &record, owner);
            due.counts.entry(keyspace::count(collection)).or_default()[0] += 1;
            due.counts.entry(keyspace::owned_count(collection, owner)).or_default()[0] += 1;
            let usage = across.usage.entry(keyspace::usage(owner)).or_default();
            usage[0] += 1;
            usage[1] += record::counted_size(&entry.value).unwrap_or_default();
            if let Some(words) = &entries.words {
                due.words.add(&words.keys(id));
            }
            for key in &entries.indexes {
                match ledger.snapshot.get(key).await? {
                    Some(entry) if entry.value.is_empty() => due.indexes += 1,
                    Some(_) => {
                        due.indexes += 1;
                        ledger.wrong(key, Some(Bytes::new()), "the index entry has a value").await?;
                    }
                    None => ledger.wrong(key, Some(Bytes::new()), "the index entry is missing").await?,
                }
            }
            for (key, field) in &entries.uniques {
                unique(ledger, schema, id, key, field, &mut due).await?;
            }
            for target in &entries.targets {
                if ledger.snapshot.get(&target.key).await?.is_none() {
                    ledger.damaged(format_args!(
                        "{}: its field {} refers to the record {}, which is not there",
                        shown(&key),
                        target.field,
                        target.id
                    ));
                }
                across.referrers.entry(keyspace::referrers(target.collection, target.id)).or_default()[0] += 1;
            }
        }
    }
    last_record(ledger, collection, last).await?;
    Ok(due)
}

/// A number that a record has was given, so it has to be reserved.
async fn last_record(ledger: &mut Ledger<'_>, collection: CollectionNumber, given: i64) -> Result<(), CheckError> {
    let key = keyspace::last_record(collection);
    let reserved = ledger.snapshot.get(&key).await?.as_ref().and_then(counter).unwrap_or(0);
    if reserved < given {
        let value = Bytes::from(given.to_be_bytes().to_vec());
        ledger.wrong(&key, Some(value), "a record has a number that is not reserved").await?;
    }
    Ok(())
}

/// The unique entry of a record's field.
async fn unique(
    ledger: &mut Ledger<'_>,
    schema: &Schema,
    id: RecordId,
    key: &Key,
    field: &str,
    due: &mut Due,
) -> Result<(), CheckError> {
    let value = Bytes::from(unique_value(id));
    let Some(entry) = ledger.snapshot.get(key).await? else {
        return ledger.wrong(key, Some(value), &format!("the unique entry of record {id} is missing")).await;
    };
    if entry.value == value {
        due.uniques += 1;
        return Ok(());
    }
    due.misnamed.insert(key.clone());
    if let Some(other) = unique_holder(&entry)
        && let Some(record) = load(ledger.snapshot, schema, other).await?
        && let owner = ledger.owner(key, &record).await?
        && Entries::of(schema, other, &record, owner).uniques.contains_key(key)
    {
        due.misnamed.remove(key);
        ledger.damaged(format_args!(
            "collection {}: the records {id} and {other} have the same value of {field}, which is unique; change one",
            schema.collection.name
        ));
        return Ok(());
    }
    ledger.wrong(key, Some(value), &format!("the unique entry of record {id} names another")).await
}

/// Whether an entry is of an index that is being made, or that is gone and not yet removed: of these not every entry is there.
fn is_unfinished(schema: &Schema, key: &Key) -> bool {
    let Some(index) = keyspace::index_of(key) else { return false };
    schema.keys.retired.iter().any(|retired| retired.number == index)
        || schema.coming.as_ref().is_some_and(|coming| coming.new_indexes.contains(&index))
}

/// What unfinished indexes refer to counts where their entries are.
async fn unfinished(ledger: &mut Ledger<'_>, schema: &Schema, across: &mut Totals) -> Result<(), CheckError> {
    let mut targets: Vec<_> =
        schema.keys.retired.iter().filter_map(|retired| Some((retired.number, retired.target?))).collect();
    if let Some(coming) = &schema.coming {
        for (field, indexes) in coming.schema.fields() {
            if let FieldType::Reference { collection: Some(target), .. } = &field.kind
                && let Some(index) = indexes.values.filter(|index| coming.new_indexes.contains(index))
                && let Some(target) = coming.schema.targets.get(target)
            {
                targets.push((index, *target));
            }
        }
    }
    for (index, target) in targets {
        let mut pages = ledger.pages(&keyspace::index(schema.number(), index));
        while let Some(page) = ledger.next(&mut pages).await? {
            for (key, _) in page {
                if let Some(id) = keyspace::indexed_id(&key) {
                    across.referrers.entry(keyspace::referrers(target, id)).or_default()[0] += 1;
                }
            }
        }
    }
    Ok(())
}

async fn count(ledger: &mut Ledger<'_>, prefix: &Key) -> Result<u64, CheckError> {
    let mut count = 0;
    let mut pages = ledger.pages(prefix);
    while let Some(page) = ledger.next(&mut pages).await? {
        count += page.len() as u64;
    }
    Ok(count)
}

/// Finds the index entries that no record asks for.
async fn indexes_back(ledger: &mut Ledger<'_>, schema: &Schema) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::indexes(schema.number()));
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, _) in page {
            let asked_for = match keyspace::last_id(&key) {
                _ if is_unfinished(schema, &key) => true,
                _ if keyspace::index_of(&key) == schema.keys.words_index() => true,
                Some(id) => match load(ledger.snapshot, schema, id).await? {
                    Some(record) => {
                        let owner = ledger.owner(&key, &record).await?;
                        Entries::of(schema, id, &record, owner).indexes.contains(&key)
                    }
                    None => false,
                },
                None => false,
            };
            if !asked_for {
                ledger.wrong(&key, None, "no record has this index entry").await?;
            }
        }
    }
    Ok(())
}

/// Finds the unique entries that no record asks for.
async fn uniques_back(ledger: &mut Ledger<'_>, schema: &Schema, misnamed: &BTreeSet<Key>) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::uniques(schema.number()));
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let asked_for = match unique_holder(&entry) {
                _ if misnamed.contains(&key) || is_unfinished(schema, &key) => true,
                Some(id) => match load(ledger.snapshot, schema, id).await? {
                    Some(record) => {
                        let owner = ledger.owner(&key, &record).await?;
                        let mut own = Entries::of(schema, id, &record, owner).uniques.into_keys();
                        own.any(|unique| unique == key || keyspace::unique_waiting(&unique, id) == key)
                    }
                    None => false,
                },
                None => false,
            };
            if !asked_for {
                ledger.wrong(&key, None, "no record has this unique entry").await?;
            }
        }
    }
    Ok(())
}
