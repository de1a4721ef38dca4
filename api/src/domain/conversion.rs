//! From words to numbers: what was stored before format 3, and what is in a backup, as it is stored now. Indexes, unique values
//! and counts are made from the records, whatever was there.
//!
//! - `moments`: the one form of moments, which earlier versions wrote with fewer digits
//! - `store_dir`: converting a whole store when it is opened

mod moments;
pub mod store_dir;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use ::store::{
    Entry, Key, Version, counter,
    journal::{Appended, Packer, Position},
};
use base::IdSource;
use common::{
    change::{Change, Subject},
    field::FieldType,
    id::{CollectionId, OperationId, RecordId, UserId},
    name::CollectionName,
    record::Record,
};

use super::{
    error::Result,
    journal::{self, Action, Link, RecordChange, Values},
    keyspace,
    layout::Lost,
    numbered::Numbered,
    numbers::{CollectionNumber, Keys, OwnerNumber},
    record,
    schema::{Schema, StoredDefinition},
    search::postings::Gathered,
    stage,
    views::StoredView,
    words::{self, Definition},
};

/// Words of records that are gathered before they are written.
const WORDS_AT_ONCE: usize = 300_000;

/// What is converted, and what was learnt of it so far. Definitions are needed before anything else.
pub struct Converter<'a> {
    ids: &'a IdSource,
    /// The words of records.
    words: Gathered,
    /// The last version of what is converted; what is derived is written by it.
    version: Version,
    schemas: HashMap<CollectionId, Schema>,
    numbers: HashMap<CollectionId, CollectionNumber>,
    names: BTreeMap<CollectionNumber, Numbered>,
    owners: HashMap<UserId, OwnerNumber>,
    packer: Packer,
    /// The operation whose entries come, their commit, and how many there were so far.
    operation: Option<(OperationId, Version, u32)>,
    /// The tombstones of collections that are gone.
    gone: HashMap<Key, Entry>,
    /// The largest numbers of records.
    last_records: HashMap<CollectionNumber, i64>,
    counts: HashMap<Key, i64>,
    usage: HashMap<Option<OwnerNumber>, [i64; 3]>,
    collections: i64,
    /// The unique values that were given out, as far as they must be known again.
    uniques: HashSet<u64>,
    hasher: RandomState,
}

impl<'a> Converter<'a> {
    /// With all definitions, in words: entries of the space [`words::COLLECTIONS`]. Those that cannot be read stay so.
    pub fn new(ids: &'a IdSource, version: Version, definitions: &[Entry]) -> Self {
        let mut converter = Self {
            ids,
            words: Gathered::default(),
            version,
            schemas: HashMap::new(),
            numbers: HashMap::new(),
            names: BTreeMap::new(),
            owners: HashMap::new(),
            packer: Packer::default(),
            operation: None,
            gone: HashMap::new(),
            last_records: HashMap::new(),
            counts: HashMap::new(),
            usage: HashMap::new(),
            collections: 0,
            uniques: HashSet::new(),
            hasher: RandomState::new(),
        };
        let read = |entry: &Entry| Some((serde_json::from_slice::<Definition>(&entry.value).ok()?, entry.version));
        let mut found: Vec<_> = definitions.iter().filter_map(read).collect();
        // In the order in which they were made, so that the oldest have the shortest keys.
        found.sort_by_key(|(definition, _)| definition.collection.id);
        for (definition, _) in &found {
            converter.number(definition.collection.id, Some(&definition.collection.name));
        }
        for (definition, version) in &found {
            let schema = converter.schema(definition, *version);
            converter.schemas.insert(definition.collection.id, schema);
        }
        converter
    }

    fn schema(&mut self, definition: &Definition, version: Version) -> Schema {
        let Definition { collection, definition: own_version, field_ids, steps } = definition;
        let number = self.number(collection.id, Some(&collection.name));
        let mut keys = Keys::new(number, collection, &mut || self.ids.next_id());
        keys.version = own_version.unwrap_or(1);
        keys.steps.clone_from(steps);
        for field in &mut keys.fields {
            field.id = field_ids.get(&field.name).copied().unwrap_or(field.id);
        }
        let mut targets = HashMap::new();
        for field in &collection.fields {
            if let FieldType::Reference { collection: Some(target), .. } = &field.kind
                && let Some(number) = self.named(target)
            {
                targets.insert(target.clone(), number);
            }
        }
        Schema::new(StoredDefinition::new(collection.clone(), keys), version, targets)
    }

    fn named(&self, name: &CollectionName) -> Option<CollectionNumber> {
        // One of today comes after one of the same name that is gone.
        self.names.iter().find(|(_, known)| known.name == *name).map(|(number, _)| *number)
    }

