//! Records as a check reads them.

use common::{id::RecordId, record::Record};
use store::{Entry, Key, Snapshot};

use super::ledger::CheckError;
use crate::domain::{keyspace, schema::Schema};

/// A record, if its key and its value agree.
pub(super) fn read(schema: &Schema, key: &Key, entry: &Entry) -> Option<(RecordId, Record)> {
    let id = keyspace::last_id(key)?;
    let record = schema.decode(id, &entry.value).ok()?;
    (keyspace::record(schema.number(), id) == *key && record.id() == Some(id)).then_some((id, record))
}

/// The record that has an id, if it is there and can be read.
pub(super) async fn load(snapshot: &Snapshot, schema: &Schema, id: RecordId) -> Result<Option<Record>, CheckError> {
    let key = keyspace::record(schema.number(), id);
    let entry = snapshot.get(&key).await?;
    Ok(entry.and_then(|entry| read(schema, &key, &entry)).map(|(_, record)| record))
}
