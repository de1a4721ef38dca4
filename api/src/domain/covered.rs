//! Which records a decision about their owners covers, answered from keys: how long that takes says nothing of the records.

use common::{access::Decision, id::RecordId};
use store::{Entry, Key, Snapshot};

use super::{core::Core, error::Result, journal, keyspace, numbers::OwnerNumber, schema::Schema};

/// Whether a decision about a record's owner covers the record, without a look at the record: whether it is absent or another's takes as
/// long to find out, however large it is.
pub(crate) async fn covers(
    core: &Core,
    snapshot: &Snapshot,
    schema: &Schema,
    decision: Decision,
    id: RecordId,
) -> Result<bool> {
    if decision == Decision::All {
        return Ok(true);
    }
    let Some(owned) = owned(core, snapshot, schema, decision).await? else { return Ok(false) };
    Ok(snapshot.get(&keyspace::with_id(owned, id)).await?.is_some())
}

/// The same of a record's history, which outlives it. `tombstone` is what its deletion left.
pub(crate) async fn covers_history(
    core: &Core,
    snapshot: &Snapshot,
    schema: &Schema,
    decision: Decision,
    id: RecordId,
    tombstone: Option<&Entry>,
) -> Result<bool> {
    let was_covered = tombstone.is_some_and(|tombstone| {
        // Where the tombstone does not know, the journal is asked.
        journal::owner_at_deletion(tombstone).is_none_or(|owner| decision.covers(owner))
    });
    Ok(was_covered || covers(core, snapshot, schema, decision, id).await?)
}

/// The entries of the records that a decision covers by their owner.
pub(in crate::domain) async fn owned(
    core: &Core,
    snapshot: &Snapshot,
    schema: &Schema,
    decision: Decision,
) -> Result<Option<Key>> {
    let (Decision::Own(user), Some(index)) = (decision, schema.keys.owner_index()) else { return Ok(None) };
    // Somebody who never owned anything may have no number; nobody has this one.
    let owner = core.owners.number(snapshot, user).await?.unwrap_or(OwnerNumber(0));
    Ok(Some(keyspace::owned(schema.number(), index, Some(owner))))
}
