//! The records that an operation touched.

use std::{
    collections::{BTreeSet, HashMap, hash_map},
    sync::Arc,
};

use base::Charge;
use common::{
    access::Caller,
    change::{Change, Subject},
    id::{RecordId, UserId},
    name::FieldName,
    problem::FieldErrors,
    record::Record,
};
use store::{Entry, Snapshot, Version};

use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    journal::{self, Action, Back, RecordChange, Values, of_operation::Part},
    keyspace,
    layout::Today,
    numbered::Directory,
    numbers::CollectionNumber,
    record::{self, EarlierValues},
    schema::Schema,
    stage::Stored,
    work,
};

/// A record is held as it is and as it was, as it is written, and in the journal's entry.
const COPIES: u64 = 4;

/// Which record.
pub(super) type Key = (CollectionNumber, RecordId);

/// What the operation did to a record, in order.
type Changes = Vec<(Version, RecordChange, Values)>;

/// The records that an operation touched, as its entries come.
pub(super) struct Items<'a> {
    core: &'a Core,
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    order: Vec<Key>,
    changes: HashMap<Key, Changes>,
    /// What it did beside, in words.
    other: Option<String>,
    /// What it did to a collection is undone already.
    pub has_collection: bool,
    /// Later commits of the operation, where these entries are not all of it: they go back first, so what they did is no change since.
    pub later: Option<&'a BTreeSet<Version>>,
    held: Charge,
}

/// A record that an operation touched.
#[derive(Debug)]
pub(super) struct Item {
    pub key: Key,
    /// What its collection is called, or was called last.
    pub collection: String,
    /// Its collection; `None` where that is gone.
    pub schema: Option<Arc<Schema>>,
    /// As it was before the operation.
    pub was: Option<Record>,
    /// What is known of the fields that go back, from before their definition changed.
    pub kept: EarlierValues,
    /// The fields that it had something in then, and that are gone, or of whose value a conversion made null since.
    pub gone: Vec<FieldName>,
    /// What the operation changed, and does not fit any more as it was.
    pub unfit: FieldErrors,
    /// As the operation left it.
    pub left: Option<Record>,
    /// As it is now.
    pub now: Option<Stored>,
    /// The note of its deletion.
    pub tombstone: Option<Entry>,
    /// It followed from another change of the operation.
    pub is_consequence: bool,
    /// What was done to it since, later commits of the operation did.
    pub is_own_since: bool,
    /// Who did it.
    pub by: Option<UserId>,
}

impl<'a> Items<'a> {
    pub(super) fn new(core: &'a Core, snapshot: &'a Snapshot, caller: &'a Caller) -> Self {
        Self {
            core,
            snapshot,
            caller,
            order: Vec::new(),
            changes: HashMap::new(),
            other: None,
            has_collection: false,
            later: None,
            held: work::charge(),
        }
    }

    /// What a commit did.
    pub(super) fn take(&mut self, part: Part) -> Result<()> {
        if part.is_trimmed {
            return Err(Error::Trimmed);
        }
        self.hold(part.bytes)?;
        for (at, entry) in part.entries {
            match entry {
                journal::Entry::Record(change, values) => self.push(at.version, change, values),
                journal::Entry::Other(change, _) => self.push_other(&change),
            }
        }
        Ok(())
    }

    /// Charges entries that take so many bytes: they are held, and what is made of them is staged and appended to the journal.
    fn hold(&mut self, bytes: usize) -> Result<()> {
        Ok(self.held.grow(COPIES * bytes as u64)?)
    }

