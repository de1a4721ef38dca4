//! Staging: what a record's change means for the keys around it. The record, its index and unique entries, the counts, the
//! reference counts and the journal entry go into one batch, and this is the only place that knows how they belong together.

use std::collections::{BTreeMap, BTreeSet, HashSet, btree_map};

use base::Charge;
use common::{
    access::Caller,
    field::FieldType,
    id::{OperationId, RecordId, UserId},
    problem::{FieldError, FieldErrors, NON_FIELD},
    record::Record,
    validate::does_not_exist,
};
use serde_json::Value;
use store::{Batch, Entry, Expect, Key, Scan, Snapshot};
use uuid::Uuid;

use super::{
    core::Core,
    error::{Error, Result},
    indexes::IndexKind,
    journal::{self, Action, Link},
    keyspace,
    layout::Lost,
    new_ids::Brought,
    numbers::{CollectionNumber, IndexNumber, OwnerNumber},
    operations::{Holder, Unseen, end_change},
    owners,
    record::{self, EarlierValues},
    schema::{Coming, Schema},
    search::{
        self,
        postings::{Gathered, Single, WordIndex},
    },
    usage, work,
};

/// Bytes of a record at most, as it is stored.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// How often a value is held: as it is stored, in the journal, and where it was read from.
const VALUE_COPIES: usize = 3;
/// About how many bytes an entry takes that is staged.
const ENTRY_BYTES: usize = 256;
/// The same for a record's word, which becomes one entry with those of others.
const POSTING_BYTES: usize = 40;

/// A batch of record changes in the making.
pub struct Stage<'a> {
    core: &'a Core,
    caller: &'a Caller,
    batch: Batch,
    /// Unique keys that this batch takes. A second taker in the same batch would not be seen by the store.
    claimed: BTreeSet<Key>,
    /// Unique keys that this batch gives up.
    released: BTreeSet<Key>,
    /// Those of them that were given up ahead of their records' changes: see [`Self::give_up`].
    given_up: BTreeSet<Key>,
    /// Reference counts change by the sum, not one by one.
    references: BTreeMap<Target, i64>,
    /// So does what the owners have.
    usage: usage::Changes,
    /// The numbers that new records bring.
    brought: Brought,
    /// Owners who get their number with this batch.
    new_owners: BTreeMap<UserId, OwnerNumber>,
    /// Collections whose definition must be as it was read.
    expected: BTreeSet<CollectionNumber>,
    /// Changes of definitions that this batch ends, since it does not fit them.
    ended: BTreeSet<OperationId>,
    /// What records have that such changes have not looked at yet, where they hold writes back.
    unseen: BTreeMap<OperationId, Unseen>,
    /// The records that this batch changed or deleted: what they had nobody has.
    changed: BTreeSet<(CollectionNumber, RecordId)>,
    /// The words that its records have, and had not.
    words: Gathered,
    /// The records that this batch makes or puts back: references to them need nothing more.
    made: BTreeSet<Key>,
    /// Records that were there before, and were deleted.
    was_there: BTreeSet<RecordId>,
    /// What is staged now follows from what was staged before: a cascade, or a reference that is made null.
    pub is_consequence: bool,
    /// Nothing is kept of what is deleted: there is no room for it.
    pub forgets: bool,
    /// Records count for nobody: their collection is gone already.
    is_of_gone: bool,
    /// See [`Self::bounded`].
    is_bounded: bool,
    /// What is held until it is committed, and the part of it that entries and words are.
    held: Charge,
    charged: usize,
}

/// A record that a reference points at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The record's key.
    pub key: Key,
    /// Its collection.
    pub collection: CollectionNumber,
    /// Its id.
    pub id: RecordId,
    /// The field that points.
    pub field: String,
}

/// The entry of a record in the journal before the one that is staged.
#[derive(Debug, Clone, Copy)]
struct Previous {
    link: Option<Link>,
    /// How many there were with it.
    nth: u32,
}

impl Previous {
    const NONE: Self = Self { link: None, nth: 0 };

