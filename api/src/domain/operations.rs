//! Work in the background: an operation has an id, shows how far it is, can be stopped, and goes on after a crash. It is done in
//! pieces that are bounded in keys, bytes and time. Each piece is one commit, which also writes the operation's own record: where
//! the next piece begins, how much is done, and which process holds the work and until when (its lease). The commit expects that
//! record unchanged, so a piece is done once, whoever else is at it, and never after somebody stopped the work.
//!
//! - `piece`: what kinds of work have in common, and the bounds of a piece
//! - `stored`: an operation's record
//! - `kinds`: what is stored of those whose work stands elsewhere
//! - `unfinished`: which are not over; it bounds how many there are at once
//! - `runner`: does the pieces; `background`: while the server runs, and gives way to requests
//! - `begin`: how one begins; `requests`: what is asked of operations
//! - `unseen`: what is held back since records have it that were not looked at yet
//! - `staying`: what is coming where fields stay as they are whose values do not fit
//! - `trim`, `history`, `erase`, `sweep`, `redefine`, `indexes`, `delete_collection`: the kinds; `domain/undo` and `domain/records` have one each

mod background;
mod begin;
mod coming;
mod delete_collection;
mod erase;
mod history;
mod indexes;
mod kinds;
mod piece;
mod redefine;
mod refill;
mod requests;
mod runner;
mod staying;
mod stored;
mod sweep;
mod trim;
mod unfinished;
mod unseen;
mod words;

use common::{
    access::Caller,
    change::{Subject, Verb},
    id::{OperationId, UserId},
    import::Import,
    operation::{Operation, OperationState},
};
use serde_json::{Value, json};
use store::{Batch, Expect, Reserve};

use super::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    keyspace,
    retry::Retry,
};
use stored::{Stored, shown_to};
pub(crate) use stored::{Work, load};

pub use background::run_in_background;
pub(in crate::domain) use begin::stage_erasing;
pub use coming::{end_change, push};
pub use delete_collection::remove_collection;
pub(crate) use delete_collection::work_on;
pub use erase::EraseTarget;
pub(in crate::domain) use kinds::{
    AtWork, ChangeRecords, DeleteRecord, ImportPhase, ImportRows, Migrate, Reading, Redefine, Revert, StepPhase,
};
pub(crate) use piece::{Budget, PATIENCE, Piece, Steps};
pub use redefine::Redefined;
pub(crate) use redefine::{begin_rewriting, redefine, stayed};
pub(in crate::domain) use refill::{Refill, Refilled};
pub use requests::{count_changes, erase, is_readable, list, rejected, trim_changes, trim_changes_now};
pub use runner::Runner;
pub use trim::Trim;
pub use unseen::{Holder, Unseen};

/// Starts to undo a large operation.
pub(crate) async fn revert(core: &Core, by: Actor<'_>, revert: Revert) -> Result<Operation> {
    let of = revert.count(core).await?;
    let details = json!({"kind": "revert", "operation": revert.operation()});
    start(core, by, Work::Revert(revert), of, Some(details)).await
}

async fn start(core: &Core, by: Actor<'_>, work: Work, of: Option<u64>, details: Option<Value>) -> Result<Operation> {
    // What a request starts is a part of it.
    let id = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
    let stored = Stored::new(work, of, core.timestamp(), by.caller.user_id());
    let told = details.map(|details| begin::told(core, by, id, details));
    let mut retry = Retry::new(core);
    loop {
        let mut batch = Batch::with(|batch| batch.use_reserve(Reserve::Most));
        let waits = begin::stage(core, id, &stored, told.as_ref(), &mut batch).await?;
        if retry.commit(batch).await?.is_some() {
            core.operation_started.notify_one();
            return Ok(begun(stored.shown(id, core), waits));
        }
    }
}

/// An operation that was only just begun: a runner that is free takes it up at once.
fn begun(operation: Operation, waits: bool) -> Operation {
    if waits { operation } else { Operation { state: OperationState::Running, ..operation } }
}

/// Notes in `batch` an operation that is over with it.
pub(crate) fn note_done(
    core: &Core,
    caller: &Caller,
    work: Work,
    done: u64,
    id: OperationId,
    batch: &mut Batch,
) -> Result<()> {
    let mut stored = Stored::new(work, Some(done), core.timestamp(), caller.user_id());
    stored.done = done;
    stored.end(OperationState::Done, core.timestamp());
    let key = keyspace::operation(id);
    batch.expect(key.clone(), Expect::Absent).put(key, stored.to_bytes()?);
    Ok(())
}

/// The import that an operation is, as far as it is.
pub(crate) async fn import_of(core: &Core, id: OperationId) -> Result<Option<ImportRows>> {
    Ok(match load(core, id).await? {
        Some((_, Stored { work: Work::Import(work), .. })) => Some(*work),
        _ => None,
    })
}

/// How the import that an operation is stands now.
pub async fn import_as_it_is(core: &Core, id: OperationId) -> Result<Option<Import>> {
    let Some((_, stored)) = load(core, id).await? else { return Ok(None) };
    Ok(stored.shown(id, core).import.map(|import| *import))
}

/// Whether the operation is an import of which nothing is there: it failed or was stopped, and was taken back.
pub(crate) async fn is_import_of_nothing(core: &Core, id: OperationId) -> Result<bool> {
    let Some(import) = import_as_it_is(core, id).await? else { return Ok(false) };
    let has_failed = matches!(import.state, OperationState::Failed | OperationState::Stopped);
    Ok(has_failed && import.created + import.updated == 0)
}