    /// What was done to a record. Entries come in order.
    fn push(&mut self, version: Version, change: RecordChange, values: Values) {
        let key = (change.collection, change.id);
        let changes = match self.changes.entry(key) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(new) => {
                self.order.push(key);
                new.insert(Vec::new())
            }
        };
        changes.push((version, change, values));
    }

    /// No records.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.other.is_none()
    }

    /// What was done to something else.
    fn push_other(&mut self, change: &Change) {
        let what = match change.subject {
            Subject::Record | Subject::Operation => return,
            Subject::Collection if self.has_collection => return,
            Subject::Collection => format!("the definition of \"{}\"", change.id),
            Subject::User => "a user".to_owned(),
            Subject::Session => "a session".to_owned(),
            Subject::Path => "a published path".to_owned(),
            Subject::Server => "the server itself".to_owned(),
        };
        self.other.get_or_insert(what);
    }

    /// Reads what became of the records. The charge is for as long as they are held, and what is made of them.
    pub(super) async fn resolve(mut self, deadline: &Deadline) -> Result<(Vec<Item>, Charge)> {
        if self.caller.is_admin() {
            let nothing = || self.order.is_empty().then(|| "work in the background".to_owned());
            if let Some(other) = self.other.take().or_else(nothing) {
                return Err(Error::NotRevertible(other));
            }
        } else if self.order.is_empty() {
            return Err(Error::NotFound);
        } else if self.other.is_some() {
            return Err(Error::Denied);
        }
        let mut directory = Directory::default();
        let mut items = Vec::with_capacity(self.order.len());
        for chunk in self.order.chunks(work::AT_ONCE) {
            let keys = chunk
                .iter()
                .flat_map(|&(collection, id)| [keyspace::record(collection, id), keyspace::tombstone(collection, id)]);
            let found = self.snapshot.get_many(&keys.collect::<Vec<_>>()).await?;
            let bytes: usize = found.iter().flatten().map(|entry| work::parsed_size(&entry.value)).sum();
            self.held.grow(COPIES * bytes as u64)?;
            let mut found = found.into_iter();
            for &key in chunk {
                let (now, tombstone) = (found.next().flatten(), found.next().flatten());
                let changes = self.changes.remove(&key).unwrap_or_default();
                items.push(self.item(key, changes, now, tombstone, &mut directory, deadline).await?);
            }
            deadline.pause().await?;
        }
        Ok((items, self.held))
    }

    async fn item(
        &self,
        key: Key,
        changes: Changes,
        now: Option<Entry>,
        tombstone: Option<Entry>,
        directory: &mut Directory,
        deadline: &Deadline,
    ) -> Result<Item> {
        let (collection, id) = key;
        let numbered = directory.find(self.snapshot, collection).await?.cloned();
        let schema = match &numbered {
            Some(numbered) => self.core.schemas.load(self.snapshot, &numbered.name).await?,
            None => None,
        };
        let schema = schema.filter(|schema| schema.number() == collection);
        let now = match (now, &schema) {
            (Some(entry), Some(schema)) => Some(Stored { id, record: schema.decode(id, &entry.value)?, entry }),
            (Some(entry), None) => Some(Stored { id, record: record::decode(id, &entry.value)?, entry }),
            (None, _) => None,
        };
        // What it was under another definition is found by way of its whole history.
        let is_carried = |change: &RecordChange, values: &Values| {
            values.lost.is_some() || schema.as_ref().is_some_and(|schema| schema.look() > change.definition)
        };
        let is_consequence = changes.iter().all(|(_, change, _)| change.is_consequence);
        let by = changes.first().and_then(|(_, change, _)| change.by);
        if changes.iter().any(|(_, change, values)| change.has_forgotten(values)) {
            return Err(Error::Trimmed);
        }
        let (Was { record: was, gone, unfit, kept, .. }, left) = match &changes[..] {
            [(version, change, values)]
                if is_as_left(*version, change.action, now.as_ref(), tombstone.as_ref())
                    && !is_carried(change, values) =>
            {
                let left = now.as_ref().map(|now| now.record.clone());
                (Was { record: change.undo(values, left.as_ref()), ..Was::default() }, left)
            }
            [(first, ..), .., (last, ..)] => self.walk(key, schema.as_deref(), *first, *last, deadline).await?,
            [(only, ..)] => self.walk(key, schema.as_deref(), *only, *only, deadline).await?,
            [] => (Was::default(), None),
        };
        let newest = now.as_ref().map(|now| now.entry.version).or(tombstone.as_ref().map(|entry| entry.version));
        let is_own_since = match (self.later, changes.last()) {
            (Some(later), Some((last, ..))) if newest.is_some_and(|version| later.contains(&version)) => {
                self.is_own_since(key, schema.as_deref(), *last, later, deadline).await?
            }
            _ => false,
        };
        Ok(Item {
            key,
            collection: numbered.map_or_else(String::new, |numbered| numbered.name.to_string()),
            schema,
            was,
            kept,
            gone,
            unfit,
            left,
            now,
            tombstone,
            is_consequence,
            is_own_since,
            by,
        })
    }

    /// Whether nobody but commits of the operation changed the record after `last`.
    async fn is_own_since(
        &self,
        (collection, id): Key,
        schema: Option<&Schema>,
        last: Version,
        later: &BTreeSet<Version>,
        deadline: &Deadline,
    ) -> Result<bool> {
        let mut back = Back::new(self.snapshot, schema, collection, id).await?;
        while let Some(step) = back.step().await? {
            if step.version <= last {
                return Ok(true);
            }
            if !later.contains(&step.version) {
                return Ok(false);
            }
            deadline.pause().await?;
        }
        Ok(false)
    }

    /// The record before `first` and after `last`, from what it is now.
    async fn walk(
        &self,
        (collection, id): Key,
        schema: Option<&Schema>,
        first: Version,
        last: Version,
        deadline: &Deadline,
    ) -> Result<(Was, Option<Record>)> {
        let mut back = Back::new(self.snapshot, schema, collection, id).await?;
        let mut left = None;
        // As the definition of today has it.
        let today = |record: Option<Record>, version: u32, kept: Option<EarlierValues>| match (schema, record) {
            (Some(schema), Some(record)) => {
                let Today { record, gone, unfit, nulled, kept } =
                    schema.as_of_today(record, version, kept.unwrap_or_default());
                let gone = gone.into_iter().map(|(_, name)| name).collect();
                Was { record: Some(record), gone, unfit, nulled, kept }
            }
            (_, record) => Was { record, ..Was::default() },
        };
        while let Some(step) = back.step().await? {
            if step.version == last {
                left = Some((step.after.clone(), step.change.definition));
            }
            if step.version == first {
                let Some((left, definition)) = left else { return Err(Error::Trimmed) };
                let mut was = today(step.before.clone(), step.change.definition, step.kept);
                if let (Some(schema), Some(before), Some(left)) = (schema, &step.before, &left) {
                    // What the operation left alone is as it is now.
                    let is_changed = |name: &str| {
                        definition != step.change.definition || !schema.is_same_field(name, definition, before, left)
                    };
                    was.unfit.0.retain(|name, _| is_changed(name));
                    was.nulled.retain(|name| is_changed(name.as_str()));
                    let name =
                        |id| schema.keys.fields.iter().find(|field| field.id == id).map(|field| field.name.as_str());
                    was.kept.retain(|id| name(id).is_some_and(is_changed));
                }
                was.gone.append(&mut was.nulled);
                return Ok((was, today(left, definition, None).record));
            }
            deadline.pause().await?;
        }
        Err(Error::Trimmed)
    }
}