    fn of_record(entry: &Entry) -> Result<Self> {
        Ok(Self { link: Some(Link::of_record(entry)?), nth: record::head(&entry.value)?.nth })
    }

    fn of_tombstone(entry: &Entry) -> Self {
        Self { link: Some(Link::of_tombstone(entry)), nth: journal::tombstone(entry).map_or(0, |(_, nth)| nth) }
    }
}

/// A record on both sides of a change.
struct Sides<'a> {
    before: Option<&'a Record>,
    after: Option<&'a Record>,
    /// What it was before it was carried over to the definition of now.
    lost: Option<Lost>,
}

/// Where it is told that a unique value is taken, and in which words: `fields` are those that are unique, alone or together.
pub fn taken(fields: &str) -> (&str, FieldError) {
    if !fields.contains(',') {
        return (fields, FieldError::new("unique", "This field must be unique."));
    }
    (NON_FIELD, FieldError::new("unique", format!("The fields {fields} must make a unique set.")))
}

/// What stands under a unique value: the id of the record that has it.
pub fn unique_value(id: RecordId) -> Vec<u8> {
    id.bits().into_bytes().to_vec()
}

/// The same read again; `None` for anything else.
pub fn unique_holder(entry: &Entry) -> Option<RecordId> {
    Uuid::from_slice(&entry.value).ok().map(RecordId::from_uuid)
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
    /// Its unique values, and the field of each, or its fields: see [`taken`].
    pub uniques: BTreeMap<Key, String>,
    /// What it refers to.
    pub targets: BTreeSet<Target>,
    /// Its words, where there is an index of them.
    pub words: Option<Words>,
}

/// The words of a record.
#[derive(Debug, Clone)]
pub struct Words {
    /// The index.
    pub index: WordIndex,
    /// Each with its weight.
    pub weights: BTreeMap<String, u8>,
}

impl Words {
    /// Where each may stand by itself.
    pub fn keys(&self, id: RecordId) -> Vec<Key> {
        self.weights.keys().map(|word| self.index.entry(word, id)).collect()
    }
}

impl Entries {
    /// What has to stand beside this record; `coffer check` asks here too. `owner` is the number of its owner.
    pub fn of(schema: &Schema, id: RecordId, record: &Record, owner: Option<OwnerNumber>) -> Self {
        let collection = schema.number();
        let mut entries = Self::default();
        if let Some(index) = schema.keys.owner_index() {
            entries.indexes.insert(keyspace::with_id(keyspace::owned(collection, index, owner), id));
        }
        if let Some(index) = schema.keys.words_index() {
            let index = WordIndex { collection, index };
            entries.words = Some(Words { index, weights: search::indexed(&schema.collection, record) });
        }
        for index in schema.read_by.iter().filter(|index| index.is_several) {
            let Some(key) = index.key(record, owner) else { continue };
            if index.kind == IndexKind::Unique {
                entries.uniques.insert(key, index.names());
            } else {
                entries.indexes.insert(key);
            }
        }
        for (field, indexes) in schema.fields() {
            let value = record.get(field.name.as_str()).unwrap_or(&Value::Null);
            if let Some(index) = indexes.values {
                if field.kind.refers_to_many() {
                    // One for each; where there is none, none.
                    let referred = RecordId::all_in(value).map(RecordId::to_value);
                    entries
                        .indexes
                        .extend(referred.map(|value| keyspace::index_entry(collection, index, field, &value, id)));
                } else {
                    entries.indexes.insert(keyspace::index_entry(collection, index, field, value, id));
                }
            }
            if value.is_null() {
                continue;
            }
            if let Some(rule) = indexes.unique {
                entries.uniques.insert(keyspace::unique(collection, rule, field, value), field.name.to_string());
            }
            if let FieldType::Reference { collection: Some(target), .. } = &field.kind
                && let Some(target) = schema.targets.get(target)
            {
                let of = |id| Target {
                    key: keyspace::record(*target, id),
                    collection: *target,
                    id,
                    field: field.name.to_string(),
                };
                entries.targets.extend(RecordId::all_in(value).map(of));
            }
        }
        entries
    }
}