    /// The number of a collection, given now if it has none. One that is gone is known by the journal.
    fn number(&mut self, id: CollectionId, name: Option<&CollectionName>) -> CollectionNumber {
        let next = u32::try_from(self.numbers.len() + 1).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(id).or_insert(CollectionNumber(next));
        if let Some(name) = name
            && !self.names.contains_key(&number)
        {
            self.names.insert(number, Numbered { id, name: name.clone() });
        }
        number
    }

    /// A number of a record was given: no other gets it.
    fn reserve(&mut self, collection: CollectionNumber, given: Option<i64>) {
        if let Some(given) = given.filter(|given| *given > 0) {
            let last = self.last_records.entry(collection).or_default();
            *last = given.max(*last);
        }
    }

    fn owner(&mut self, user: Option<UserId>) -> Option<OwnerNumber> {
        let next = u32::try_from(self.owners.len() + 1).unwrap_or(u32::MAX);
        user.map(|user| *self.owners.entry(user).or_insert(OwnerNumber(next)))
    }

    /// What an entry becomes. Entries come in the order of their keys.
    pub fn convert(&mut self, key: &Key, entry: Entry, out: &mut Vec<(Key, Entry)>) -> Result<()> {
        let mut elements = key.elements();
        let word = elements.space().unwrap_or_default();
        match word {
            words::CHANGES => {
                if let (Ok(version), Ok(place)) = (elements.int(), elements.int()) {
                    let version = Version::new(u64::try_from(version).unwrap_or(0));
                    self.change(Position { version, place: u32::try_from(place).unwrap_or(0) }, &entry, out)?;
                }
            }
            words::COLLECTIONS => self.definition(key, entry, out)?,
            words::RECORDS => {
                if let (Ok(collection), Some(id)) = (elements.uuid(), keyspace::last_id(key)) {
                    self.record(CollectionId::from_uuid(collection), id, &entry, out)?;
                }
            }
            words::GONE => {
                if let (Ok(collection), Some(id)) = (elements.uuid(), keyspace::last_id(key)) {
                    let collection = CollectionId::from_uuid(collection);
                    let number = self.number(collection, None);
                    self.reserve(number, id.number());
                    let key = keyspace::tombstone(number, id);
                    if self.schemas.contains_key(&collection) {
                        out.push((key, entry));
                    } else {
                        self.gone.insert(key, entry);
                    }
                }
            }
            words::LAST_RECORDS => {
                if let Ok(collection) = elements.uuid() {
                    let number = self.number(CollectionId::from_uuid(collection), None);
                    self.reserve(number, counter(&entry));
                }
            }
            words::VIEWS => self.view(key, &entry, out)?,
            words::META if elements.text().is_ok_and(|name| words::DERIVED.contains(&name.as_str())) => {}
            // What is derived is made anew.
            "counts" | "index" | "referrers" | "unique" | "usage" => {}
            word => {
                let Some((space, _)) = keyspace::SPACES.iter().find(|(_, known)| *known == word) else {
                    tracing::warn!("an entry under a key that is not Coffer's was left out");
                    return Ok(());
                };
                if let Some(id) = elements.uuid().ok().filter(|_| word == words::USERS) {
                    self.owner(Some(UserId::from_uuid(id)));
                }
                let value = moments::in_json(&entry.value).map_or(entry.value, Into::into);
                out.push((keyspace::in_space(key, space), Entry { value, ..entry }));
            }
        }
        Ok(())
    }

    fn definition(&mut self, key: &Key, entry: Entry, out: &mut Vec<(Key, Entry)>) -> Result<()> {
        let read = serde_json::from_slice::<Definition>(&entry.value).ok();
        let value = match read.and_then(|definition| self.schemas.get(&definition.collection.id)) {
            Some(Schema { collection, keys, .. }) => {
                self.collections += 1;
                for alias in &collection.aliases {
                    let (version, number) = (entry.version, i64::from(keys.number.0).to_be_bytes().to_vec());
                    out.push((keyspace::collection_alias(alias), Entry { version, value: number.into() }));
                }
                let mut collection = collection.clone();
                for moment in [&mut collection.created_at, &mut collection.updated_at] {
                    moments::make_canonical(moment);
                }
                serde_json::to_vec(&StoredDefinition::new(collection, keys.clone()))?.into()
            }
            None => entry.value,
        };
        out.push((keyspace::in_space(key, keyspace::COLLECTIONS), Entry { value, ..entry }));
        Ok(())
    }

