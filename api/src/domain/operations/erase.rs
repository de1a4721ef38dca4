//! Erasing: what the journal says of a record, of a field's old values, or of a user goes, block by block, from its beginning to its end.
//! It says that something was erased, and not what. What stands elsewhere goes before it:
//!
//! - `messages`: what operations say of values
//! - `conversions`: what definitions say of them

mod conversions;
mod messages;

use std::{collections::HashMap, sync::Arc};

use common::{
    change::{Change, Subject},
    id::{OperationId, RecordId, SessionId, UserId},
    json::Exact,
    name::FieldName,
    record::Record,
};
use serde::{Deserialize, Serialize};
use store::{
    Entry as StoredEntry, Expect, Scan, Snapshot, Version,
    journal::{self as blocks, Block},
};
use uuid::Uuid;

use super::piece::{Budget, Entries, Piece, Steps};
use crate::domain::{
    core::Core,
    error::Result,
    gone, idempotency,
    journal::{Entry, Fate, Removal},
    keyspace,
    numbers::CollectionNumber,
    record,
    schema::{self, Schema},
};

/// Erases something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Erase {
    what: EraseTarget,
    /// The first entry of the block that was looked at last: the commit, and the place in it.
    after: Option<(Version, u32)>,
    /// How far the records were looked at, in which a field that was dropped or converted has what it was: which collection, and behind which record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    records: Option<(usize, Option<RecordId>)>,
    /// Behind which key answers are looked at that are kept for who asks again; empty at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answers: Option<Vec<u8>>,
    /// Behind which operation messages are looked at; the nil one at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    messages: Option<OperationId>,
    /// Definitions are still to forget what they made of the field's values.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    conversions: bool,
}

/// What is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EraseTarget {
    /// The entries of a record.
    Record(CollectionNumber, RecordId),
    /// The old values of a field: of one collection, or of all that had a name and are gone.
    Field(Vec<CollectionNumber>, FieldName),
    /// What is said of a user, and their name and address, as far as they have any.
    User(UserId, Vec<String>),
    /// It is done, and forgotten what it was.
    Nothing,
}

impl EraseTarget {
    /// What the journal calls it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Record(..) => "record",
            Self::Field(..) => "field",
            Self::User(..) | Self::Nothing => "user",
        }
    }
}

impl Erase {
    /// Begins.
    pub(crate) fn new(what: EraseTarget) -> Self {
        let records = matches!(what, EraseTarget::Field(..)).then_some((0, None));
        let conversions = records.is_some();
        let messages = Some(OperationId::from_uuid(Uuid::nil()));
        Self { what, after: None, records, answers: Some(Vec::new()), messages, conversions }
    }
}

impl Steps for Erase {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let mut piece = self.next(core, budget).await?;
        piece.batch.erase();
        Ok(piece)
    }
}

impl Erase {
    async fn next(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        if let Some(after) = self.answers.take() {
            return self.in_answers(&snapshot, budget, &after).await;
        }
        if let Some(after) = self.messages {
            return self.in_messages(core, &snapshot, budget, after).await;
        }
        // Records first: one that is changed meanwhile takes what it was along into the journal, which is read to its end then.
        if let Some((at, after)) = self.records {
            return self.in_records(core, &snapshot, budget, at, after).await;
        }
        let names = match &self.what {
            EraseTarget::Field(collections, name) => FieldNames::find(core, &snapshot, collections, name).await?,
            _ => FieldNames::default(),
        };
        if self.conversions {
            return self.in_definitions(&snapshot, &names).await;
        }
        let mut removal = Removal::default();
        if self.after.is_none() {
            self.begin(&snapshot, &mut removal).await?;
        }
        let mut is_last = self.what == EraseTarget::Nothing;
        while !is_last && !budget.is_spent() {
            let mut scan = blocks::blocks();
            if let Some((version, place)) = self.after {
                scan = scan.after(&blocks::key(blocks::Position { version, place }));
            }
            let Entries { entries, is_end } = budget.scan(&snapshot, scan).await?;
            is_last = is_end;
            for (key, StoredEntry { version, value }) in entries {
                let block = Block { entries: blocks::unpack(&value)?, key, version };
                removal.change(&block, |entry| self.what.of(entry, &names))?;
                self.after = blocks::position(&block.key).map(|at| (at.version, at.place));
                budget.spend(value.len());
                if budget.is_spent() {
                    is_last = false;
                    break;
                }
            }
        }
        if is_last {
            self.what = EraseTarget::Nothing;
        }
        let done = removal.count;
        Ok(Piece { batch: removal.finish(core, &snapshot).await?, done, is_last, ..Piece::default() })
    }

