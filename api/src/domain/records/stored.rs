//! A record as it is stored and as it is sent: the same JSON, to which the revision is added on the way out.

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    id::{RecordId, Revision, UserId},
    record::Record,
};
use serde_json::Value;
use store::{Entry, Version};

use crate::domain::error::Result;

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
    pub(super) fn new(id: RecordId, stored: &[u8], version: Version) -> Self {
        let revision = Revision(version.get());
        let mut json = BytesMut::with_capacity(stored.len() + 32);
        json.put_slice(stored.strip_suffix(b"}").unwrap_or(stored));
        json.put_slice(format!(",\"revision\":{revision}}}").as_bytes());
        Self { id, revision, json: json.freeze() }
    }
}

/// A stored record, parsed, with its revision.
pub(super) fn parse(entry: &Entry) -> Result<Record> {
    let mut record = Record::from_slice(&entry.value)?;
    record.set("revision", entry.version.get());
    Ok(record)
}

/// The stored form: the server's members of `old` around new values.
pub fn assemble(old: &Record, values: Record) -> Record {
    let mut record = Record::default();
    let keep = |record: &mut Record, name: &str| record.set(name, old.get(name).cloned().unwrap_or(Value::Null));
    keep(&mut record, "id");
    record.extend(values);
    for name in ["owner", "created_at", "updated_at"] {
        keep(&mut record, name);
    }
    record
}

pub(super) fn new_record(id: RecordId, owner: Option<UserId>, at: &str, values: Record) -> Record {
    let mut frame = Record::default();
    frame.set("id", id.to_string());
    frame.set("owner", owner.map(|owner| owner.to_string()));
    frame.set("created_at", at);
    frame.set("updated_at", at);
    assemble(&frame, values)
}
