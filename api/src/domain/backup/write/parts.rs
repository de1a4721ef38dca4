//! What is stored, in words, a page at a time and in the order of the words' keys.

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;
use common::{
    change::Change,
    id::{CollectionId, RecordId, Revision},
    json::Exact,
    record::Record,
};
use store::{
    Entry, Key, Pages, Scan, Snapshot, Version,
    journal::{self as blocks, Appended, Blocks, Position},
};

use crate::domain::{
    Result, gone,
    journal::{self, RecordChange, Values},
    keyspace,
    numbered::{Directory, Numbered},
    numbers::CollectionNumber,
    record,
    schema::{self, Schema, StoredDefinition},
    views, words,
};

/// One space of words, or what it has of one collection.
#[derive(Debug, Clone, Copy)]
enum Section {
    Changes,
    Definitions,
    Tombstones(CollectionNumber, CollectionId),
    LastRecord(CollectionNumber, CollectionId),
    Records(CollectionNumber, CollectionId),
    Views,
    /// The same elements under another word.
    Same(&'static str, &'static str),
}

/// Everything that is in a backup.
pub(super) struct Parts<'a> {
    snapshot: &'a Snapshot,
    /// What is still to come; `None` before it is known.
    rest: Option<VecDeque<Section>>,
    now: Option<Section>,
    pages: Option<Pages<'a>>,
    journal: Option<Blocks<'a>>,
    directory: Directory,
    /// The definitions, by their collections' numbers.
    schemas: HashMap<CollectionNumber, Schema>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            rest: None,
            now: None,
            pages: None,
            journal: None,
            directory: Directory::default(),
            schemas: HashMap::new(),
        }
    }

    /// The next page; `None` when everything has been seen.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<(Key, Entry)>>> {
        if self.rest.is_none() {
            self.rest = Some(plan(self.snapshot).await?);
            self.schemas = schema::readable(self.snapshot).await?;
        }
        loop {
            if let Some(page) = self.page().await? {
                return Ok(Some(page));
            }
            let Some(part) = self.rest.as_mut().and_then(VecDeque::pop_front) else { return Ok(None) };
            self.now = Some(part);
            let prefix = match part {
                Section::Changes => {
                    let begin = Position { version: Version::ZERO, place: 0 };
                    self.journal = Some(blocks::blocks_from(self.snapshot, begin).await?);
                    continue;
                }
                Section::Definitions => keyspace::collections(),
                Section::Tombstones(number, _) => keyspace::tombstones(number),
                Section::LastRecord(number, _) => keyspace::last_record(number),
                Section::Records(number, _) => keyspace::records(number),
                Section::Views => keyspace::views(),
                Section::Same(space, _) => Key::space(space),
            };
            self.pages = Some(self.snapshot.pages(Scan::prefix(&prefix)));
        }
    }

    /// The next page of the part that is under way.
    async fn page(&mut self) -> Result<Option<Vec<(Key, Entry)>>> {
        if let Some(journal) = &mut self.journal {
            let Some(block) = journal.next().await? else {
                self.journal = None;
                return Ok(None);
            };
            let mut page = Vec::with_capacity(block.entries.len());
            for appended in block.entries {
                page.push(change(self.snapshot, &mut self.directory, &appended).await?);
            }
            return Ok(Some(page));
        }
        let (Some(part), Some(pages)) = (self.now, &mut self.pages) else { return Ok(None) };
        let Some(page) = pages.next().await? else {
            self.pages = None;
            return Ok(None);
        };
        page.into_iter()
            .filter_map(|(key, entry)| in_words(part, &self.schemas, &key, entry).transpose())
            .collect::<Result<_>>()
            .map(Some)
    }
}

/// All parts, in the order of their keys: collections by id.
async fn plan(snapshot: &Snapshot) -> Result<VecDeque<Section>> {
    let (mut collections, mut left) = (Vec::new(), HashSet::new());
    for (key, entry) in snapshot.scan(Scan::prefix(&keyspace::numbers())).await? {
        let numbered: Numbered = serde_json::from_slice(&entry.value)?;
        collections.extend(keyspace::collection_of(&key).map(|number| (numbered.id, number)));
        // What is still to be removed of a collection that is gone.
        left.extend(gone::parse(&entry).map(|gone| gone.number()));
    }
    collections.sort_unstable();
    let mut parts = VecDeque::from([Section::Changes, Section::Definitions, Section::Same("e", words::EMAILS)]);
    parts.extend(collections.iter().map(|(id, number)| Section::Tombstones(*number, *id)));
    parts.push_back(Section::Same("z", words::INVITATIONS));
    parts.extend(collections.iter().map(|(id, number)| Section::LastRecord(*number, *id)));
    parts.push_back(Section::Same("m", words::META));
    parts.push_back(Section::Same(keyspace::MIGRATIONS, words::MIGRATIONS));
    parts.push_back(Section::Same(keyspace::PATHS, words::PATHS));
    let there = collections.iter().filter(|(_, number)| !left.contains(number));
    parts.extend(there.map(|(id, number)| Section::Records(*number, *id)));
    parts.push_back(Section::Same("k", words::USERNAMES));
    parts.push_back(Section::Same(keyspace::USERS, words::USERS));
    parts.push_back(Section::Views);
    Ok(parts)
}

