//! Staging: what a record's change means for the keys around it. The record, its index and unique entries, the counts, the
//! reference counts and the journal entry go into one batch, and this is the only place that knows how they belong together.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    access::Caller,
    change::{Subject, Verb},
    field::FieldType,
    id::{CollectionId, RecordId, Revision, UserId},
    json::Exact,
    record::Record,
};
use serde_json::Value;
use store::{Batch, Entry, Expect, Key, Version};

use super::{
    core::Core,
    error::{Error, Result},
    journal, keyspace,
    schema::Schema,
    usage,
};

/// Bytes of a record at most, as it is stored.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// A batch of record changes in the making.
pub struct Stage<'a> {
    core: &'a Core,
    caller: &'a Caller,
    batch: Batch,
    /// Unique keys that this batch takes. A second taker in the same batch would not be seen by the store.
    claimed: BTreeSet<Key>,
    /// Unique keys that this batch gives up.
    released: BTreeSet<Key>,
    /// Reference counts change by the sum, not one by one.
    references: BTreeMap<Target, i64>,
    /// So does what the owners have.
    usage: usage::Changes,
}

/// A record that a reference points at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The record's key.
    pub key: Key,
    /// Its collection.
    pub collection: CollectionId,
    /// Its id.
    pub id: RecordId,
    /// The field that points.
    pub field: String,
}

/// A record as it was read from the store.
#[derive(Debug)]
pub struct Stored {
    /// Its id.
    pub id: RecordId,
    /// Its bytes, and the version that they were read at.
    pub entry: Entry,
    /// The same, parsed.
    pub record: Record,
}

/// The keys that stand beside a record.
#[derive(Default)]
pub struct Entries {
    /// Its index entries.
    pub indexes: BTreeSet<Key>,
    /// Its unique values, and the field of each.
    pub uniques: BTreeMap<Key, String>,
    /// What it refers to.
    pub targets: BTreeSet<Target>,
    /// Under whom it is counted.
    pub owner: Option<UserId>,
}

impl Entries {
    /// What has to stand beside this record; `coffer check` asks here too.
    pub fn of(schema: &Schema, id: RecordId, record: &Record) -> Self {
        let collection = schema.id();
        let owner = record.owner();
        let mut entries = Self { owner, ..Self::default() };
        entries.indexes.insert(keyspace::owned(collection, owner).uuid(id.uuid()));
        for field in &schema.collection.fields {
            let value = record.get(field.name.as_str()).unwrap_or(&Value::Null);
            if field.has_index() {
                entries.indexes.insert(keyspace::index_entry(collection, field, value, id));
            }
            if value.is_null() {
                continue;
            }
            if field.unique {
                entries.uniques.insert(keyspace::unique(collection, field, value), field.name.to_string());
            }
            if let FieldType::Reference { collection: Some(target), .. } = &field.kind
                && let Some(target) = schema.targets.get(target)
                && let Some(pointed) = value.as_str().and_then(|text| text.parse().ok())
            {
                let key = keyspace::record(*target, pointed);
                entries.targets.insert(Target { key, collection: *target, id: pointed, field: field.name.to_string() });
            }
        }
        entries
    }
}

impl<'a> Stage<'a> {
    /// Goes on with `batch`.
    pub fn new(core: &'a Core, caller: &'a Caller, batch: Batch) -> Self {
        Self {
            core,
            caller,
            batch,
            claimed: BTreeSet::new(),
            released: BTreeSet::new(),
            references: BTreeMap::new(),
            usage: usage::Changes::default(),
        }
    }

    /// A new record. Gives its stored form, and the fields whose value another record of this batch has.
    pub fn create(&mut self, schema: &Schema, id: RecordId, record: &Record) -> Result<(Vec<u8>, Vec<String>)> {
        self.add(schema, id, record, Verb::Create, None)
    }

    /// A record that was deleted by the commit `deleted_by`, under its old id.
    pub fn restore(
        &mut self,
        schema: &Schema,
        id: RecordId,
        record: &Record,
        deleted_by: Version,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        let key = keyspace::tombstone(schema.id(), id);
        self.batch.expect(key.clone(), Expect::Version(deleted_by)).delete(key);
        self.add(schema, id, record, Verb::Restore, Some(deleted_by))
    }

    fn add(
        &mut self,
        schema: &Schema,
        id: RecordId,
        record: &Record,
        action: Verb,
        previous: Option<Version>,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        let json = to_bytes(record)?;
        let key = keyspace::record(schema.id(), id);
        let after = Entries::of(schema, id, record);
        let taken = self.diff(id, Entries::default(), &after);
        self.count(schema.id(), after.owner, 1);
        self.add_usage(1, &json, record);
        self.note(schema, id, action, previous, Value::Null, record);
        self.batch.expect(key.clone(), Expect::Absent).put(key, json.clone());
        Ok((json, taken))
    }

