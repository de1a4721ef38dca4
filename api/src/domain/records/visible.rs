//! Which records a caller may see. What they may not see is answered as if it were not there: in refusals and counts, through references,
//! and by how long an answer takes.

use common::{
    access::{Action, Caller, Decision},
    id::{RecordId, UserId},
};
use store::{Entry, Key, Snapshot};

use crate::domain::{core::Core, error::Result, journal, keyspace, numbers::OwnerNumber, record, schema::Schema};

/// Whether a decision about a record's owner covers the record, without a look at the record: whether it is absent or another's takes as
/// long to find out, however large it is.
pub(super) async fn covers(
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
    Ok(snapshot.get(&owned.uuid(id.uuid())).await?.is_some())
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
    // Who never owned anything may have no number; nobody has this one.
    let owner = core.owners.number(snapshot, user).await?.unwrap_or(OwnerNumber(0));
    Ok(Some(keyspace::owned(schema.number(), index, Some(owner))))
}

/// Whether the caller may view a record with this owner: `GET` answers it. A record for which this does not hold is null wherever a
/// reference leads to it.
pub(crate) fn may_view(schema: &Schema, caller: &Caller, owner: Option<UserId>) -> bool {
    schema.collection.access.decide(Action::View, caller).covers(owner)
}

/// Whether the caller sees a record with this owner in one way or another: by itself or in a list.
pub(super) fn may_see(schema: &Schema, caller: &Caller, owner: Option<UserId>) -> bool {
    may_view(schema, caller, owner) || schema.collection.access.decide(Action::List, caller).covers(owner)
}

/// Whether there is such a record for the caller.
pub(crate) async fn is_visible(snapshot: &Snapshot, caller: &Caller, schema: &Schema, id: RecordId) -> Result<bool> {
    let Some(entry) = snapshot.get(&keyspace::record(schema.number(), id)).await? else { return Ok(false) };
    let rules = &schema.collection.access;
    if [Action::View, Action::List].iter().any(|action| rules.decide(*action, caller) == Decision::All) {
        return Ok(true);
    }
    Ok(may_see(schema, caller, record::owner(&entry.value)?))
}
