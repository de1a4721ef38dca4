//! Deleting a record, and what that means for the records that refer to it: refused, deleted too, or made to refer to
//! nothing, as their fields say. All of it is one commit.

use std::{collections::BTreeSet, sync::Arc};

use common::{
    access::{Action, Caller},
    id::{OperationId, RecordId, Revision},
    name::CollectionName,
    operation::Operation,
};
use store::{Expect, Reserve, Snapshot};

use super::{
    delete_large::{delete_in_pieces, would_delete_in_pieces},
    deletion::{MAX_TOUCHED, MAX_TOUCHED_BYTES, plan},
    find::{Target, expect_schema, find},
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{Actor, summary::Counts},
    keyspace,
    operations::{EraseTarget, stage_erasing},
    precondition::Precondition,
    retry::Retry,
    schema::Schema,
    stage::Stage,
};

/// Deletes a record. What takes along more than one commit can goes in pieces: then this gives the work that is left, if any is.
pub async fn delete(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    precondition: Option<&Precondition>,
) -> Result<Option<Operation>> {
    let (mut retry, mut forgets, mut is_large) = (Retry::new(core), false, false);
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = find_to_delete(core, &snapshot, caller, name, id, precondition).await?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema));
        stage.forgets = forgets;
        let root = (schema.collection.name.clone(), id);
        let planned = if is_large {
            None
        } else {
            plan(core, &snapshot, caller, vec![root.clone()], BTreeSet::from([root])).await?
        };
        let Some(plan) = planned else {
            if let Some(left) = delete_in_pieces(core, caller, &snapshot, &schema, id, stage.finish()).await? {
                return Ok(left);
            }
            retry.again()?;
            continue;
        };
        plan.stage(core, &snapshot, &mut stage, true).await?;
        let mut batch = stage.finish();
        batch.use_reserve(Reserve::Much);
        match retry.commit_for(caller, batch).await {
            Ok(Some(_)) => return Ok(None),
            Ok(None) => {}
            // Deleting is always possible. Where there is no room for what goes, nothing of it is kept.
            Err(Error::OverQuota(_)) if !forgets => forgets = true,
            Err(Error::TooManyEntries { .. }) if !is_large => is_large = true,
            Err(error) => return Err(error),
        }
    }
}

/// Deletes a record for an admin who wants it erased: nothing is kept of it, and it cannot come back. One that was deleted already can
/// come back no more. With it begins the operation that removes what the journal says of it.
pub async fn erase(
    core: &Core,
    by: Actor<'_>,
    name: &CollectionName,
    id: RecordId,
    operation: OperationId,
) -> Result<()> {
    let (caller, mut retry) = (by.caller, Retry::new(core));
    loop {
        let snapshot = core.store.snapshot().await?;
        let schema = core.schemas.find(&snapshot, name, caller).await?;
        let (number, tombstone) = (schema.number(), keyspace::tombstone(schema.number(), id));
        let keys = [keyspace::record(number, id), tombstone.clone()];
        let found = snapshot.get_many(&keys).await?;
        let mut stage = Stage::new(core, caller, expect_schema(&schema));
        match &found[..] {
            [Some(_), _] => {
                // What goes with it can come back.
                stage.forgets = true;
                let root = (schema.collection.name.clone(), id);
                let plan = plan(core, &snapshot, caller, vec![root.clone()], BTreeSet::from([root]));
                let plan = plan.await?.ok_or_else(too_much)?;
                plan.stage(core, &snapshot, &mut stage, false).await?;
            }
            [None, Some(deleted)] => stage.expect(tombstone.clone(), Expect::Version(deleted.version)),
            _ => return Err(Error::NotFound),
        }
        let mut batch = stage.finish();
        batch.delete(tombstone).use_reserve(Reserve::Much);
        stage_erasing(core, by, operation, EraseTarget::Record(number, id), &mut batch).await?;
        if retry.commit_for(caller, batch).await?.is_some() {
            // Its words go out of their blocks.
            core.clear_now.notify_one();
            return Ok(());
        }
    }
}

/// What [`delete`] would do, as far as the caller may view it. What it would refuse, this refuses.
pub async fn would_delete(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    precondition: Option<&Precondition>,
) -> Result<Counts> {
    let snapshot = core.store.snapshot().await?;
    let schema = find_to_delete(core, &snapshot, caller, name, id, precondition).await?;
    let root = (schema.collection.name.clone(), id);
    let Some(plan) = plan(core, &snapshot, caller, vec![root.clone()], BTreeSet::from([root])).await? else {
        return Ok(would_delete_in_pieces(core, caller, &snapshot, &schema, id).await?.sorted(name));
    };
    Ok(plan.counts(core, &snapshot, caller).await?.sorted(name))
}

async fn find_to_delete(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    name: &CollectionName,
    id: RecordId,
    precondition: Option<&Precondition>,
) -> Result<Arc<Schema>> {
    let Target { schema, stored } = find(core, snapshot, caller, Action::Delete, name, id).await?;
    Precondition::check(precondition, Revision(stored.entry.version.get()))?;
    Ok(schema)
}

/// What is told where erasing would touch too much at once.
fn too_much() -> Error {
    let mib = MAX_TOUCHED_BYTES / (1024 * 1024);
    Error::Conflict(format!(
        "More than {MAX_TOUCHED} records, or {mib} MiB of them, would go with this one. Delete it first, and erase it then."
    ))
}