impl Entries {
    /// Those of some indexes, and what these refer to.
    #[must_use]
    pub fn within(mut self, schema: &Schema, indexes: &HashSet<IndexNumber>) -> Self {
        let is_of = |key: &Key| keyspace::index_of(key).is_some_and(|index| indexes.contains(&index));
        self.indexes.retain(is_of);
        self.words = self.words.filter(|words| indexes.contains(&words.index.index));
        self.uniques.retain(|key, _| is_of(key));
        self.targets.retain(|target| schema.index(&target.field).is_some_and(|index| indexes.contains(&index)));
        self
    }

    /// What an index entry refers to.
    pub fn target_of(&self, schema: &Schema, key: &Key) -> Option<&Target> {
        let (index, id) = (keyspace::index_of(key)?, keyspace::indexed_id(key)?);
        self.targets.iter().find(|target| target.id == id && schema.index(&target.field) == Some(index))
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
            given_up: BTreeSet::new(),
            references: BTreeMap::new(),
            usage: usage::Changes::default(),
            brought: Brought::default(),
            new_owners: BTreeMap::new(),
            expected: BTreeSet::new(),
            ended: BTreeSet::new(),
            unseen: BTreeMap::new(),
            changed: BTreeSet::new(),
            words: Gathered::default(),
            made: BTreeSet::new(),
            was_there: BTreeSet::new(),
            is_consequence: false,
            forgets: false,
            is_of_gone: false,
            is_bounded: false,
            held: work::charge(),
            charged: 0,
        }
    }

    /// What is staged may be refused when it becomes too much for one commit, and not only when it is committed: until then it would be held.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.is_bounded = true;
        self
    }

    /// Charges what a record with a value of so many bytes added.
    fn charge(&mut self, value: usize) -> Result<()> {
        let entries = self.batch.entries();
        let most = self.core.most_entries();
        if self.is_bounded && entries > most {
            return Err(Error::TooManyEntries { entries, most });
        }
        let held = entries * ENTRY_BYTES + self.words.count() * POSTING_BYTES;
        let added = held.saturating_sub(self.charged);
        self.charged = self.charged.max(held);
        Ok(self.held.grow((VALUE_COPIES * value + added) as u64)?)
    }

    /// What is staged are the last records of a collection that is gone: there is no definition that could change, and they count for
    /// nobody any more.
    pub fn of_gone(&mut self, collection: CollectionNumber) {
        self.expected.insert(collection);
        (self.is_of_gone, self.is_consequence) = (true, true);
    }

    /// A new record. Gives its stored form, and the fields whose value another record of this batch has.
    pub async fn create(&mut self, schema: &Schema, id: RecordId, record: &Record) -> Result<(Vec<u8>, Vec<String>)> {
        self.add(schema, id, record, Action::Create, Previous::NONE, EarlierValues::default()).await
    }

    /// A new record under an id that another had before, if `tombstone` notes that.
    pub async fn make(
        &mut self,
        schema: &Schema,
        id: RecordId,
        record: &Record,
        tombstone: Option<&Entry>,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        match tombstone {
            Some(tombstone) => self.restore(schema, id, record, tombstone, EarlierValues::default()).await,
            None => self.create(schema, id, record).await,
        }
    }

    /// A record that was deleted under its old id, which `tombstone` notes. `kept` is what is known of its fields from before, where it is what
    /// it was.
    pub async fn restore(
        &mut self,
        schema: &Schema,
        id: RecordId,
        record: &Record,
        tombstone: &Entry,
        kept: EarlierValues,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        let key = keyspace::tombstone(schema.number(), id);
        self.batch.expect(key.clone(), Expect::Version(tombstone.version)).delete(key);
        self.was_there.insert(id);
        self.add(schema, id, record, Action::Restore, Previous::of_tombstone(tombstone), kept).await
    }

    async fn add(
        &mut self,
        schema: &Schema,
        id: RecordId,
        record: &Record,
        action: Action,
        previous: Previous,
        kept: EarlierValues,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        let owner = self.owner(record.owner()).await?;
        let key = keyspace::record(schema.number(), id);
        let taken = self.diff(id, Entries::default(), &Entries::of(schema, id, record, owner)).await?;
        self.try_coming(schema, id, None, Some((record, owner, &kept))).await?;
        let value = record::with_kept(self.write(schema, record, owner, previous)?, &kept)?;
        self.brought.note(self.core, schema.number(), id).await?;
        self.made.insert(key.clone());
        self.count(schema.number(), owner, 1);
        self.note(schema, id, action, previous, Sides { before: None, after: Some(record), lost: None }).await?;
        self.batch.expect(key.clone(), Expect::Absent).put(key, value.clone());
        self.charge(value.len())?;
        Ok((value, taken))
    }

    /// A changed record. Gives its stored form.
    pub async fn update(&mut self, schema: &Schema, before: &Stored, record: &Record) -> Result<Vec<u8>> {
        Ok(self.change(schema, before, record, EarlierValues::default()).await?.0)
    }

    /// A changed record beside others. Gives its stored form, and the fields whose value another record of this batch has.
    pub async fn replace(
        &mut self,
        schema: &Schema,
        before: &Stored,
        record: &Record,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        self.change(schema, before, record, EarlierValues::default()).await
    }

    /// A record that becomes what it was, of whose fields `known` is known from before. Gives the same.
    pub async fn put_back(
        &mut self,
        schema: &Schema,
        before: &Stored,
        record: &Record,
        mut known: EarlierValues,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        // Of what is gone now, what it is now has its own.
        known.retain(|field| schema.keys.fields.iter().any(|known| known.id == field));
        self.change(schema, before, record, known).await
    }

    /// Tries a change of a record against the definition that is to take the place of its own: keeps its entries in the indexes that are
    /// being made, or ends that change, since the definition in force alone decides.
    async fn try_coming(
        &mut self,
        schema: &Schema,
        id: RecordId,
        before: Option<(&Record, Option<OwnerNumber>, &EarlierValues)>,
        after: Option<(&Record, Option<OwnerNumber>, &EarlierValues)>,
    ) -> Result<()> {
        if self.expected.insert(schema.number()) {
            let key = keyspace::collection(&schema.collection.name);
            self.batch.expect(key, Expect::Version(schema.version));
        }
        let Some(coming) = schema.coming.as_deref().filter(|coming| !self.ended.contains(&coming.operation)) else {
            return Ok(());
        };
        let snapshot = self.core.store.snapshot().await?;
        let (mut old, mut had) = (Entries::default(), BTreeSet::new());
        if let Some((record, owner, kept)) = before {
            self.changed.insert((schema.number(), id));
            let record = coming.schema.translate(record.clone(), schema.keys.version, kept, None);
            let entries = Entries::of(&coming.schema, id, &record, owner).within(&coming.schema, &coming.new_indexes);
            had.extend(entries.uniques.keys().cloned());
            old = self.standing(&snapshot, coming, id, entries).await?;
        }
        let Some((record, owner, kept)) = after else {
            self.diff(id, old, &Entries::default()).await?;
            return Ok(());
        };
        let mut errors = FieldErrors::new();
        let record = coming.schema.translate(record.clone(), schema.keys.version, kept, Some(&mut errors));
        coming.check(&record, &mut errors);
        let new = Entries::of(&coming.schema, id, &record, owner).within(&coming.schema, &coming.new_indexes);
        for (key, field) in new.uniques.iter().filter(|(key, _)| !old.uniques.contains_key(*key)) {
            let holder = snapshot.get(key).await?;
            // One that this very record has, from before somebody looked.
            let is_taken = holder.is_some() && !self.released.contains(key);
            if is_taken || self.claimed.contains(key) {
                let (place, error) = taken(field);
                errors.push(place, error);
            } else if coming.hold && !had.contains(key) {
                self.check_unseen(&snapshot, coming, key, field, &mut errors).await?;
            }
        }
        for target in new.targets.difference(&old.targets) {
            if !self.made.contains(&target.key) && snapshot.get(&target.key).await?.is_none() {
                errors.push(target.field.clone(), does_not_exist(&target.id.to_string()));
            }
        }
        if errors.is_empty() {
            self.diff(id, old, &new).await?;
            return Ok(());
        }
        if coming.hold {
            return Err(Error::HeldBack(errors));
        }
        self.end_coming(schema, id, errors).await
    }

    /// Refuses a unique value that a record has which a change that holds writes back has not looked at yet.
    async fn check_unseen(
        &mut self,
        snapshot: &Snapshot,
        coming: &Coming,
        key: &Key,
        field: &str,
        errors: &mut FieldErrors,
    ) -> Result<()> {
        let unseen = match self.unseen.entry(coming.operation) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(unknown) => {
                let uniques = |id, record: &Record, owner| {
                    let entries = Entries::of(&coming.schema, id, record, owner);
                    entries.within(&coming.schema, &coming.new_indexes).uniques.into_keys().collect()
                };
                unknown.insert(Unseen::read(self.core, snapshot, coming, uniques).await?)
            }
        };
        let (place, error) = taken(field);
        match unseen.holder(key) {
            Holder::Is(id) if !self.changed.contains(&(coming.schema.number(), id)) => errors.push(place, error),
            Holder::Unknown => {
                let message = "Whether another record has this value is known when the change has looked at more of them. Send this again then.";
                errors.push(place, FieldError::new("unique", message));
            }
            Holder::Is(_) | Holder::Nobody => {}
        }
        Ok(())
    }

    /// Ends the change that is to bring another definition, since a record does not fit it.
    pub async fn end_coming(&mut self, schema: &Schema, id: RecordId, errors: FieldErrors) -> Result<()> {
        if let Some(coming) = &schema.coming
            && self.ended.insert(coming.operation)
        {
            end_change(self.core, &mut self.batch, schema, coming.operation, id, errors).await?;
        }
        Ok(())
    }

    /// Those of a record's entries in indexes that are being made which are there already. The others must not come meanwhile.
    async fn standing(
        &mut self,
        snapshot: &Snapshot,
        coming: &Coming,
        id: RecordId,
        mut entries: Entries,
    ) -> Result<Entries> {
        let keys: Vec<Key> = entries.indexes.iter().chain(entries.uniques.keys()).cloned().collect();
        let mut absent = BTreeSet::new();
        for (key, found) in keys.iter().zip(snapshot.get_many(&keys).await?) {
            let is_own = match &found {
                Some(entry) => entry.value.is_empty() || unique_holder(entry) == Some(id),
                None => false,
            };
            self.batch
                .expect(key.clone(), found.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version)));
            if !is_own {
                absent.insert(key.clone());
            }
        }
        let gone: BTreeSet<Target> =
            absent.iter().filter_map(|key| entries.target_of(&coming.schema, key)).cloned().collect();
        entries.indexes.retain(|key| !absent.contains(key));
        entries.uniques.retain(|key, _| !absent.contains(key));
        entries.targets.retain(|target| !gone.contains(target));
        Ok(entries)
    }

    async fn change(
        &mut self,
        schema: &Schema,
        before: &Stored,
        record: &Record,
        known: EarlierValues,
    ) -> Result<(Vec<u8>, Vec<String>)> {
        let Stored { id, entry, record: old } = before;
        let (old_owner, owner) = (self.owner(old.owner()).await?, self.owner(record.owner()).await?);
        let (old_entries, entries) =
            (Entries::of(schema, *id, old, old_owner), Entries::of(schema, *id, record, owner));
        let taken = self.diff(*id, old_entries, &entries).await?;
        let had = schema.kept(*id, &entry.value)?;
        let mut kept = kept_by_change(schema, &had, old, record);
        kept.extend(known);
        self.try_coming(schema, *id, Some((old, old_owner, &had)), Some((record, owner, &kept))).await?;
        if old_owner != owner {
            let collection = schema.number();
            self.batch.add(keyspace::owned_count(collection, old_owner), -1);
            self.batch.add(keyspace::owned_count(collection, owner), 1);
        }
        self.usage.add(old_owner, -1, -record::counted_size(&entry.value)?);
        let previous = Previous::of_record(entry)?;
        let value = record::with_kept(self.write(schema, record, owner, previous)?, &kept)?;
        let lost = schema.lost(*id, &entry.value, old, Some(&kept))?;
        let sides = Sides { before: Some(old), after: Some(record), lost };
        self.note(schema, *id, Action::Update, previous, sides).await?;
        let key = keyspace::record(schema.number(), *id);
        self.batch.expect(key.clone(), Expect::Version(entry.version)).put(key, value.clone());
        self.charge(value.len())?;
        Ok((value, taken))
    }

    /// A record that is deleted.
    pub async fn delete(&mut self, schema: &Schema, id: RecordId, entry: &Entry) -> Result<()> {
        let old = schema.decode(id, &entry.value)?;
        let owner = self.owner(old.owner()).await?;
        self.count(schema.number(), owner, -1);
        if !self.is_of_gone {
            self.usage.add(owner, -1, -record::counted_size(&entry.value)?);
        }
        self.diff(id, Entries::of(schema, id, &old, owner), &Entries::default()).await?;
        self.try_coming(schema, id, Some((&old, owner, &schema.kept(id, &entry.value)?)), None).await?;
        let previous = Previous::of_record(entry)?;
        let lost = schema.lost(id, &entry.value, &old, None)?;
        let sides = Sides { before: Some(&old), after: None, lost };
        let place = self.note(schema, id, Action::Delete, previous, sides).await?;
        let tombstone = journal::tombstone_value(place, previous.nth.saturating_add(1), old.owner());
        self.batch.put(keyspace::tombstone(schema.number(), id), tombstone);
        let key = keyspace::record(schema.number(), id);
        self.batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
        Ok(())
    }

    /// Versions are kept whether or not there is room for them.
    pub fn has_made_room(&mut self) {
        self.usage.has_made_room = true;
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
            if by > 0 && !self.made.contains(&target.key) {
                self.batch.expect(target.key, Expect::Present);
            }
            if by != 0 {
                self.batch.add(keyspace::referrers(target.collection, target.id), by);
            }
        }
        for (key, value) in self.words.entries(false) {
            self.batch.put(key, value);
        }
        self.brought.stage(&mut self.batch);
        self.usage.stage(self.core, self.caller, &mut self.batch);
        self.batch
    }

    /// The words that a record had and has. What stands by itself is read, since it says whether a block has the record too; of a record that is
    /// new under a UUID nothing stands.
    async fn diff_words(&mut self, id: RecordId, before: Option<Words>, after: Option<&Words>) -> Result<()> {
        let Some(index) = after.or(before.as_ref()).map(|words| words.index) else { return Ok(()) };
        let is_new = before.is_none() && id.number().is_none() && !self.was_there.contains(&id);
        let mut before = before.map(|words| words.weights).unwrap_or_default();
        let mut changed: Vec<(&str, u8, bool)> = Vec::new();
        for (word, weight) in after.iter().flat_map(|words| &words.weights) {
            match before.remove(word) {
                Some(same) if same == *weight => {}
                had => changed.push((word, *weight, had.is_some())),
            }
        }
        changed.extend(before.keys().map(|word| (word.as_str(), 0, true)));
        let keys: Vec<Key> = changed.iter().map(|(word, ..)| index.entry(word, id)).collect();
        let found = if is_new || self.is_of_gone {
            vec![None; keys.len()]
        } else {
            self.core.store.snapshot().await?.get_many(&keys).await?
        };
        for (((word, weight, had_it), key), found) in changed.into_iter().zip(keys).zip(found) {
            let single = found.as_ref().map(Single::of);
            if let Some(entry) = &found {
                self.batch.expect(key.clone(), Expect::Version(entry.version));
            } else if !had_it {
                self.words.add(index, word, id, weight);
                continue;
            }
            // Blocks of a collection that is gone go with all of its indexes.
            match Single::changed(single, weight, had_it).filter(|_| !self.is_of_gone) {
                Some(single) => self.batch.put(key, single.value()),
                None => self.batch.delete(key),
            };
        }
        Ok(())
    }

    async fn diff(&mut self, id: RecordId, mut before: Entries, after: &Entries) -> Result<Vec<String>> {
        let mut taken = Vec::new();
        self.diff_words(id, before.words.take(), after.words.as_ref()).await?;
        for key in before.indexes.difference(&after.indexes) {
            self.batch.delete(key.clone());
        }
        for key in after.indexes.difference(&before.indexes) {
            self.batch.put(key.clone(), Vec::new());
        }
        for key in before.uniques.keys().filter(|key| !after.uniques.contains_key(key)) {
            // What was given up ahead may be another record's by now.
            if !self.given_up.contains(key) {
                self.release(id, key).await?;
            }
        }
        for (key, field) in after.uniques.iter().filter(|(key, _)| !before.uniques.contains_key(key)) {
            if !self.claimed.insert(key.clone()) {
                taken.push(field.clone());
                continue;
            }
            if !self.released.contains(key) {
                self.batch.expect(key.clone(), Expect::Absent);
            }
            self.batch.put(key.clone(), unique_value(id));
        }
        for target in before.targets {
            *self.references.entry(target).or_default() -= 1;
        }
        for target in &after.targets {
            *self.references.entry(target.clone()).or_default() += 1;
        }
        Ok(taken)
    }

    /// Gives up ahead of a change, or of a deletion, the unique values that a record will not have any more, so that other records of this batch
    /// can take them: uniqueness is judged by what is there after the commit. The change itself has to be staged too.
    pub async fn give_up(&mut self, schema: &Schema, before: &Stored, after: Option<&Record>) -> Result<()> {
        let owner = self.owner(before.record.owner()).await?;
        let old = Entries::of(schema, before.id, &before.record, owner);
        let new = match after {
            Some(record) => Entries::of(schema, before.id, record, self.owner(record.owner()).await?),
            None => Entries::default(),
        };
        self.give_up_keys(before.id, &old, &new).await?;
        // The same in an index that is being made.
        let Some(coming) = schema.coming.as_deref().filter(|coming| !self.ended.contains(&coming.operation)) else {
            return Ok(());
        };
        let had = schema.kept(before.id, &before.entry.value)?;
        let translated = |record: &Record, owner, kept: &EarlierValues| {
            let record = coming.schema.translate(record.clone(), schema.keys.version, kept, None);
            Entries::of(&coming.schema, before.id, &record, owner).within(&coming.schema, &coming.new_indexes)
        };
        let new = match after {
            Some(record) => {
                let kept = kept_by_change(schema, &had, &before.record, record);
                translated(record, self.owner(record.owner()).await?, &kept)
            }
            None => Entries::default(),
        };
        let (snapshot, old) = (self.core.store.snapshot().await?, translated(&before.record, owner, &had));
        let old = self.standing(&snapshot, coming, before.id, old).await?;
        self.give_up_keys(before.id, &old, &new).await
    }

    async fn give_up_keys(&mut self, id: RecordId, old: &Entries, new: &Entries) -> Result<()> {
        for key in old.uniques.keys().filter(|key| !new.uniques.contains_key(*key)) {
            self.release(id, key).await?;
            if self.released.contains(key) {
                self.given_up.insert(key.clone());
            }
        }
        Ok(())
    }

    /// The unique values that what is staged so far gives up.
    pub fn released(&self) -> &BTreeSet<Key> {
        &self.released
    }

    /// The unique values that were given up ahead.
    pub fn given_up(&self) -> &BTreeSet<Key> {
        &self.given_up
    }

    /// Gives a unique value up. An earlier version may have told it apart from that of another record: then it is that record's.
    async fn release(&mut self, id: RecordId, key: &Key) -> Result<()> {
        let store = &self.core.store;
        let Some(entry) = store.get(key).await? else { return Ok(()) };
        if unique_holder(&entry) != Some(id) {
            self.batch.delete(keyspace::unique_waiting(key, id));
            return Ok(());
        }
        // Both are expected as they are read.
        let waiting = store.scan(Scan::prefix(key).after(key).limit(1)).await?;
        let next = waiting.into_iter().find_map(|(key, entry)| Some((key, unique_holder(&entry)?)));
        if let Some((waiting, other)) = next {
            self.batch
                .expect(key.clone(), Expect::Version(entry.version))
                .expect(waiting.clone(), Expect::Present)
                .put(key.clone(), unique_value(other))
                .delete(waiting);
        } else {
            self.released.insert(key.clone());
            self.batch.delete(key.clone());
        }
        Ok(())
    }

    fn count(&mut self, collection: CollectionNumber, owner: Option<OwnerNumber>, by: i64) {
        self.batch.add(keyspace::count(collection), by).add(keyspace::owned_count(collection, owner), by);
    }

    /// The stored form of a record that comes, counted for its owner. Its entry in the journal is the next.
    fn write(
        &mut self,
        schema: &Schema,
        record: &Record,
        owner: Option<OwnerNumber>,
        previous: Previous,
    ) -> Result<Vec<u8>> {
        let nth = previous.nth.saturating_add(1);
        let head = record::Head::new(schema.keys.version, Some(self.batch.appended()), nth);
        let record::Encoded { value, counted, json } = record::encode(head, record)?;
        if json > MAX_RECORD_BYTES {
            return Err(Error::TooLarge { limit: MAX_RECORD_BYTES, size: json });
        }
        self.usage.add(owner, 1, counted);
        Ok(value)
    }

    /// The number of an owner, given with this batch if need be.
    async fn owner(&mut self, user: Option<UserId>) -> Result<Option<OwnerNumber>> {
        let Some(user) = user else { return Ok(None) };
        if let Some(number) = self.core.owners.known(user).or_else(|| self.new_owners.get(&user).copied()) {
            return Ok(Some(number));
        }
        if let Some(number) = self.core.owners.number(&self.core.store.snapshot().await?, user).await? {
            return Ok(Some(number));
        }
        let mut last = self.new_owners.values().max().copied();
        let number = owners::stage_new(&self.core.store, &mut self.batch, user, &mut last).await?;
        self.new_owners.insert(user, number);
        Ok(Some(number))
    }

    /// Adds the entry of a change to the journal; gives its place in the commit.
    async fn note(
        &mut self,
        schema: &Schema,
        id: RecordId,
        action: Action,
        previous: Previous,
        sides: Sides<'_>,
    ) -> Result<u32> {
        let Sides { before, after, lost } = sides;
        let place = self.batch.appended();
        let change = journal::RecordChange {
            collection: schema.number(),
            id,
            action,
            operation: journal::operation(),
            at: self.core.stamp(),
            by: self.caller.user_id(),
            owner_before: before.and_then(Record::owner),
            owner_after: after.and_then(Record::owner),
            definition: schema.keys.version,
            previous: previous.link,
            nth: previous.nth.saturating_add(1),
            is_consequence: self.is_consequence,
        };
        let forgets = self.forgets && action == Action::Delete;
        let values = if forgets {
            journal::Values::default()
        } else {
            journal::Values { lost, ..journal::Values::between(before, after) }
        };
        let counted = change.counted(&values);
        if counted > 0 {
            let maker = self.owner(self.caller.user_id()).await?;
            self.usage.add_history(maker, counted);
        }
        self.batch.append(change.with(&values)?);
        Ok(place)
    }
}

/// What is kept of a record's fields when it is changed: a field that gets another value has no earlier one to go back to.
pub fn kept_by_change(schema: &Schema, had: &EarlierValues, before: &Record, after: &Record) -> EarlierValues {
    let mut kept = had.clone();
    kept.retain(|field| {
        let known = schema.keys.fields.iter().find(|known| known.id == field);
        known.is_none_or(|known| before.is_same(after, known.name.as_str()))
    });
    kept
}