/// An entry in words; `None` for one that is in no backup. What cannot be read is in it as it is, and a check of the restored store
/// tells of it.
fn in_words(
    part: Section,
    schemas: &HashMap<CollectionNumber, Schema>,
    key: &Key,
    entry: Entry,
) -> Result<Option<(Key, Entry)>> {
    let version = entry.version;
    Ok(Some(match part {
        Section::Changes => return Ok(None),
        Section::Definitions => {
            let value = match serde_json::from_slice(&entry.value) {
                Ok(StoredDefinition { collection, keys, .. }) => serde_json::to_vec(&words::Definition {
                    collection,
                    definition: Some(keys.version),
                    field_ids: keys.fields.into_iter().map(|field| (field.name, field.id)).collect(),
                    steps: keys.steps,
                })?
                .into(),
                Err(_) => entry.value,
            };
            (keyspace::in_space(key, words::COLLECTIONS), Entry { version, value })
        }
        Section::Tombstones(_, collection) => {
            let Some(id) = keyspace::last_id(key) else { return Ok(None) };
            (keyspace::with_id(Key::space(words::GONE).uuid(collection.uuid()), id), entry)
        }
        Section::LastRecord(_, collection) => (Key::space(words::LAST_RECORDS).uuid(collection.uuid()), entry),
        Section::Records(number, collection) => {
            let Some(id) = keyspace::last_id(key) else { return Ok(None) };
            let value = record_in_words(schemas.get(&number), id, &entry.value).unwrap_or(entry.value);
            (keyspace::with_id(Key::space(words::RECORDS).uuid(collection.uuid()), id), Entry { version, value })
        }
        // What they are found by is made anew.
        Section::Views if views::id_of(key).is_none() => return Ok(None),
        Section::Views => (keyspace::in_space(key, words::VIEWS), entry),
        Section::Same(_, words::META) if words::DERIVED.iter().any(|name| *key == keyspace::single(name)) => {
            return Ok(None);
        }
        Section::Same(_, word) => (keyspace::in_space(key, word), entry),
    }))
}

/// A record in words: as it was written, since its history leads back from there.
fn record_in_words(schema: Option<&Schema>, id: RecordId, value: &[u8]) -> Result<Bytes> {
    match schema {
        Some(schema) if schema.look_since(value)?.is_some() => {
            let (mut record, version) = schema.original(id, value)?;
            record.set(words::WRITTEN, version);
            record.extend(record::kept(value)?.as_members().clone());
            record::json_of(&record, None)
        }
        _ => record::json(id, value, None),
    }
}

/// An entry of the journal in words.
async fn change(snapshot: &Snapshot, directory: &mut Directory, appended: &Appended) -> Result<(Key, Entry)> {
    let Position { version, place } = appended.at;
    let value = match journal::parse(&appended.bytes) {
        Ok(journal::Entry::Other(change, operation)) => {
            words::Entry { change: *change, more: words::More { operation, rest: None } }.to_bytes()?.into()
        }
        Ok(journal::Entry::Record(entry, values)) => {
            let numbered = directory.find(snapshot, entry.collection).await?;
            of_record(&entry, values, version, numbered).to_bytes()?.into()
        }
        Err(_) => appended.bytes.clone(),
    };
    Ok((words::change(version, place), Entry { version, value }))
}

fn of_record(entry: &RecordChange, values: Values, version: Version, numbered: Option<&Numbered>) -> words::Entry {
    let change = Change {
        operation: None,
        revision: Revision::default(),
        collection: numbered.map(|numbered| numbered.name.clone()),
        collection_id: numbered.map(|numbered| numbered.id),
        before: if values.before == Record::default() { Exact::default() } else { Exact::from(&values.before) },
        ..entry.to_change(version)
    };
    let rest = words::Rest {
        added: values.added,
        owner_before: entry.owner_before,
        owner_after: entry.owner_after,
        definition: entry.definition,
        previous_place: entry.previous.and_then(journal::Link::place),
        is_consequence: entry.is_consequence,
        written: values.lost.as_ref().map(|lost| lost.version),
        lost: values.lost.map(|lost| lost.members),
    };
    words::Entry { change, more: words::More { operation: entry.operation, rest: Some(rest) } }
}