    /// A view, and what it is found by. One of a collection that is not there is left out.
    fn view(&mut self, key: &Key, entry: &Entry, out: &mut Vec<(Key, Entry)>) -> Result<()> {
        let (version, mut value) = (entry.version, entry.value.clone());
        if let Ok(mut view) = StoredView::read(entry) {
            if !self.schemas.contains_key(&view.collection) {
                return Ok(());
            }
            view.number = self.number(view.collection, None);
            value = serde_json::to_vec(&view)?.into();
            out.extend(view.found_by().map(|key| (key, Entry { version, value: Vec::new().into() })));
        }
        out.push((keyspace::in_space(key, keyspace::VIEWS), Entry { version, value }));
        Ok(())
    }

    fn record(
        &mut self,
        collection: CollectionId,
        id: RecordId,
        entry: &Entry,
        out: &mut Vec<(Key, Entry)>,
    ) -> Result<()> {
        let number = self.number(collection, None);
        self.reserve(number, id.number());
        let version = entry.version;
        let read = Record::from_slice(&entry.value).ok().filter(|record| record.id() == Some(id));
        let Some(mut record) = read else {
            let value = record::unreadable(&entry.value).into();
            out.push((keyspace::record(number, id), Entry { version, value }));
            return Ok(());
        };
        let kept = record::EarlierValues::take_from(&mut record);
        let written = record.take(words::WRITTEN).and_then(|version| u32::try_from(version.as_u64()?).ok());
        // What was written under an earlier definition is not of today's types, and has its form already.
        moments::in_record(&mut record, self.schemas.get(&collection).filter(|_| written.is_none()));
        let owner = self.owner(record.owner());
        let definition = self.schemas.get(&collection).map_or(0, |schema| schema.keys.version);
        let definition = written.unwrap_or(definition);
        let encoded = record::encode(record::Head::new(definition, None, 0), &record)?;
        let value = record::with_kept(encoded.value, &kept)?.into();
        out.push((keyspace::record(number, id), Entry { version, value }));
        let usage = self.usage.entry(owner).or_default();
        usage[0] += 1;
        usage[1] += encoded.counted;
        let Some(schema) = self.schemas.get(&collection) else { return Ok(()) };
        let record = if written.is_some() { schema.translate(record, definition, &kept, None) } else { record };
        let entries = stage::Entries::of(schema, id, &record, owner);
        for key in [keyspace::count(number), keyspace::owned_count(number, owner)] {
            *self.counts.entry(key).or_default() += 1;
        }
        for target in entries.targets {
            *self.counts.entry(keyspace::referrers(target.collection, target.id)).or_default() += 1;
        }
        out.extend(entries.indexes.into_iter().map(|key| (key, Entry { version, value: Vec::new().into() })));
        if let Some(stage::Words { index, weights }) = entries.words {
            for (word, weight) in weights {
                self.words.add(index, &word, id, weight);
            }
        }
        if self.words.count() > WORDS_AT_ONCE {
            let words = std::mem::take(&mut self.words).entries(false);
            out.extend(words.map(|(key, value)| (key, Entry { version, value: value.into() })));
        }
        for key in entries.uniques.into_keys() {
            // Two records with one value are a fault that a check tells of; here it would be one key twice. The other waits for it.
            let is_first = self.uniques.insert(self.hasher.hash_one(&key));
            let key = if is_first { key } else { keyspace::unique_waiting(&key, id) };
            out.push((key, Entry { version, value: stage::unique_value(id).into() }));
        }
        Ok(())
    }

    fn change(&mut self, at: Position, entry: &Entry, out: &mut Vec<(Key, Entry)>) -> Result<()> {
        let bytes = match words::Entry::from_slice(&entry.value) {
            Ok(entry) => {
                self.count_operation(at, entry.more.operation, out);
                self.note_gone(at, &entry.change);
                self.entry(entry)?
            }
            // A check tells of it.
            Err(_) => entry.value.to_vec(),
        };
        out.extend(self.packer.push(Appended { at, bytes: bytes.into() }));
        Ok(())
    }

    /// Notes where an operation's entries are. They come in order, and those of a commit together.
    fn count_operation(&mut self, at: Position, operation: Option<OperationId>, out: &mut Vec<(Key, Entry)>) {
        match &mut self.operation {
            Some((id, version, count)) if (Some(*id), *version) == (operation, at.version) => *count += 1,
            _ => {
                self.finish_operation(out);
                self.operation = operation.map(|id| (id, at.version, 1));
            }
        }
    }

    fn finish_operation(&mut self, out: &mut Vec<(Key, Entry)>) {
        if let Some((id, version, count)) = self.operation.take() {
            let value = count.to_be_bytes().to_vec().into();
            out.push((keyspace::operation_part(id, Some(version)), Entry { version, value }));
        }
    }