    /// What is not in the journal.
    async fn begin(&self, snapshot: &Snapshot, removal: &mut Removal) -> Result<()> {
        match &self.what {
            EraseTarget::Record(collection, id) => {
                removal.batch.delete(keyspace::tombstone(*collection, *id));
            }
            EraseTarget::User(user, _) => {
                for (key, _) in snapshot.scan(Scan::prefix(&keyspace::user_sessions(*user))).await? {
                    let Some(id) = keyspace::last_id(&key).map(|id| SessionId::from_uuid(id.bits())) else { continue };
                    removal.batch.delete(keyspace::session(id)).delete(key);
                    for (spent, _) in snapshot.scan(Scan::prefix(&keyspace::all_spent(id))).await? {
                        removal.batch.delete(spent);
                    }
                }
            }
            EraseTarget::Field(..) | EraseTarget::Nothing => {}
        }
        Ok(())
    }
}

impl Erase {
    /// Forgets answers that are kept: those that have a record's id; of a field or a user all, since what was in them is not known.
    async fn in_answers(&mut self, snapshot: &Snapshot, budget: &mut Budget<'_>, after: &[u8]) -> Result<Piece> {
        let mut piece = Piece::default();
        let id = match &self.what {
            EraseTarget::Record(_, id) => Some(*id),
            _ => None,
        };
        let Entries { entries, is_end } = budget.scan(snapshot, idempotency::keys_after(after)).await?;
        self.answers = entries.last().filter(|_| !is_end).map(|(key, _)| key.as_bytes().to_vec());
        for (key, entry) in entries {
            budget.spend(entry.value.len());
            if let Some(value) = idempotency::without_answer(&entry, id)? {
                piece.batch.expect(key.clone(), Expect::Version(entry.version)).put(key, value);
                piece.done += 1;
            }
        }
        Ok(piece)
    }

    /// Takes what a field was out of the records that have it beside what they are, and has all records be as the definition in force has them.
    async fn in_records(
        &mut self,
        core: &Core,
        snapshot: &Snapshot,
        budget: &mut Budget<'_>,
        mut at: usize,
        mut after: Option<RecordId>,
    ) -> Result<Piece> {
        let mut piece = Piece::default();
        let EraseTarget::Field(collections, name) = &self.what else {
            self.records = None;
            return Ok(piece);
        };
        let names = FieldNames::find(core, snapshot, collections, name).await?;
        while let Some(number) = collections.get(at).copied()
            && !budget.is_spent()
        {
            let Some(schema) = schema::by_number(&core.schemas, snapshot, number).await? else {
                (at, after) = (at + 1, None);
                continue;
            };
            let mut scan = Scan::prefix(&keyspace::records(number));
            if let Some(id) = after {
                scan = scan.after(&keyspace::record(number, id));
            }
            let Entries { entries, is_end } = budget.scan(snapshot, scan).await?;
            for (key, entry) in entries {
                let Some(id) = keyspace::last_id(&key) else { continue };
                after = Some(id);
                budget.spend(entry.value.len());
                let rewritten = schema.rewritten(id, &entry.value)?;
                let is_earlier = rewritten.is_some();
                // One that cannot be written anew is read by way of what its definition was.
                self.conversions &= is_earlier || schema.is_current(&entry.value)?;
                let value = rewritten.unwrap_or_else(|| entry.value.to_vec());
                let (had, fields) = (record::kept(&value)?, names.ids(number));
                let mut kept = had.clone();
                kept.retain(|id| !fields.contains(&id));
                let made = record::written(&value)?;
                for field in
                    schema.keys.fields.iter().filter(|field| {
                        fields.contains(&field.id) && self.conversions && schema.is_made(field.id, made)
                    })
                {
                    let now = schema.decode(id, &value)?;
                    kept.set_as_of(
                        field.id,
                        schema.keys.version,
                        now.member(field.name.as_str()).map(Exact::from).unwrap_or_default(),
                    );
                }
                let value = record::with_kept(value, &kept)?;
                let mut lost = record::lost(&value)?;
                let asked = names.at(number, record::written(&value)?, name);
                let taken = asked.iter().filter(|asked| lost.take(asked.as_str()).is_some()).count();
                if taken == 0 && kept == had && !is_earlier {
                    continue;
                }
                let carried =
                    record::carry(&value, record::head(&value)?.definition, &record::decode(id, &value)?, &lost)?;
                if let Some(carried) = carried {
                    piece.batch.keep(key, entry.version, carried);
                    piece.done += 1;
                }
            }
            if is_end {
                (at, after) = (at + 1, None);
            }
        }
        self.records = (at < collections.len()).then_some((at, after));
        Ok(piece)
    }
}

/// What the fields that have or had a name were called under each version of their collections' definitions: entries have the names of their
/// time.
#[derive(Default)]
struct FieldNames(HashMap<CollectionNumber, (Arc<Schema>, Vec<Uuid>)>);