/// A record before an operation, as the definition of today has it.
#[derive(Default)]
struct Was {
    record: Option<Record>,
    gone: Vec<FieldName>,
    unfit: FieldErrors,
    nulled: Vec<FieldName>,
    kept: EarlierValues,
}

/// Whether nothing was done to a record since.
fn is_as_left(version: Version, action: Action, now: Option<&Stored>, tombstone: Option<&Entry>) -> bool {
    match (action, now, tombstone) {
        (Action::Delete, None, Some(tombstone)) => tombstone.version == version,
        (Action::Create | Action::Update | Action::Restore, Some(now), _) => now.entry.version == version,
        _ => false,
    }
}

impl Item {
    /// Whether it is as the operation left it: what was done since was undone, if anything was. When it was written does not count.
    pub(super) fn is_unchanged(&self) -> bool {
        match (&self.left, &self.now, &self.schema) {
            _ if self.is_own_since => true,
            (None, None, _) => true,
            (Some(left), Some(now), Some(schema)) => {
                let is_same = |name: &str| left.get(name).is_none() || left.is_same(&now.record, name);
                left.owner() == now.record.owner()
                    && schema.collection.fields.iter().all(|field| is_same(field.name.as_str()))
            }
            _ => false,
        }
    }

    /// Its owner as far as rules ask.
    pub(super) fn owner(&self) -> Option<UserId> {
        let now = self.now.as_ref().map(|now| &now.record);
        now.or(self.was.as_ref()).and_then(Record::owner)
    }
}
