//! Which records a caller may see. What they may not see is answered as if it were not there: in refusals and counts, through references,
//! and by how long an answer takes.

use common::{
    access::{Action, Caller, Decision},
    id::{RecordId, UserId},
};
use store::Snapshot;

use crate::domain::{error::Result, keyspace, record, schema::Schema};

/// Whether the caller may view a record with this owner: `GET` answers it. A record for which this does not hold is null wherever a
/// reference leads to it.
pub(crate) fn may_view(schema: &Schema, caller: &Caller, owner: Option<UserId>) -> bool {
    schema.collection.access.decide(Action::View, caller).covers(owner)
}

/// Whether the caller sees a record with this owner in one way or another: by itself or in a list.
pub(crate) fn may_see(schema: &Schema, caller: &Caller, owner: Option<UserId>) -> bool {
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
