//! Deleting a record with more than one commit takes: in pieces, children first. What was deleted stays deleted if it cannot go on; all
//! pieces are one operation, so it can be undone.

use std::sync::Arc;

use common::{
    access::Caller,
    change::{Subject, Verb},
    id::{OperationId, RecordId},
    operation::{Operation, OperationState},
    undo::Counted,
};
use store::{Batch, Snapshot, counters};

use super::{
    cascade::{Portion, Reach, References, Which, next_part, reach},
    deletion::{Plan, coming_referrers, restricted},
    visible::may_view,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{self, summary::Counts},
    keyspace,
    operations::{self, Budget, DeleteRecord, PATIENCE, Piece, Steps, Work},
    record,
    schema::{self, Schema},
    stage::Stage,
    users::load,
    work::AT_ONCE,
};

/// Begins, and does what a request waits for. `batch` expects what was decided by. `None` where another writer came first.
pub(super) async fn delete_in_pieces(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    schema: &Schema,
    id: RecordId,
    batch: Batch,
) -> Result<Option<Option<Operation>>> {
    let root = (schema.number(), id);
    let Reach { going, emptied, .. } = whole(core, caller, snapshot, root).await?;
    let operation = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
    let work = DeleteRecord { collection: schema.number(), id, by: caller.user_id(), places: Vec::new() };
    let of = Some((going.len() + emptied.len()) as u64);
    drop((going, emptied));
    operations::work_on(core, caller, Work::DeleteRecord(work), of, operation, batch, PATIENCE).await
}

/// Everything that goes with a record, unless something holds it back.
async fn whole(core: &Core, caller: &Caller, snapshot: &Snapshot, root: Which) -> Result<Reach> {
    let references = References::of(core, snapshot, root.0).await?;
    let reach = reach(snapshot, &references, root, &core.deadline()).await?;
    if reach.restricting.is_empty() {
        return Ok(reach);
    }
    Err(restricted(core, snapshot, caller, &reach.restricting).await?)
}

/// What it would do, as far as the caller may view it.
pub(super) async fn would_delete_in_pieces(
    core: &Core,
    caller: &Caller,
    snapshot: &Snapshot,
    schema: &Schema,
    id: RecordId,
) -> Result<Counts> {
    let Reach { going, emptied, .. } = whole(core, caller, snapshot, (schema.number(), id)).await?;
    let (mut counts, deadline) = (Counts::default(), core.deadline());
    for (touched, action) in [(going, Verb::Delete), (emptied, Verb::Update)] {
        let touched: Vec<Which> = touched.into_iter().collect();
        for chunk in touched.chunks(AT_ONCE) {
            let keys: Vec<_> = chunk.iter().map(|&(number, id)| keyspace::record(number, id)).collect();
            for (&(number, _), entry) in chunk.iter().zip(snapshot.get_many(&keys).await?) {
                let (Some(schema), Some(entry)) = (schema::by_number(&core.schemas, snapshot, number).await?, entry)
                else {
                    continue;
                };
                if may_view(&schema, caller, record::owner(&entry.value)?) {
                    let collection = Some(schema.collection.name.clone());
                    counts.add_many(Counted { subject: Subject::Record, collection, action, count: 1 });
                }
            }
            deadline.pause().await?;
        }
    }
    Ok(counts)
}

impl DeleteRecord {
    async fn caller(&self, core: &Core) -> Result<Caller> {
        let Some(id) = self.by else { return Ok(Caller::Anonymous) };
        let user = load(&core.store, id).await?.map(|(_, user)| user);
        Ok(user.map_or(Caller::User { id, is_admin: false, roles: Vec::new() }, |user| user.caller()))
    }

    /// Whether there is no room for more versions of the caller's: then nothing is kept of what goes.
    async fn is_full(&self, core: &Core, snapshot: &Snapshot, caller: &Caller) -> Result<bool> {
        let (Some(id), Some(most), false) = (self.by, core.quota.bytes, caller.is_admin()) else { return Ok(false) };
        let Some(owner) = core.owners.number(snapshot, id).await? else { return Ok(false) };
        let kept = snapshot.get(&keyspace::usage(Some(owner))).await?;
        let kept: [i64; 3] = kept.as_ref().and_then(counters).unwrap_or_default();
        Ok(u64::try_from(kept[2]).is_ok_and(|kept| kept >= most))
    }

    /// Where to go on: the lowest place that is still there.
    async fn from(&mut self, snapshot: &Snapshot, root: Which) -> Result<Which> {
        while let Some(&(number, id)) = self.places.last() {
            if snapshot.get(&keyspace::record(number, id)).await?.is_some() {
                return Ok((number, id));
            }
            self.places.pop();
        }
        Ok(root)
    }
}

impl Steps for DeleteRecord {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        let (caller, root) = (self.caller(core).await?, (self.collection, self.id));
        let mut piece = Piece::default();
        let root_key = keyspace::record(self.collection, self.id);
        if snapshot.get(&root_key).await?.is_none() {
            piece.is_last = true;
            return Ok(piece);
        }
        let references = References::of(core, &snapshot, self.collection).await?;
        let from = self.from(&snapshot, root).await?;
        let Portion { going, mut emptied, places, restricting } =
            next_part(&snapshot, &references, root, from, budget).await?;
        if let Some(restricting) = restricting.filter(|_| going.is_empty() && emptied.is_empty()) {
            // As the caller may be told.
            let error = restricted(core, &snapshot, &caller, &[restricting]).await?;
            let told = format!("{} What was deleted before stays deleted.", told(&error));
            piece.ended = Some((OperationState::Failed, Some(told)));
            piece.is_last = true;
            return Ok(piece);
        }
        emptied.sort_by(|(name, _, id, _), (other, _, other_id, _)| (id, name).cmp(&(other_id, other)));
        let mut ended: Vec<(Arc<Schema>, _, _)> = Vec::new();
        for going in going.iter().filter(|going| going.referrers.is_some()) {
            ended.extend(coming_referrers(core, &snapshot, &going.schema, going.id).await?);
        }
        piece.done = (going.len() + emptied.len()) as u64;
        piece.is_last = going.iter().any(|going| (going.schema.number(), going.id) == root);
        let mut stage = Stage::new(core, &caller, Batch::new());
        stage.has_made_room();
        stage.forgets = self.is_full(core, &snapshot, &caller).await?;
        // The record itself goes last, and is no consequence.
        let (first, rest): (Vec<_>, Vec<_>) =
            going.into_iter().partition(|going| (going.schema.number(), going.id) == root);
        stage.is_consequence = true;
        Plan { going: rest, emptied, ended }.stage(core, &snapshot, &mut stage, true).await?;
        stage.is_consequence = false;
        Plan { going: first, emptied: Vec::new(), ended: Vec::new() }.stage(core, &snapshot, &mut stage, true).await?;
        piece.batch = stage.finish();
        self.places.extend(places);
        Ok(piece)
    }
}

/// An error as people are told.
fn told(error: &Error) -> String {
    match error {
        Error::Taken(errors) => errors.in_words(),
        error => error.to_string(),
    }
}
