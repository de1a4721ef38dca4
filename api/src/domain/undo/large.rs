//! Undoing a large operation: a commit of its at a time, the last first, so that what others hang on comes back before them.

use std::collections::BTreeSet;

use common::{
    access::Caller,
    id::{OperationId, UserId},
    undo::Changed,
};
use store::{Snapshot, Version};

use super::{
    done::Done,
    item::Items,
    judge::{Judge, TOLD},
    write,
};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{ChangedSince, Error, Result},
    idempotency,
    journal::{self, Actor, of_operation::Parts},
    operations::{Budget, Piece, Revert, Steps},
    users::load,
};

impl Revert {
    /// Of an operation, for a caller.
    pub(super) fn new(operation: OperationId, by: &Caller, changed: Changed, is_checked: bool) -> Self {
        Self {
            operation,
            by: by.user_id(),
            changed,
            is_checked,
            checked_from: None,
            done_from: None,
            skipped: 0,
            has_collection: false,
            is_taking_back: false,
        }
    }

    /// Of what an operation has written, by itself, since it cannot be finished.
    pub(crate) fn taking_back(operation: OperationId, by: &Caller) -> Self {
        Self { is_taking_back: true, ..Self::new(operation, by, Changed::Skip, true) }
    }

    /// Of the deletion of a collection that is back already.
    pub(super) fn of_collection(operation: OperationId, by: &Caller, changed: Changed) -> Self {
        Self { has_collection: true, ..Self::new(operation, by, changed, true) }
    }

    /// How many entries there are to undo.
    pub(crate) async fn count(&self, core: &Core) -> Result<Option<u64>> {
        let snapshot = core.store.snapshot().await?;
        let mut parts = Parts::new(&snapshot, self.operation).await?;
        if let Some(version) = self.done_from {
            parts.before(version);
        }
        Ok(Some(parts.count()))
    }

    /// The operation that is undone.
    pub(crate) fn operation(&self) -> OperationId {
        self.operation
    }

    /// What is to be said at the end; nothing where all went back.
    pub(crate) fn remark(&self) -> Option<String> {
        let records = common::text::count(self.skipped, "record");
        (self.skipped > 0).then(|| format!("{records} had been changed, or could not go back, and stayed as they are."))
    }

    /// Looks at the next commits: an error where they may or can not go back.
    async fn check(
        &mut self,
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        mut parts: Parts<'_>,
        budget: &mut Budget<'_>,
        deadline: &Deadline,
    ) -> Result<()> {
        let mut judge = Judge::new(core, snapshot, Actor::local(caller), self.changed);
        judge.part_of = Some(parts.versions_from(Version::ZERO));
        let mut later = BTreeSet::new();
        if let Some(version) = self.checked_from {
            later = parts.versions_from(version);
            parts.before(version);
        }
        while !budget.is_spent() {
            let Some(part) = parts.next_back().await? else {
                self.is_checked = true;
                break;
            };
            let version = part.version;
            let mut items = Items::new(core, snapshot, caller);
            items.later = Some(&later);
            budget.spend(part.bytes);
            items.take(part)?;
            if !items.is_empty() {
                let (items, _held) = items.resolve(deadline).await?;
                judge.judge(items).await.map_err(partial)?;
            }
            later.insert(version);
            self.checked_from = Some(version);
        }
        Ok(())
    }

    async fn caller(&self, core: &Core) -> Result<Caller> {
        if self.is_taking_back {
            let id = self.by.unwrap_or_else(|| UserId::from_uuid(uuid::Uuid::nil()));
            return Ok(Caller::User { id, is_admin: true, roles: Vec::new() });
        }
        let Some(id) = self.by else { return Ok(Caller::Anonymous) };
        let user = load(&core.store, id).await?.map(|(_, user)| user);
        Ok(user.filter(|user| user.user.is_active).ok_or(Error::Denied)?.caller())
    }
}

/// What was found of one commit, where the others are not looked at.
fn partial(error: Error) -> Error {
    match error {
        Error::ChangedSince(since) => Error::ChangedSince(Box::new(ChangedSince { is_partial: true, ..*since })),
        error => error,
    }
}

/// Whether all of an operation may and can go back; an error where it does not. `false` where it takes longer than a request may.
pub(super) async fn check(
    core: &Core,
    snapshot: &Snapshot,
    by: Actor<'_>,
    parts: Parts<'_>,
    changed: Changed,
    deadline: &Deadline,
) -> Result<bool> {
    match would_be(core, snapshot, by, parts, changed, deadline).await {
        Ok(_) => Ok(true),
        Err(Error::TooSlow) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What undoing it would do; an error where not all of it may and can go back.
pub(super) async fn would_be(
    core: &Core,
    snapshot: &Snapshot,
    by: Actor<'_>,
    mut parts: Parts<'_>,
    changed: Changed,
    deadline: &Deadline,
) -> Result<Done> {
    let mut judge = Judge::new(core, snapshot, by, changed);
    judge.part_of = Some(parts.versions_from(Version::ZERO));
    let (mut later, mut done, mut since) = (BTreeSet::new(), Done::default(), ChangedSince::default());
    while let Some(part) = parts.next_back().await? {
        let version = part.version;
        let mut items = Items::new(core, snapshot, by.caller);
        items.later = Some(&later);
        items.take(part)?;
        if !items.is_empty() {
            let judged = async {
                let (items, _held) = items.resolve(deadline).await?;
                judge.judge(items).await
            };
            match judged.await {
                Ok(judged) => done.add(&judged),
                // All of them are counted, as far as there is time.
                Err(Error::ChangedSince(found)) => since.add(*found, TOLD),
                Err(Error::TooSlow) if since.is_any() => {
                    since.is_partial = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        later.insert(version);
    }
    if since.is_any() { Err(Error::ChangedSince(Box::new(since))) } else { Ok(done) }
}

impl Steps for Revert {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let caller = self.caller(core).await?;
        let (snapshot, deadline) = (core.store.snapshot().await?, core.deadline());
        let mut parts = Parts::new(&snapshot, self.operation).await?;
        // What cannot be finished is taken back as far as it goes.
        if parts.is_cut() && !self.is_taking_back {
            return Err(Error::Trimmed);
        }
        if !self.is_checked {
            self.check(core, &snapshot, &caller, parts, budget, &deadline).await?;
            return Ok(Piece::default());
        }
        if let Some(version) = self.done_from {
            parts.before(version);
        }
        let mut piece = Piece::default();
        let Some(part) = parts.next_back().await? else {
            piece.is_last = true;
            // What cannot be finished says so itself.
            if let Some(own) = journal::operation().filter(|_| self.skipped == 0 && !self.is_taking_back) {
                idempotency::note_taken_back(core, &mut piece.batch, self.operation, own)?;
            }
            return Ok(piece);
        };
        self.done_from = Some(part.version);
        piece.done = part.entries.len() as u64;
        let mut items = Items::new(core, &snapshot, &caller);
        items.has_collection = self.has_collection;
        items.take(part)?;
        if items.is_empty() {
            return Ok(piece);
        }
        // What was changed since it was looked at stays as it is.
        let changed = if self.changed == Changed::Refuse { Changed::Skip } else { self.changed };
        let mut judge = Judge::new(core, &snapshot, Actor::local(&caller), changed);
        judge.is_leaving_out = true;
        let (items, _held) = items.resolve(&deadline).await?;
        let judged = judge.judge(items).await?;
        let (batch, done) = write::stage(core, &snapshot, &caller, judged, true).await?;
        self.skipped += done.skipped;
        piece.batch = batch;
        budget.spend(0);
        Ok(piece)
    }
}
