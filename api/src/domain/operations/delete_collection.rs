//! Removing what a deleted collection left. It is gone for everybody already: first its records stop to count for their owners, in one
//! commit; then they go, a piece at a time, as deleted records do, into the journal; and what stands beside them.

use std::time::Duration;

use common::{
    access::{Caller, Decision},
    id::OperationId,
    operation::{Operation, OperationState},
};
use store::{Batch, CommitError, Expect, Scan, Snapshot, Version};

use super::{
    Runner, begin,
    indexes::remove_index,
    kinds::DeleteCollection,
    piece::{Budget, Entries, PATIENCE, Piece, Steps},
    stored::{Stored, Work, load, shown_to},
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    gone::{self, DeletedCollectionEntry, Left},
    keyspace,
    numbers::CollectionNumber,
    record,
    retry::commit_noted,
    schema,
    stage::Stage,
    usage::{self, Changes},
};

impl DeleteCollection {
    /// How many records there are left, about.
    pub(crate) async fn count(&self, core: &Core) -> Result<Option<u64>> {
        let snapshot = core.store.snapshot().await?;
        schema::count(&core.owners, &snapshot, self.collection, Decision::All).await
    }

    /// Only admins delete collections.
    fn caller(&self) -> Caller {
        match self.by {
            Some(id) => Caller::User { id, is_admin: true, roles: Vec::new() },
            None => Caller::Anonymous,
        }
    }

    /// Has the records count for nobody.
    async fn uncount(
        &self,
        core: &Core,
        snapshot: &Snapshot,
        version: Version,
        mut gone: DeletedCollectionEntry,
    ) -> Result<Piece> {
        let (mut sums, mut piece) = (Changes::default(), Piece::default());
        let mut pages = snapshot.pages(Scan::prefix(&keyspace::records(self.collection)));
        while let Some(page) = pages.next().await? {
            for (_, entry) in page {
                let owner = match record::owner(&entry.value)? {
                    Some(user) => core.owners.number(snapshot, user).await?,
                    None => None,
                };
                sums.add(owner, -1, -record::counted_size(&entry.value)?);
            }
            tokio::task::yield_now().await;
        }
        sums.stage(core, &self.caller(), &mut piece.batch);
        gone.gone.left = Left::Records;
        gone.stage(&mut piece.batch, version)?;
        Ok(piece)
    }

    async fn remove(
        &self,
        core: &Core,
        snapshot: &Snapshot,
        version: Version,
        mut gone: DeletedCollectionEntry,
        budget: &mut Budget<'_>,
    ) -> Result<Piece> {
        let mut piece = Piece::default();
        let numbered = keyspace::numbered(self.collection);
        for retired in &gone.gone.definition.keys.retired {
            if !remove_index(core, snapshot, self.collection, retired, &mut piece, budget).await? {
                piece.batch.expect(numbered, Expect::Version(version));
                return Ok(piece);
            }
        }
        let mut batch = Batch::with(|batch| batch.expect(numbered.clone(), Expect::Version(version)));
        let schema = gone.schema(core, snapshot, &mut batch).await?;
        let caller = self.caller();
        let mut stage = Stage::new(core, &caller, batch);
        stage.of_gone(self.collection);
        let all = Scan::prefix(&keyspace::records(self.collection));
        let mut scan = all.clone();
        loop {
            let Entries { entries, is_end } = budget.scan(snapshot, scan.clone()).await?;
            for (key, entry) in entries {
                let Some(id) = keyspace::last_id(&key) else { continue };
                stage.delete(&schema, id, &entry).await?;
                piece.done += 1;
                budget.spend(entry.value.len());
                scan = all.clone().after(&key);
                if budget.is_spent() {
                    break;
                }
            }
            if is_end || budget.is_spent() {
                break;
            }
        }
        piece.batch.extend(stage.finish());
        if piece.done > 0 {
            return Ok(piece);
        }
        // What stands beside records that are gone: where none were, nothing of it is wanted.
        let number = self.collection;
        let beside = [
            keyspace::indexes(number),
            keyspace::uniques(number),
            keyspace::all_referrers(number),
            keyspace::count(number),
        ];
        for prefix in beside {
            let mut scan = Scan::prefix(&prefix);
            loop {
                let Entries { entries, is_end } = budget.scan(snapshot, scan.clone()).await?;
                for (key, entry) in entries {
                    scan = scan.after(&key);
                    piece.batch.delete(key);
                    budget.spend(entry.value.len());
                }
                if budget.is_spent() {
                    return Ok(piece);
                }
                if is_end {
                    break;
                }
            }
        }
        gone.gone.left = Left::Nothing;
        gone.stage(&mut piece.batch, version)?;
        piece.is_last = true;
        Ok(piece)
    }
}

impl Steps for DeleteCollection {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        match gone::load(&snapshot, self.collection).await? {
            Some((version, gone)) if gone.gone.left == Left::Counted => {
                self.uncount(core, &snapshot, version, gone).await
            }
            Some((version, gone)) if gone.gone.left == Left::Records => {
                self.remove(core, &snapshot, version, gone, budget).await
            }
            _ => Ok(Piece { is_last: true, ..Piece::default() }),
        }
    }
}

/// Commits `batch`, which takes a collection away, with the work that removes what is left of it, and does that for a while. Gives the
/// operation where there is more to do; `None` twice over where another writer came first.
pub async fn remove_collection(
    core: &Core,
    caller: &Caller,
    collection: CollectionNumber,
    of: u64,
    id: OperationId,
    batch: Batch,
    waits: bool,
) -> Result<Option<Option<Operation>>> {
    let waits = if waits { PATIENCE } else { Duration::ZERO };
    let work = Work::DeleteCollection(DeleteCollection { collection, by: caller.user_id() });
    work_on(core, caller, work, Some(of), id, batch, waits).await
}

/// Commits `batch` with the work that it begins, and does that for as long as a request `waits`. Gives the operation where there is more to
/// do; `None` twice over where another writer came first.
pub(crate) async fn work_on(
    core: &Core,
    caller: &Caller,
    work: Work,
    of: Option<u64>,
    id: OperationId,
    mut batch: Batch,
    waits: Duration,
) -> Result<Option<Option<Operation>>> {
    let runner = Runner::new(core);
    let mut stored = Stored::new(work, of, core.timestamp(), caller.user_id());
    if !waits.is_zero() {
        stored.hold(runner.holder(), core.clock.unix_seconds());
    }
    stored.has_parts = batch.appended() > 0;
    begin::stage(core, id, &stored, None, &mut batch).await?;
    match commit_noted(core, batch, true).await {
        Ok(_) => {}
        Err(CommitError::Conflict { .. }) => return Ok(None),
        Err(error) => return Err(usage::commit_error(core, caller, error)),
    }
    runner.work_for(id, waits, |_| false).await?;
    let Some((_, stored)) = load(core, id).await? else { return Ok(Some(None)) };
    match stored.state {
        OperationState::Failed => Err(Error::Conflict(stored.error.unwrap_or_default())),
        OperationState::Stopped => {
            let told = stored.error.unwrap_or_default();
            Err(Error::Conflict(format!("It was stopped before it was done. {told}").trim_end().to_owned()))
        }
        state if state.is_over() => Ok(Some(None)),
        _ => {
            let shown = Operation { state: OperationState::Running, ..stored.shown(id, core) };
            Ok(Some(Some(shown_to(caller, shown))))
        }
    }
}
