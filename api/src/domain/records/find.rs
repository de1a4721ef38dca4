//! Finding one record for a caller who wants to read or change it.

use std::sync::Arc;

use common::{
    access::{Action, Caller, Decision},
    id::{RecordId, UserId},
    name::CollectionName,
};
use store::{Batch, Expect, Snapshot};

use super::stored::{Sent, parse};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
    schema::Schema,
    stage::Stored,
};

/// A record that was found, and may be seen.
pub(super) struct Target {
    pub schema: Arc<Schema>,
    pub stored: Stored,
}

/// Finds a record for `action`. One that the caller may not view is not there for them; one that they may view, but not
/// change, is forbidden.
pub(super) async fn find(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    action: Action,
    name: &CollectionName,
    id: RecordId,
) -> Result<Target> {
    let schema = core.schemas.find(snapshot, name, caller).await?;
    let may = schema.authorize(action, caller)?;
    let entry = snapshot.get(&keyspace::record(schema.id(), id)).await?.ok_or(Error::NotFound)?;
    let record = parse(&entry)?;
    let owner = record.owner();
    if may.covers(owner) {
        return Ok(Target { schema, stored: Stored { id, entry, record } });
    }
    Err(refusal(&schema, caller, owner))
}

/// What is told of a record to who may not do something with it.
pub(super) fn refusal(schema: &Schema, caller: &Caller, owner: Option<UserId>) -> Error {
    let visible = schema.collection.access.decide(Action::View, caller).covers(owner);
    if visible { Error::Denied } else { Error::NotFound }
}

pub(super) fn expect_schema(schema: &Schema) -> Batch {
    let key = keyspace::collection(&schema.collection.name);
    Batch::with(|batch| batch.expect(key, Expect::Version(schema.version)))
}

/// One record. Where everyone who may view may view all, its bytes are copied and nothing is parsed.
pub async fn get(core: &Core, caller: &Caller, name: &CollectionName, id: RecordId) -> Result<Sent> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::View, caller)?;
    let entry = snapshot.get(&keyspace::record(schema.id(), id)).await?.ok_or(Error::NotFound)?;
    if may != Decision::All && !may.covers(parse(&entry)?.owner()) {
        return Err(Error::NotFound);
    }
    Ok(Sent::new(id, &entry.value, entry.version))
}