/// Starts to change or delete records, as a step of a migration says.
pub(crate) async fn change_records(core: &Core, caller: &Caller, work: ChangeRecords) -> Result<Operation> {
    let of = work.count(core).await?;
    // What it does to records is all that is told of it: one that changes nothing is nothing to be undone.
    start(core, Actor::local(caller), Work::ChangeRecords(Box::new(work)), of, None).await
}

/// Who has work done in the background that only admins may begin.
pub(crate) fn as_admin(by: Option<UserId>) -> Caller {
    let id = by.unwrap_or_else(|| UserId::from_uuid(uuid::Uuid::nil()));
    Caller::User { id, is_admin: true, roles: Vec::new() }
}

/// Whether there is an operation of this id.
pub(crate) async fn is_begun(core: &Core, id: OperationId) -> Result<bool> {
    Ok(load(core, id).await?.is_some())
}

/// One operation.
pub async fn get(core: &Core, id: OperationId) -> Result<Operation> {
    let (_, stored) = load(core, id).await?.ok_or(Error::NotFound)?;
    Ok(stored.shown(id, core))
}

/// One operation, for who asked for it and for admins.
pub async fn get_for(core: &Core, caller: &Caller, id: OperationId) -> Result<Operation> {
    let operation = get(core, id).await?;
    let is_theirs = operation.by.is_some() && operation.by == caller.user_id();
    if caller.is_admin() || is_theirs { Ok(shown_to(caller, operation)) } else { Err(Error::NotFound) }
}

/// Stops an operation, unless it is over. What was done stays done.
pub async fn stop(core: &Core, by: Actor<'_>, id: OperationId) -> Result<()> {
    // Somebody who has the machine itself may stop anybody's.
    if by.address.is_some() {
        get_for(core, by.caller, id).await?;
    }
    let mut retry = Retry::new(core);
    loop {
        let (version, mut stored) = load(core, id).await?.ok_or(Error::NotFound)?;
        if stored.state.is_over() {
            return Ok(());
        }
        // Somebody who is at it now sees to that.
        let is_held = stored.lease.is_some_and(|lease| lease.until > core.clock.unix_seconds());
        let mut batch = Batch::new();
        match &mut stored.work {
            // It is true already, and records are read as well: what is left can wait.
            Work::Redefine(work) if work.in_force => (stored.is_paused, stored.lease) = (true, None),
            // It is gone for everybody already.
            Work::DeleteCollection(_) => (stored.is_paused, stored.lease) = (true, None),
            Work::Import(work) => {
                if work.take_back(None) {
                    stored.lease = None;
                } else {
                    stored.end(OperationState::Stopped, core.timestamp());
                }
            }
            Work::Migrate(work) => work.stop(),
            Work::ChangeRecords(work) => work.stop("Somebody stopped it, and what was written was taken back."),
            Work::Redefine(work) => {
                work.stage_end(core, &mut batch).await?;
                stored.end(OperationState::Stopped, core.timestamp());
            }
            _ => stored.end(OperationState::Stopped, core.timestamp()),
        }
        let change = by.entry(core, Subject::Operation, &id, Verb::Stop);
        let key = keyspace::operation(id);
        batch
            .expect(key.clone(), Expect::Version(version))
            .put(key, stored.to_bytes()?)
            .append(journal::bytes(&change))
            .use_reserve(Reserve::Most);
        let is_over = stored.state.is_over();
        if retry.commit(batch).await?.is_some() {
            if is_over && !is_held {
                core.spool.forget(id);
            }
            core.operation_started.notify_one();
            return Ok(());
        }
    }
}

/// Goes on with an operation that somebody paused, or that failed after it took effect: what is left of it can still be done.
pub async fn resume(core: &Core, by: Actor<'_>, id: OperationId) -> Result<Operation> {
    let mut retry = Retry::new(core);
    loop {
        let (version, mut stored) = load(core, id).await?.ok_or(Error::NotFound)?;
        let has_taken_effect = match &stored.work {
            Work::Redefine(work) => work.in_force,
            Work::DeleteCollection(_) | Work::DeleteRecord(_) => true,
            _ => false,
        };
        let is_left = matches!(stored.state, OperationState::Failed | OperationState::Stopped) && has_taken_effect;
        if !stored.is_paused && !is_left {
            if matches!(stored.state, OperationState::Failed | OperationState::Stopped) {
                let message = "This operation is over, and nothing of it is left to be done.";
                return Err(Error::Conflict(message.to_owned()));
            }
            return Ok(stored.shown(id, core));
        }
        (stored.is_paused, stored.lease, stored.error, stored.ended_at) = (false, None, None, None);
        stored.state = OperationState::Running;
        let change =
            by.entry(core, Subject::Operation, &id, Verb::Start).values(Value::Null, json!({"kind": "resume"}));
        let mut batch = Batch::new();
        let key = keyspace::operation(id);
        batch
            .expect(key.clone(), Expect::Version(version))
            .put(key, stored.to_bytes()?)
            .append(journal::bytes(&change))
            .use_reserve(Reserve::Most);
        let waits = unfinished::begin(core, id, &stored, &mut batch).await?;
        if retry.commit(batch).await?.is_some() {
            core.operation_started.notify_one();
            return Ok(begun(stored.shown(id, core), waits));
        }
    }
}
