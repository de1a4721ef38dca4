//! Records: read, made, changed, deleted and put back, always under the collection's access rules. Every change reads,
//! decides and commits with what it read as its expectation; where another writer came first, it reads again.

mod delete;
mod describe;
mod filter;
mod join;
mod list;
pub mod stage;

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    Object,
    access::{Action, Caller, Decision},
    id::{RecordId, Revision, UserId},
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    record::{OneOrMany, Record},
    validate::{Write, clean, does_not_exist},
};
use serde_json::Value;

use super::{
    App, Error, MAX_TRIES, Result,
    collections::{self, Schema},
    journal, keyspace,
};
use crate::store::{Batch, CommitError, Entry, Expect, Snapshot, Version};
use stage::Stage;

pub use delete::delete;
pub use describe::describe;
pub use list::list;

/// Bytes of a record at most, as it is stored.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// What `If-Match` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// `*`: the record is there.
    Exists,
    /// One of these revisions.
    OneOf(Vec<Revision>),
}

impl Precondition {
    fn check(precondition: Option<&Self>, current: Revision) -> Result<()> {
        match precondition {
            Some(Self::OneOf(revisions)) if !revisions.contains(&current) => Err(Error::Stale),
            _ => Ok(()),
        }
    }
}

/// A record as it is sent: its bytes need no parsing.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Which record.
    pub id: RecordId,
    /// Its revision, which is also its entity tag.
    pub revision: Revision,
    /// The JSON object.
    pub json: Bytes,
}

impl Sent {
    fn new(id: RecordId, stored: &[u8], version: Version) -> Self {
        let revision = Revision(version.get());
        let mut json = BytesMut::with_capacity(stored.len() + 32);
        json.put_slice(stored.strip_suffix(b"}").unwrap_or(stored));
        json.put_slice(format!(",\"revision\":{revision}}}").as_bytes());
        Self { id, revision, json: json.freeze() }
    }
}

/// A stored record, parsed, with its revision.
fn parse(entry: &Entry) -> Result<Record> {
    let mut record: Record = serde_json::from_slice(&entry.value)?;
    record.set("revision", entry.version.get());
    Ok(record)
}

/// The stored form: the server's members of `old` around new values.
pub(super) fn assemble(old: &Record, values: Object) -> Record {
    let mut members = Object::with_capacity(values.len() + 4);
    let mut keep = |name: &str| members.insert(name.to_owned(), old.get(name).cloned().unwrap_or(Value::Null));
    keep("id");
    let mut rest = Object::new();
    for name in ["owner", "created_at", "updated_at"] {
        rest.insert(name.to_owned(), old.get(name).cloned().unwrap_or(Value::Null));
    }
    members.extend(values);
    members.extend(rest);
    Record::from_object(members)
}

fn new_record(id: RecordId, owner: Option<UserId>, at: &str, values: Object) -> Record {
    let mut frame = Record::default();
    frame.set("id", id.to_string());
    frame.set("owner", owner.map(|owner| owner.to_string()));
    frame.set("created_at", at);
    frame.set("updated_at", at);
    assemble(&frame, values)
}

/// A record that was found, and may be seen.
struct Found {
    schema: Arc<Schema>,
    entry: Entry,
    record: Record,
}

/// Finds a record for `action`. One that the caller may not view is not there for them; one that they may view, but not
/// change, is forbidden.
async fn find(
    app: &App,
    snapshot: &Snapshot,
    caller: &Caller,
    action: Action,
    name: &CollectionName,
    id: RecordId,
) -> Result<Found> {
    let schema = collections::find(app, snapshot, name, caller).await?;
    let may = schema.authorize(action, caller)?;
    let entry = snapshot.get(&keyspace::record(schema.id(), id)).await?.ok_or(Error::NotFound)?;
    let record = parse(&entry)?;
    let owner = record.owner();
    if may.covers(owner) {
        return Ok(Found { schema, entry, record });
    }
    match schema.collection.access.decide(Action::View, caller).covers(owner) {
        true if action != Action::View => Err(Error::Denied),
        _ => Err(Error::NotFound),
    }
}

/// One record. Where everyone who may view may view all, its bytes are copied and nothing is parsed.
pub async fn get(app: &App, caller: &Caller, name: &CollectionName, id: RecordId) -> Result<Sent> {
    let snapshot = app.store.snapshot();
    let schema = collections::find(app, &snapshot, name, caller).await?;
    let may = schema.authorize(Action::View, caller)?;
    let entry = snapshot.get(&keyspace::record(schema.id(), id)).await?.ok_or(Error::NotFound)?;
    if may != Decision::All && !may.covers(parse(&entry)?.owner()) {
        return Err(Error::NotFound);
    }
    Ok(Sent::new(id, &entry.value, entry.version))
}

