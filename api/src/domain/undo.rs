//! Undoing an operation: everything that it did goes back, or nothing does. What it deleted comes back, what it made goes, what it
//! changed is as it was. The revert is an operation too, so undoing that does everything again.
//!
//! - `item`: a record that the operation touched: as it was, as it left it, as it is now
//! - `judge`: what keeps items from going back
//! - `done`: what is told of it
//! - `write`: the batch that puts them back
//! - `large`: the same in pieces, in the background
//! - `definition`: collections and their definitions

mod definition;
mod done;
mod item;
mod judge;
mod large;
mod write;

use super::{
    core::Core,
    error::{AuthError, Error, Result},
    idempotency,
    journal::{self, Actor, of_operation::Parts},
    operations::{self, Revert},
    quota::OverQuota,
    retry::Retry,
};
use common::{
    access::Caller,
    change::{Subject, Verb},
    id::OperationId,
    operation::OperationState,
    undo::{Changed, Reverted},
};
use done::{Done, reverted};
use item::Items;
use judge::Judge;

/// What was done in several commits, and takes more bytes, goes back in pieces: one commit of it at a time.
const MAX_BYTES_AT_ONCE: usize = 8 * 1024 * 1024;

/// How an operation is undone.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// What becomes of what was changed since.
    pub changed: Changed,
    /// Nobody waits for what is done in the background, nor for what is looked at beforehand.
    pub respond_async: bool,
    /// Nothing is done; what would be is told.
    pub dry_run: bool,
}

/// Undoes the operation `id` under the rules of who asks.
pub async fn revert(core: &Core, by: Actor<'_>, id: OperationId, how: How) -> Result<Reverted> {
    match attempt(core, by, id, how).await {
        // Whether there is such an operation is for people who are signed in.
        Err(Error::NotFound | Error::Denied | Error::Trimmed) if *by.caller == Caller::Anonymous => {
            Err(AuthError::Missing.into())
        }
        outcome => outcome,
    }
}

/// The same as a part of work in the background: what is large is looked at there, too.
pub(crate) async fn revert_later(core: &Core, by: Actor<'_>, id: OperationId, changed: Changed) -> Result<Reverted> {
    attempt(core, by, id, How { changed, respond_async: true, dry_run: false }).await
}

async fn attempt(core: &Core, by: Actor<'_>, id: OperationId, how: How) -> Result<Reverted> {
    let How { changed, respond_async, dry_run } = how;
    let caller = by.caller;
    let own = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
    let (mut retry, mut has_made_room, mut has_too_much) = (Retry::new(core), false, false);
    loop {
        let (snapshot, deadline) = (core.store.snapshot().await?, core.deadline());
        let mut parts = Parts::whole(&snapshot, id).await?;
        if let Some(change) = definition::find(&snapshot, id).await?
            && caller.is_admin()
        {
            let is_gone = matches!(change.action, Verb::Create | Verb::Restore);
            let undone = definition::revert(core, by, own, id, change, how).await?;
            // Where it goes on in the background, that notes it; a collection is gone at once.
            if !dry_run && undone.skipped == 0 && (is_gone || undone.state == OperationState::Done) {
                let mut batch = store::Batch::new();
                idempotency::note_taken_back(core, &mut batch, id, undone.operation)?;
                core.store.commit(batch).await?;
            }
            return Ok(undone);
        }
        let (is_one, mut is_large) = (parts.is_one(), has_too_much || parts.count() > core.revert_at_once);
        let mut items = Items::new(core, &snapshot, caller);
        let mut bytes = 0;
        while !is_large && let Some(part) = parts.next().await? {
            bytes += part.bytes;
            is_large = bytes > MAX_BYTES_AT_ONCE && !is_one;
            items.take(part)?;
        }
        if is_large {
            drop(items);
            let parts = Parts::new(&snapshot, id).await?;
            if dry_run {
                let done = large::would_be(core, &snapshot, by, parts, changed, &deadline).await?;
                return Ok(reverted(own, id, OperationState::Done, done));
            }
            let is_checked = !respond_async && large::check(core, &snapshot, by, parts, changed, &deadline).await?;
            let operation = operations::revert(core, by, Revert::new(id, caller, changed, is_checked)).await?;
            return Ok(reverted(operation.id, id, operation.state, Done::default()));
        }
        let (items, _held) = items.resolve(&deadline).await?;
        let judged = Judge::new(core, &snapshot, by, changed).judge(items).await?;
        let (mut batch, done) = write::stage(core, &snapshot, caller, judged, has_made_room).await?;
        if dry_run || (done.counts.total() == 0 && batch.is_empty()) {
            return Ok(reverted(own, id, OperationState::Done, done));
        }
        batch.append(journal::bytes(&by.entry(core, Subject::Operation, &id, Verb::Revert)));
        if done.skipped == 0 {
            idempotency::note_taken_back(core, &mut batch, id, own)?;
        }
        match retry.commit_for(caller, batch).await {
            Ok(Some(_)) => return Ok(reverted(own, id, OperationState::Done, done)),
            Ok(None) => {}
            // What is undone was there before, so it is let go back.
            Err(Error::OverQuota(OverQuota::History)) if !has_made_room => has_made_room = true,
            Err(Error::TooManyEntries { .. }) if !has_too_much => has_too_much = true,
            Err(error) => return Err(error),
        }
    }
}
