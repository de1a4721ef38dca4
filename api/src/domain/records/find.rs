//! Finding one record for a caller who wants to read or change it.

use std::sync::Arc;

use common::{
    access::{AccessRules, Action, Caller, Decision},
    id::{RecordId, Revision},
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    query::RecordQuery,
};
use store::{Batch, Expect, Snapshot};

use super::{expand::Expansion, members::Members, stored::Sent};
use crate::domain::{
    core::Core,
    covered::covers,
    error::{AuthError, Error, Result},
    keyspace,
    numbers::CollectionNumber,
    schema::{self, Schema},
    stage::Stored,
    work,
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

/// Whether the caller may know that there is a collection.
pub async fn may_know(core: &Core, caller: &Caller, name: &CollectionName) -> Result<Vec<Action>> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    check_known(&schema, caller)?;
    Ok(schema.nobodys(caller))
}

/// Whether these rules let the caller know that there is a collection: who may list, view or create its records may.
pub fn is_known(access: &AccessRules, caller: &Caller) -> bool {
    [Action::List, Action::View, Action::Create]
        .into_iter()
        .any(|action| access.decide(action, caller) != Decision::Denied)
}

/// The same, where the collection was found.
pub(super) fn check_known(schema: &Schema, caller: &Caller) -> Result<()> {
    if is_known(&schema.collection.access, caller) {
        return Ok(());
    }
    Err(match caller {
        Caller::Anonymous => AuthError::Missing.into(),
        Caller::User { .. } => Error::NotFound,
    })
}

/// One record in one trip to the store: by the definition that was read before, if that still held at the moment that the record is of. `None`
/// where it did not, or tells of the record only together with others.
async fn get_at_once(core: &Core, caller: &Caller, name: &CollectionName, id: RecordId) -> Result<Option<Sent>> {
    let Some((as_of, schema)) = core.schemas.known(name) else { return Ok(None) };
    if !matches!(schema.authorize(Action::View, caller), Ok(Decision::All)) {
        return Ok(None);
    }
    let key = keyspace::record(schema.number(), id);
    let (entry, at) = core.store.get_as_of(&key, [keyspace::COLLECTIONS]).await?;
    if at.changes != [as_of] {
        return Ok(None);
    }
    let entry = entry.ok_or(Error::NotFound)?;
    Sent::new(&schema, id, &entry.value, entry.version).map(Some)
}

/// A record as one commit wrote it, and its collection, for who may view it; `None` where it was changed since.
pub async fn get_unchanged(
    core: &Core,
    caller: &Caller,
    collection: CollectionNumber,
    id: RecordId,
    revision: Revision,
) -> Result<Option<(CollectionName, Sent)>> {
    let snapshot = core.store.snapshot().await?;
    let Some(schema) = schema::by_number(&core.schemas, &snapshot, collection).await? else { return Ok(None) };
    let name = schema.collection.name.clone();
    Ok(match get(core, caller, &name, id, &RecordQuery::default()).await {
        Ok(sent) if sent.revision == revision => Some((name, sent)),
        Ok(_) | Err(Error::NotFound | Error::Denied | Error::NobodyMay(_)) => None,
        Err(error) => return Err(error),
    })
}

/// One record. Where everyone who may view may view all, its bytes are copied and nothing is parsed, unless the query asks for more or
/// less than all of it.
pub async fn get(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    query: &RecordQuery,
) -> Result<Sent> {
    if query.is_empty()
        && let Some(sent) = get_at_once(core, caller, name, id).await?
    {
        return Ok(sent);
    }
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::View, caller)?;
    if !covers(core, &snapshot, &schema, may, id).await? {
        return Err(Error::NotFound);
    }
    let entry = snapshot.get(&keyspace::record(schema.number(), id)).await?.ok_or(Error::NotFound)?;
    if query.is_empty() {
        return Sent::new(&schema, id, &entry.value, entry.version);
    }
    query.check(&schema.collection)?;
    let expansion = Expansion::new(core, &snapshot, caller, &schema, &query.expand).await?;
    work::hold(work::parsed_size(&entry.value))?;
    let mut rows = [schema.parse(id, &entry)?];
    expansion.apply(&snapshot, &core.deadline(), &mut rows).await.map_err(|error| match error {
        Error::TooLargeTogether => {
            let message = "So many records belong to this one that they do not fit into one answer. Ask for them in their own list.";
            FieldErrors::of("expand", FieldError::new("too_much", message)).into()
        }
        error => error,
    })?;
    let [mut record] = rows;
    Members::new(&schema.collection, &query.fields).choose(&mut record, |name| expansion.has(name));
    let json = serde_json::to_vec(&record)?.into();
    Ok(Sent { json, ..Sent::new(&schema, id, &entry.value, entry.version)? })
}
