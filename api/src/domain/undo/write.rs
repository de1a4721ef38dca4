//! The batch that puts records back.

use std::collections::BTreeSet;

use common::{
    access::Caller,
    problem::{FieldError, FieldErrors},
};
use store::{Batch, Expect, Snapshot, counter};

use super::{
    done::Done,
    judge::{Judged, Returning},
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
    record::EarlierValues,
    records::{expect_referrers, followers},
    stage::{self, Stage},
};

/// What is judged to go back, as one batch; and what that does, as far as the caller may view it. With `has_made_room` versions are kept
/// whether or not there is room for them.
pub(super) async fn stage(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    mut judged: Judged,
    has_made_room: bool,
) -> Result<(Batch, Done)> {
    // What goes gives its unique values up before others take them.
    judged.returning.sort_by_key(|returns| (returns.target.is_some(), returns.item.now.is_none()));
    let mut done = Done::default();
    done.add(&judged);
    let returning = judged.returning;
    let mut batch = Batch::new();
    let mut known = BTreeSet::new();
    for Returning { schema, .. } in &returning {
        if known.insert(schema.number()) {
            batch.expect(keyspace::collection(&schema.collection.name), Expect::Version(schema.version));
        }
    }
    let mut stage = Stage::new(core, caller, batch);
    if has_made_room {
        stage.has_made_room();
    }
    // So do those that change: two may take each other's.
    for returns in &returning {
        if let (Some(now), Some(target)) = (&returns.item.now, &returns.target) {
            stage.give_up(&returns.schema, now, Some(target)).await?;
        }
    }
    let referred = returning.iter().filter(|returns| {
        let count = returns.referrers.as_ref().and_then(counter).unwrap_or(0);
        returns.target.is_none() && returns.item.now.is_some() && count > 0
    });
    let deleted: Vec<_> =
        referred.map(|returns| (returns.schema.collection.name.clone(), returns.item.key.1)).collect();
    let which = |returns: &Returning| (returns.schema.collection.name.clone(), returns.item.key.1);
    let known = returning.iter().map(which).collect();
    for Returning { schema, item, target, referrers, .. } in returning {
        stage.is_consequence = item.is_consequence;
        let (_, id) = item.key;
        let kept = match (&item.was, &target) {
            (Some(was), Some(target)) => stage::kept_by_change(&schema, &item.kept, was, target),
            _ => EarlierValues::default(),
        };
        let taken = match (item.now, target) {
            (None, None) => continue,
            (Some(now), None) => {
                stage.delete(&schema, id, &now.entry).await?;
                expect_referrers(&mut stage, &schema, id, referrers.as_ref());
                Vec::new()
            }
            (Some(now), Some(mut target)) => {
                target.set("updated_at", core.timestamp());
                stage.put_back(&schema, &now, &target, kept).await?.1
            }
            (None, Some(mut target)) => {
                let tombstone = item.tombstone.ok_or(Error::Trimmed)?;
                target.set("updated_at", core.timestamp());
                stage.restore(&schema, id, &target, &tombstone, kept).await?.1
            }
        };
        if let Some(field) = taken.into_iter().next() {
            let error = FieldError::new("unique", "Two of the records that would come back have the same value here.");
            return Err(Error::Taken(FieldErrors::of(stage::taken(&field).0, error)));
        }
    }
    if !deleted.is_empty() {
        stage.is_consequence = true;
        followers(core, snapshot, caller, deleted, known).await?.stage(core, snapshot, &mut stage, true).await?;
    }
    Ok((stage.finish(), done))
}
