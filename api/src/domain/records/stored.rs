//! A record as it is sent, and made of what was sent. How it is stored is in `domain::record`.

use std::collections::BTreeSet;

use bytes::Bytes;
use common::{
    id::{RecordId, Revision, UserId},
    record::Record,
};
use store::{Entry, Version};

use crate::domain::{error::Result, record, record::assemble, schema::Schema};

/// A record as it is sent: its bytes need no parsing.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Which record.
    pub id: RecordId,
    /// Its revision.
    pub revision: Revision,
    /// The version of the definition that changed what it looks like since.
    pub look: Option<u32>,
    /// The JSON object.
    pub json: Bytes,
}

impl Sent {
    pub(super) fn new(schema: &Schema, id: RecordId, stored: &[u8], version: Version) -> Result<Self> {
        let revision = Revision(version.get());
        let look = schema.look_since(stored)?;
        Ok(Self { id, revision, look, json: schema.json(id, stored, Some(revision))? })
    }

    /// Its entity tag.
    pub fn etag(&self) -> String {
        self.revision.etag_since(self.look)
    }
}

/// A stored record with its revision, and with no more of its members than are asked for; all where that is `None`.
pub(super) fn parse_some(
    schema: &Schema,
    id: RecordId,
    entry: &Entry,
    members: Option<&BTreeSet<&str>>,
) -> Result<Record> {
    let Some(members) = members.filter(|_| schema.is_current(&entry.value).unwrap_or(false)) else {
        return schema.parse(id, entry);
    };
    let mut record = record::decode_some(id, &entry.value, members)?;
    record.set("revision", entry.version.get());
    Ok(record)
}

pub(super) fn new_record(id: RecordId, owner: Option<UserId>, at: &str, values: Record) -> Record {
    let mut frame = Record::default();
    frame.set("id", id.to_value());
    frame.set("owner", owner.map(|owner| owner.to_string()));
    frame.set("created_at", at);
    frame.set("updated_at", at);
    assemble(&frame, values)
}