/// Makes one record, or all of an array or none.
pub async fn create(app: &App, caller: &Caller, name: &CollectionName, body: OneOrMany) -> Result<Vec<Sent>> {
    let (many, bodies) = match body {
        OneOrMany::One(record) => (false, vec![record]),
        OneOrMany::Many(records) => (true, records),
    };
    for _ in 0..MAX_TRIES {
        let snapshot = app.store.snapshot();
        let schema = collections::find(app, &snapshot, name, caller).await?;
        schema.authorize(Action::Create, caller)?;
        let mut stage = Stage::new(app, caller, expect_schema(&schema));
        let mut errors = Faults::new(many);
        let at = app.timestamp();
        let mut written = Vec::with_capacity(bodies.len());
        for (i, body) in bodies.iter().enumerate() {
            let values = match clean(&schema.collection, Value::Object(body.as_object().clone()), Write::Create) {
                Ok(cleaned) => cleaned.values,
                Err(faults) => {
                    errors.invalid(i, faults);
                    continue;
                }
            };
            let id = RecordId::from_uuid(app.ids.next_id());
            let record = new_record(id, caller.user_id(), &at, values);
            let (json, taken) = stage.create(&schema, id, &record)?;
            for field in taken {
                errors.taken(i, field);
            }
            errors.merge(i, check_values(app, &snapshot, caller, &schema, None, &record).await?);
            written.push((id, json));
        }
        errors.result()?;
        match app.store.commit(stage.finish()).await {
            Ok(version) => return Ok(written.iter().map(|(id, json)| Sent::new(*id, json, version)).collect()),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Busy)
}

fn expect_schema(schema: &Schema) -> Batch {
    Batch::new().expect(keyspace::collection(&schema.collection.name), Expect::Version(schema.version))
}

/// Changes a record: all of it (PUT) or some members (PATCH).
pub async fn update(
    app: &App,
    caller: &Caller,
    (name, id): (&CollectionName, RecordId),
    body: &Record,
    partial: bool,
    precondition: Option<&Precondition>,
) -> Result<Sent> {
    for _ in 0..MAX_TRIES {
        let snapshot = app.store.snapshot();
        let Found { schema, entry, record: old } = find(app, &snapshot, caller, Action::Update, name, id).await?;
        let revision = Revision(entry.version.get());
        Precondition::check(precondition, revision)?;
        let write = if partial { Write::Patch(&old) } else { Write::Replace(&old) };
        let cleaned = clean(&schema.collection, Value::Object(body.as_object().clone()), write)?;
        if cleaned.revision.is_some_and(|read| read != revision) {
            return Err(Error::Stale);
        }
        let unchanged = cleaned.values.iter().all(|(name, value)| old.get(name) == Some(value));
        if unchanged {
            return Ok(Sent::new(id, &entry.value, entry.version));
        }
        let mut record = assemble(&old, cleaned.values);
        record.set("updated_at", app.timestamp());
        let mut errors = Faults::new(false);
        errors.merge(0, check_values(app, &snapshot, caller, &schema, Some(&old), &record).await?);
        errors.result()?;
        if let Some(sent) = put(app, caller, &schema, (id, &entry, &old), &record).await? {
            return Ok(sent);
        }
    }
    Err(Error::Busy)
}

/// Commits a changed record; `None` where another writer came first.
async fn put(
    app: &App,
    caller: &Caller,
    schema: &Schema,
    (id, entry, old): (RecordId, &Entry, &Record),
    record: &Record,
) -> Result<Option<Sent>> {
    let mut stage = Stage::new(app, caller, expect_schema(schema));
    let json = stage.update(schema, (id, entry, old), record)?;
    match app.store.commit(stage.finish()).await {
        Ok(version) => Ok(Some(Sent::new(id, &json, version))),
        Err(CommitError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Puts the version of a record that the commit `revision` left, or deleted, back in place. A record that is gone comes
/// back under its id for who could have deleted it.
pub async fn restore(
    app: &App,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    revision: Revision,
) -> Result<Sent> {
    let version = journal::of_record(app, id, revision).await?;
    for _ in 0..MAX_TRIES {
        let snapshot = app.store.snapshot();
        let schema = collections::find(app, &snapshot, name, caller).await?;
        let current = snapshot.get(&keyspace::record(schema.id(), id)).await?;
        let action = if current.is_some() { Action::Update } else { Action::Delete };
        let may = schema.authorize(action, caller)?;
        let change = version.clone().filter(|change| change.collection.as_deref() == Some(&schema.id().to_string()));
        let Some(change) = change else { return Err(Error::NotFound) };
        let then = if change.after.is_null() { &change.before } else { &change.after };
        let then: Record = serde_json::from_value(then.clone())?;
        let owner = current.as_ref().map(parse).transpose()?.map_or(then.owner(), |now| now.owner());
        if !may.covers(owner) {
            return Err(Error::NotFound);
        }
        let fields = schema.collection.fields.iter().filter_map(|field| {
            let name = field.name.as_str();
            Some((name.to_owned(), then.get(name)?.clone()))
        });
        let values = clean(&schema.collection, Value::Object(fields.collect()), Write::Create)?.values;
        let mut record = assemble(&then, values);
        record.set("updated_at", app.timestamp());
        let old = current.as_ref().map(parse).transpose()?;
        let mut errors = Faults::new(false);
        errors.merge(0, check_values(app, &snapshot, caller, &schema, old.as_ref(), &record).await?);
        errors.result()?;
        let sent = match (&current, &old) {
            (Some(entry), Some(old)) => put(app, caller, &schema, (id, entry, old), &record).await?,
            _ => {
                let mut stage = Stage::new(app, caller, expect_schema(&schema));
                let (json, _) = stage.restore(&schema, id, &record)?;
                match app.store.commit(stage.finish()).await {
                    Ok(version) => Some(Sent::new(id, &json, version)),
                    Err(CommitError::Conflict { .. }) => None,
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if let Some(sent) = sent {
            return Ok(sent);
        }
    }
    Err(Error::Busy)
}

/// What the store has to say to a record's values: unique ones that another record has, references to what is not there
/// for this caller.
async fn check_values(
    app: &App,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    old: Option<&Record>,
    record: &Record,
) -> Result<Checked> {
    let mut checked = Checked::default();
    for field in &schema.collection.fields {
        let name = field.name.as_str();
        let Some(value) = record.get(name).filter(|value| !value.is_null()) else { continue };
        if old.and_then(|old| old.get(name)) == Some(value) {
            continue;
        }
        if field.unique && snapshot.get(&keyspace::unique(schema.id(), field, value)).await?.is_some() {
            checked.taken.push(name.to_owned());
        }
        if let common::field::FieldType::Reference { collection, .. } = &field.kind {
            let id = value.as_str().and_then(|text| text.parse().ok());
            let visible = match (id, collections::load(app, snapshot, collection).await?) {
                (Some(id), Some(target)) => is_visible(snapshot, caller, &target, id).await?,
                _ => false,
            };
            if !visible {
                checked.invalid.push(name, does_not_exist(value.as_str().unwrap_or_default()));
            }
        }
    }
    Ok(checked)
}

async fn is_visible(snapshot: &Snapshot, caller: &Caller, schema: &Schema, id: RecordId) -> Result<bool> {
    let Some(entry) = snapshot.get(&keyspace::record(schema.id(), id)).await? else { return Ok(false) };
    let rules = &schema.collection.access;
    let decisions = [Action::View, Action::List].map(|action| rules.decide(action, caller));
    if decisions.contains(&Decision::All) {
        return Ok(true);
    }
    let owner = parse(&entry)?.owner();
    Ok(decisions.iter().any(|decision| decision.covers(owner)))
}

#[derive(Default)]
struct Checked {
    taken: Vec<String>,
    invalid: FieldErrors,
}

/// What is wrong with one body or with several; in an array each error stands under its index.
struct Faults {
    many: bool,
    invalid: FieldErrors,
    taken: FieldErrors,
}

impl Faults {
    fn new(many: bool) -> Self {
        Self { many, invalid: FieldErrors::new(), taken: FieldErrors::new() }
    }

    fn invalid(&mut self, index: usize, faults: FieldErrors) {
        if self.many {
            self.invalid.nest(&index.to_string(), faults);
        } else {
            self.invalid.0.extend(faults.0);
        }
    }

    fn taken(&mut self, index: usize, field: String) {
        let place = if self.many { format!("{index}.{field}") } else { field };
        self.taken.push(place, FieldError::new("unique", "This field must be unique."));
    }

    fn merge(&mut self, index: usize, checked: Checked) {
        self.invalid(index, checked.invalid);
        for field in checked.taken {
            self.taken(index, field);
        }
    }

    fn result(self) -> Result<()> {
        if !self.invalid.is_empty() {
            return Err(self.invalid.into());
        }
        if !self.taken.is_empty() {
            return Err(Error::Taken(self.taken));
        }
        Ok(())
    }
}
