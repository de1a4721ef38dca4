//! Finding one record for a caller who wants to read or change it.

use std::sync::Arc;

use common::{
    access::{Action, Caller},
    id::RecordId,
    name::CollectionName,
};
use store::{Batch, Expect, Snapshot};

use super::{stored::Sent, visible::covers};
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

/// Finds a record for `action`. One that the caller may not view is not there for them, whatever else they may do with it; one that
/// they may view, but not change, is forbidden.
pub(super) async fn find(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    action: Action,
    name: &CollectionName,
    id: RecordId,
) -> Result<Target> {
    let schema = core.schemas.find(snapshot, name, caller).await?;
    let view = schema.authorize(Action::View, caller)?;
    let may = schema.authorize(action, caller)?;
    if !covers(core, snapshot, &schema, view, id).await? {
        return Err(Error::NotFound);
    }
    let entry = snapshot.get(&keyspace::record(schema.number(), id)).await?.ok_or(Error::NotFound)?;
    let record = schema.parse(id, &entry)?;
    if !may.covers(record.owner()) {
        return Err(Error::Denied);
    }
    Ok(Target { schema, stored: Stored { id, entry, record } })
}

pub(super) fn expect_schema(schema: &Schema) -> Batch {
    let key = keyspace::collection(&schema.collection.name);
    Batch::with(|batch| batch.expect(key, Expect::Version(schema.version)))
}

/// Whether the caller may do `action` in a collection, to all records or some.
pub async fn authorize(core: &Core, caller: &Caller, name: &CollectionName, action: Action) -> Result<()> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    schema.authorize(action, caller).map(drop)
}

/// One record. Where everyone who may view may view all, its bytes are copied and nothing is parsed.
pub async fn get(core: &Core, caller: &Caller, name: &CollectionName, id: RecordId) -> Result<Sent> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::View, caller)?;
    if !covers(core, &snapshot, &schema, may, id).await? {
        return Err(Error::NotFound);
    }
    let entry = snapshot.get(&keyspace::record(schema.number(), id)).await?.ok_or(Error::NotFound)?;
    Sent::new(&schema, id, &entry.value, entry.version)
}