impl FieldNames {
    async fn find(
        core: &Core,
        snapshot: &Snapshot,
        collections: &[CollectionNumber],
        name: &FieldName,
    ) -> Result<Self> {
        let mut names = HashMap::new();
        for number in collections {
            let Some(schema) = gone::last_schema(core, snapshot, *number).await? else { continue };
            let ids = schema.fields_named(name);
            if !ids.is_empty() {
                names.insert(*number, (schema, ids));
            }
        }
        Ok(Self(names))
    }

    /// Which fields of a collection these are, where that is known.
    fn ids(&self, collection: CollectionNumber) -> &[Uuid] {
        self.0.get(&collection).map_or(&[], |(_, ids)| ids)
    }

    /// What they were called; the name that was asked for where nothing else is known, and nothing where they were not there.
    fn at(&self, collection: CollectionNumber, version: u32, asked: &FieldName) -> Vec<FieldName> {
        let Some((schema, ids)) = self.0.get(&collection) else { return vec![asked.clone()] };
        schema.names(version).into_iter().filter(|(id, _)| ids.contains(id)).map(|(_, name)| name).collect()
    }
}

impl EraseTarget {
    fn of(&self, entry: &Entry, names: &FieldNames) -> Fate {
        match (self, entry) {
            (Self::Record(collection, id), Entry::Record(change, _)) => {
                if (change.collection, change.id) == (*collection, *id) { Fate::Goes } else { Fate::Stays }
            }
            (Self::Record(_, id), Entry::Other(change, _)) => {
                if change.subject == Subject::Record && change.id == id.to_string() { Fate::Goes } else { Fate::Stays }
            }
            (Self::Field(collections, name), Entry::Record(change, values)) => {
                if !collections.contains(&change.collection) {
                    return Fate::Stays;
                }
                let mut values = values.clone();
                let mut is_taken = false;
                if let Some(lost) = &mut values.lost {
                    for name in names.at(change.collection, lost.version, name) {
                        is_taken |= lost.members.take(name.as_str()).is_some();
                    }
                    let had = record::EarlierValues::take_from(&mut lost.members);
                    let mut kept = had.clone();
                    kept.retain(|id| !names.ids(change.collection).contains(&id));
                    is_taken |= kept != had;
                    lost.members.extend(kept.as_members().clone());
                }
                for name in names.at(change.collection, change.definition, name) {
                    if values.before.take(name.as_str()).is_none() {
                        continue;
                    }
                    is_taken = true;
                    // It was not there, as far as is known now.
                    if !values.added.iter().any(|added| added == name.as_str()) {
                        values.added.push(name.to_string());
                    }
                }
                if !is_taken {
                    return Fate::Stays;
                }
                Fate::Becomes(Entry::Record(change.clone(), values))
            }
            (Self::Field(_, name), Entry::Other(change, operation)) if change.subject == Subject::Record => {
                let mut other = change.clone();
                other.before = without(&change.before, name.as_str());
                other.after = without(&change.after, name.as_str());
                if other == *change { Fate::Stays } else { Fate::Becomes(Entry::Other(other, *operation)) }
            }
            (Self::User(user, _), Entry::Record(change, values)) if change.by == Some(*user) => {
                let mut change = change.clone();
                change.by = None;
                Fate::Becomes(Entry::Record(change, values.clone()))
            }
            (Self::User(user, names), Entry::Other(change, operation)) => of_user(*user, names, change, *operation),
            _ => Fate::Stays,
        }
    }
}

/// An entry that is about a user, or made by one.
fn of_user(user: UserId, names: &[String], change: &Change, operation: Option<OperationId>) -> Fate {
    let id = user.to_string();
    let is_name = |text: &str| text == id || names.iter().any(|name| name.eq_ignore_ascii_case(text));
    let names_them = |value: &Exact| {
        let members = value.as_object().into_iter().flatten();
        members.filter_map(|(_, value)| value.as_str()).any(is_name)
    };
    let is_about = is_name(&change.id) || names_them(&change.before) || names_them(&change.after);
    let is_theirs = change.by == Some(user);
    if matches!(change.subject, Subject::User | Subject::Session) && (is_about || is_theirs) {
        return Fate::Goes;
    }
    if !is_theirs {
        return Fate::Stays;
    }
    let mut other = change.clone();
    other.by = None;
    other.address = String::new();
    Fate::Becomes(Entry::Other(Box::new(other), operation))
}

/// A record's values without a member.
fn without(values: &Exact, name: &str) -> Exact {
    let read = values.is_object().then(|| Record::from_slice(values.to_text().as_bytes()).ok()).flatten();
    let Some(mut record) = read else { return values.clone() };
    if record.take(name).is_none() {
        return values.clone();
    }
    Exact::from(&record)
}