    /// A changed record. Gives its stored form.
    pub fn update(&mut self, schema: &Schema, before: &Stored, record: &Record) -> Result<Vec<u8>> {
        let Stored { id, entry, record: old } = before;
        let (id, json) = (*id, to_bytes(record)?);
        let key = keyspace::record(schema.id(), id);
        let (before, after) = (Entries::of(schema, id, old), Entries::of(schema, id, record));
        if before.owner != after.owner {
            let collection = schema.id();
            self.batch.add(keyspace::owned_count(collection, before.owner), -1);
            self.batch.add(keyspace::owned_count(collection, after.owner), 1);
        }
        self.diff(id, before, &after);
        self.add_usage(-1, &entry.value, old);
        self.add_usage(1, &json, record);
        self.note(schema, id, Verb::Update, Some(entry.version), old, record);
        self.batch.expect(key.clone(), Expect::Version(entry.version)).put(key, json.clone());
        Ok(json)
    }

    /// A record under a new definition. Gives the fields whose value another record of this batch has.
    pub fn replace(
        &mut self,
        old_schema: &Schema,
        before: &Stored,
        new_schema: &Schema,
        record: &Record,
    ) -> Result<Vec<String>> {
        let Stored { id, entry, record: old } = before;
        let (id, json) = (*id, to_bytes(record)?);
        let key = keyspace::record(new_schema.id(), id);
        let taken = self.diff(id, Entries::of(old_schema, id, old), &Entries::of(new_schema, id, record));
        self.batch.expect(key.clone(), Expect::Version(entry.version));
        if json != entry.value {
            self.add_usage(-1, &entry.value, old);
            self.add_usage(1, &json, record);
            self.note(new_schema, id, Verb::Update, Some(entry.version), old, record);
            self.batch.put(key, json);
        }
        Ok(taken)
    }

    /// A record that is deleted.
    pub fn delete(&mut self, schema: &Schema, key: &Key, entry: &Entry) -> Result<()> {
        let old = Record::from_slice(&entry.value)?;
        let id = old.id().ok_or_else(|| Error::internal("a stored record has no id; run coffer check"))?;
        let before = Entries::of(schema, id, &old);
        self.count(schema.id(), before.owner, -1);
        self.add_usage(-1, &entry.value, &old);
        self.diff(id, before, &Entries::default());
        self.note(schema, id, Verb::Delete, Some(entry.version), &old, Value::Null);
        self.batch.put(keyspace::tombstone(schema.id(), id), Vec::new());
        self.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key.clone());
        Ok(())
    }

    /// Adds an expectation.
    pub fn expect(&mut self, key: Key, expect: Expect) {
        self.batch.expect(key, expect);
    }

    /// The records that this batch begins to refer to.
    pub fn references(&self) -> impl Iterator<Item = &Target> {
        self.references.iter().filter(|(_, by)| **by > 0).map(|(target, _)| target)
    }

    /// The batch.
    pub fn finish(mut self) -> Batch {
        for (target, by) in self.references {
            if by > 0 {
                self.batch.expect(target.key, Expect::Present);
            }
            if by != 0 {
                self.batch.add(keyspace::referrers(target.collection, target.id), by);
            }
        }
        self.usage.stage(self.core, self.caller, &mut self.batch);
        self.batch
    }

    fn diff(&mut self, id: RecordId, before: Entries, after: &Entries) -> Vec<String> {
        let mut taken = Vec::new();
        for key in before.indexes.difference(&after.indexes) {
            self.batch.delete(key.clone());
        }
        for key in after.indexes.difference(&before.indexes) {
            self.batch.put(key.clone(), Vec::new());
        }
        for key in before.uniques.keys().filter(|key| !after.uniques.contains_key(key)) {
            self.released.insert(key.clone());
            self.batch.delete(key.clone());
        }
        for (key, field) in after.uniques.iter().filter(|(key, _)| !before.uniques.contains_key(key)) {
            if !self.claimed.insert(key.clone()) {
                taken.push(field.clone());
                continue;
            }
            if !self.released.contains(key) {
                self.batch.expect(key.clone(), Expect::Absent);
            }
            self.batch.put(key.clone(), id.to_string());
        }
        for target in before.targets {
            *self.references.entry(target).or_default() -= 1;
        }
        for target in &after.targets {
            *self.references.entry(target.clone()).or_default() += 1;
        }
        taken
    }

    fn count(&mut self, collection: CollectionId, owner: Option<UserId>, by: i64) {
        self.batch.add(keyspace::count(collection), by).add(keyspace::owned_count(collection, owner), by);
    }

    /// A stored record comes (1) or goes (-1) with its owner's bytes.
    fn add_usage(&mut self, by: i64, json: &[u8], record: &Record) {
        self.usage.add(record.owner(), by, by * counted_size(json, record));
    }

    fn note(
        &mut self,
        schema: &Schema,
        id: RecordId,
        action: Verb,
        previous: Option<Version>,
        before: impl Into<Exact>,
        after: impl Into<Exact>,
    ) {
        let mut change = journal::entry(self.core, self.caller, Subject::Record, &id, action).values(before, after);
        change.collection = Some(schema.collection.name.clone());
        change.collection_id = Some(schema.id());
        change.previous = previous.map(|version| Revision(version.get()));
        self.batch.append(journal::bytes(&change));
    }
}

/// What a stored record counts for, in bytes.
pub fn counted_size(json: &[u8], record: &Record) -> i64 {
    usage::counted_size(json, record.get("updated_at").and_then(Value::as_str))
}

fn to_bytes(record: &Record) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(record)?;
    if json.len() > MAX_RECORD_BYTES {
        return Err(Error::TooLarge { limit: MAX_RECORD_BYTES, size: json.len() });
    }
    Ok(json)
}