    /// A collection that is gone took the tombstones of its records with it, before format 3. The journal says where they were.
    fn note_gone(&mut self, at: Position, change: &Change) {
        let Some(collection) = change.collection_id.filter(|id| !self.schemas.contains_key(id)) else { return };
        let Ok(id) = change.id.parse() else { return };
        let key = keyspace::tombstone(self.number(collection, change.collection.as_ref()), id);
        match Action::of(change.action).filter(|_| change.subject == Subject::Record) {
            Some(Action::Delete) => {
                let value = i64::from(at.place).to_be_bytes().to_vec().into();
                self.gone.insert(key, Entry { version: at.version, value });
            }
            Some(Action::Restore) => drop(self.gone.remove(&key)),
            _ => {}
        }
    }

    fn entry(&mut self, entry: words::Entry) -> Result<Vec<u8>> {
        let words::Entry { mut change, more: words::More { operation, rest } } = entry;
        change.operation = None;
        let schema = change.collection_id.and_then(|id| self.schemas.get(&id)).filter(|_| rest.is_none());
        moments::in_change(&mut change, schema);
        let number = change.collection_id.map(|id| self.number(id, change.collection.as_ref()));
        let Some((mut record, mut values)) = number.and_then(|number| of_record(number, &change)) else {
            return Ok(journal::bytes_of(operation, &change));
        };
        record.operation = operation;
        if let Some(rest) = rest {
            record.owner_before = rest.owner_before;
            record.owner_after = rest.owner_after;
            record.definition = rest.definition;
            record.is_consequence = rest.is_consequence;
            record.previous = record.previous.map(|link| Link::new(link.version(), rest.previous_place));
            values.before = moments::values_of(&change.before).unwrap_or_default();
            values.added = rest.added;
            values.lost = rest.written.zip(rest.lost).map(|(version, members)| Lost { version, members });
        }
        let counted = record.counted(&values);
        if counted > 0 {
            let maker = self.owner(record.by);
            self.usage.entry(maker).or_default()[2] += counted;
        }
        record.with(&values)
    }

    /// What is left when all entries were converted.
    pub fn finish(mut self, out: &mut Vec<(Key, Entry)>) -> Result<()> {
        out.extend(self.packer.finish());
        self.finish_operation(out);
        out.extend(std::mem::take(&mut self.gone));
        let version = self.version;
        let mut put = |key: Key, value: Vec<u8>| out.push((key, Entry { version, value: value.into() }));
        for (key, value) in std::mem::take(&mut self.words).entries(false) {
            put(key, value);
        }
        let as_counter = |n: usize| i64::try_from(n).unwrap_or(i64::MAX).to_be_bytes().to_vec();
        for (number, named) in &self.names {
            put(keyspace::numbered(*number), serde_json::to_vec(named)?);
        }
        for (user, number) in &self.owners {
            put(keyspace::owner(*user), i64::from(number.0).to_be_bytes().to_vec());
        }
        for (number, last) in self.last_records {
            put(keyspace::last_record(number), last.to_be_bytes().to_vec());
        }
        for (key, count) in self.counts {
            put(key, count.to_be_bytes().to_vec());
        }
        for (owner, sums) in self.usage {
            put(keyspace::usage(owner), sums.map(i64::to_be_bytes).concat());
        }
        for (key, count) in [
            (keyspace::last_collection(), as_counter(self.numbers.len())),
            (keyspace::last_owner(), as_counter(self.owners.len())),
            (keyspace::collection_count(), self.collections.to_be_bytes().to_vec()),
        ] {
            put(key, count);
        }
        Ok(())
    }
}

/// The entry of a record's change, where it is one; with what its values say of owners.
fn of_record(collection: CollectionNumber, change: &Change) -> Option<(RecordChange, Values)> {
    let action = Action::of(change.action).filter(|_| change.subject == Subject::Record)?;
    let at = record::stamp(&change.at)?;
    let [before, after] = [&change.before, &change.after].map(moments::values_of);
    let entry = RecordChange {
        collection,
        id: change.id.parse().ok()?,
        action,
        operation: None,
        at,
        by: change.by,
        owner_before: before.as_ref().and_then(Record::owner),
        owner_after: after.as_ref().and_then(Record::owner),
        definition: 0,
        previous: change.previous.map(|previous| Link::new(Version::new(previous.0), None)),
        nth: 0,
        is_consequence: false,
    };
    Some((entry, Values::between(before.as_ref(), after.as_ref())))
}
