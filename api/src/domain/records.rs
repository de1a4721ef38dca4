//! Records: read, made, changed, deleted and put back, always under the collection's access rules. Every change reads,
//! decides and commits with what it read as its expectation; where another writer came first, it reads again.

mod checks;
mod delete;
mod describe;
mod filter;
mod join;
mod list;
mod restore;
mod select;
mod sort;
pub mod stage;

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    Object,
    access::{Action, Caller, Decision},
    id::{RecordId, Revision, UserId},
    name::CollectionName,
    record::{OneOrMany, Record},
    validate::{Write, clean},
};
use serde_json::Value;

use super::{
    App, Error, Result,
    collections::{self, Schema},
    keyspace,
};
use crate::store::{Batch, Entry, Expect, Snapshot, Version};
use checks::{Faults, check_values};
use stage::Stage;

pub use delete::delete;
pub use describe::describe;
pub use list::{beyond_the_last, list};
pub use restore::restore;
pub use select::select;

/// Bytes of a record at most, as it is stored.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// What `If-Match` or `If-None-Match` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// `*`: the record is there.
    Exists,
    /// One of these revisions.
    OneOf(Vec<Revision>),
    /// Not there.
    Absent,
    /// None of these revisions.
    NoneOf(Vec<Revision>),
}

impl Precondition {
    fn check(precondition: Option<&Self>, current: Revision) -> Result<()> {
        match precondition {
            Some(Self::OneOf(revisions)) if !revisions.contains(&current) => Err(Error::Stale),
            Some(Self::NoneOf(revisions)) if revisions.contains(&current) => Err(Error::Stale),
            Some(Self::Absent) => Err(Error::Stale),
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
    Err(refusal(&schema, caller, owner))
}

/// What is told of a record to who may not do something with it.
fn refusal(schema: &Schema, caller: &Caller, owner: Option<UserId>) -> Error {
    let visible = schema.collection.access.decide(Action::View, caller).covers(owner);
    if visible { Error::Denied } else { Error::NotFound }
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
    let mut tries = app.tries();
    loop {
        let snapshot = app.store.snapshot();
        let schema = collections::find(app, &snapshot, name, caller).await?;
        schema.authorize(Action::Create, caller)?;
        let mut stage = Stage::new(app, caller, expect_schema(&schema));
        let mut errors = Faults::new(many);
        let at = app.timestamp();
        let mut written = Vec::with_capacity(bodies.len());
        for (i, body) in bodies.iter().enumerate() {
            if i > 0 {
                // A pattern may take its time over each.
                tokio::task::yield_now().await;
            }
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
        if let Some(version) = tries.commit_for(caller, stage.finish()).await? {
            return Ok(written.iter().map(|(id, json)| Sent::new(*id, json, version)).collect());
        }
    }
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
    let mut tries = app.tries();
    loop {
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
        let mut stage = Stage::new(app, caller, expect_schema(&schema));
        let json = stage.update(&schema, (id, &entry, &old), &record)?;
        if let Some(version) = tries.commit_for(caller, stage.finish()).await? {
            return Ok(Sent::new(id, &json, version));
        }
    }
}
