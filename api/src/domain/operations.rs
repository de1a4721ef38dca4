//! Work in the background: an operation has an id, shows how far it is, can be stopped, and goes on after a crash. It is done in
//! pieces that are bounded in keys, bytes and time. Each piece is one commit, which also writes the operation's own record: where
//! the next piece begins, how much is done, and which process holds the work and until when (its lease). The commit expects that
//! record unchanged, so a piece is done once, whoever else is at it, and never after somebody stopped the work.
//!
//! - `piece`: what kinds of work have in common, and the bounds of a piece
//! - `stored`: an operation's record
//! - `unfinished`: which are not over; it bounds how many there are at once
//! - `runner`: does the pieces, and gives way to requests
//! - `trim`, `history`, `erase`, `sweep`, `redefine`, `indexes`, `delete_collection`: the kinds; `domain/undo` and `domain/records` have one each

mod delete_collection;
mod erase;
mod history;
mod indexes;
mod piece;
mod redefine;
mod refill;
mod runner;
mod stored;
mod sweep;
mod trim;
mod unfinished;

use common::{
    access::Caller,
    change::{Subject, Verb},
    erase::Erase as Wish,
    id::{OperationId, UserId},
    operation::{self, Operation, OperationKind, OperationState},
    page::Page,
    people,
    query::ListQuery,
};
use serde_json::{Value, json};
use store::{Batch, Entry, Expect, Key, Reserve};

use super::{
    core::Core,
    error::{Error, Result},
    gone,
    journal::{self, Actor},
    keyspace, records,
    records::ChangeRecords,
    retry::Retry,
    undo::Revert,
    users,
};
use erase::{Erase, EraseTarget};
use stored::Stored;
pub(crate) use stored::Work;
pub(crate) use stored::load;

pub use delete_collection::remove_collection;
pub(crate) use delete_collection::work_on;
pub(crate) use piece::{Budget, Piece, Steps};
pub(crate) use redefine::Redefine;
pub use redefine::{Redefined, end_change, push};
pub(crate) use redefine::{begin_rewriting, redefine};
pub use runner::{Runner, run_in_background};
pub use trim::Trim;

/// Starts to remove what the journal says of the time before `now - older_than`.
pub async fn trim_changes(core: &Core, by: Actor<'_>, older_than: std::time::Duration) -> Result<Operation> {
    let trim = Trim::before(core, older_than)?;
    let of = trim.count(core).await?;
    let details = json!({"kind": "trim_changes", "until": trim.until()?});
    start(core, by, Work::TrimChanges(trim), of, Some(details)).await
}

/// How many changes [`trim_changes`] would remove, where they are few enough to be counted.
pub async fn count_changes(core: &Core, older_than: std::time::Duration) -> Result<Option<u64>> {
    Trim::before(core, older_than)?.count(core).await
}

/// Erases something: what it is now goes at once, what the journal says of it in the background.
pub async fn erase(core: &Core, by: Actor<'_>, wish: Wish) -> Result<Operation> {
    let snapshot = core.store.snapshot().await?;
    let (what, word) = match wish {
        Wish::Record { collection, id } => {
            let number = match records::erase(core, by.caller, &collection, id).await {
                Err(Error::NotFound) => gone::forget(core, by.caller, &collection, id).await?,
                number => number?,
            };
            (EraseTarget::Record(number, id), "record")
        }
        Wish::Field { collection, name } => {
            let numbers = match core.schemas.find(&snapshot, &collection, by.caller).await {
                Err(Error::NotFound) => {
                    gone::named(&snapshot, &collection).await?.iter().map(|(_, gone)| gone.number()).collect()
                }
                schema => vec![schema?.number()],
            };
            if numbers.is_empty() {
                return Err(Error::NotFound);
            }
            (EraseTarget::Field(numbers, name), "field")
        }
        Wish::User { id } => {
            let user = users::load(&core.store, id).await?.map(|(_, stored)| stored.user);
            if user.is_none() && core.owners.number(&snapshot, id).await?.is_none() {
                return Err(Error::NotFound);
            }
            let names = user.iter().flat_map(|user| [user.username.to_string(), user.email.clone()]);
            let names = names.filter(|name| !name.is_empty()).collect();
            if user.is_some() {
                users::delete(core, by, id).await?;
            }
            (EraseTarget::User(id, names), "user")
        }
    };
    start(core, by, Work::Erase(Erase::new(what)), None, Some(json!({"kind": "erase", "of": word}))).await
}

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
    let change =
        details.map(|details| by.entry(core, Subject::Operation, &id, Verb::Start).values(Value::Null, details));
    let mut retry = Retry::new(core);
    loop {
        let mut batch = Batch::new();
        let key = keyspace::operation(id);
        batch.expect(key.clone(), Expect::Absent).put(key, stored.to_bytes()?).use_reserve(Reserve::Most);
        if let Some(change) = &change {
            batch.append(journal::bytes(change));
        }
        let waits = unfinished::begin(core, id, &mut batch).await?;
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
    (id, batch): (OperationId, &mut Batch),
) -> Result<()> {
    let mut stored = Stored::new(work, Some(done), core.timestamp(), caller.user_id());
    stored.done = done;
    stored.end(OperationState::Done, core.timestamp());
    let key = keyspace::operation(id);
    batch.expect(key.clone(), Expect::Absent).put(key, stored.to_bytes()?);
    Ok(())
}

/// The import that an operation is, as far as it is.
pub(crate) async fn import_of(core: &Core, id: OperationId) -> Result<Option<records::ImportRows>> {
    Ok(match load(core, id).await? {
        Some((_, Stored { work: Work::Import(work), .. })) => Some(*work),
        _ => None,
    })
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

/// Removes what the spool keeps of operations that are over: rows at once, and what was left out of an import after a day.
pub async fn clear_spool(core: &Core) -> Result<()> {
    const KEPT: std::time::Duration = std::time::Duration::from_hours(24);
    for (id, path) in core.spool.kept() {
        let is_over = load(core, id).await?.is_none_or(|(_, stored)| stored.state.is_over());
        let age = path.metadata().and_then(|file| file.modified()).ok().and_then(|then| then.elapsed().ok());
        let is_rows = path.extension().is_some_and(|ending| ending == "rows");
        // What was only just kept may belong to an operation that is about to begin.
        let most = if is_rows { std::time::Duration::from_mins(10) } else { KEPT };
        if is_over && age.is_some_and(|age| age > most) {
            // Another process may have removed it.
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}

/// The file of rows that an import left out, for who began it and for admins.
pub async fn rejected(core: &Core, caller: &Caller, id: OperationId) -> Result<std::fs::File> {
    get_for(core, caller, id).await?;
    let file = core.spool.rejected(id).and_then(std::fs::File::open);
    file.map_err(|_| Error::NotFound)
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

/// An operation as its caller may know it: how many records go with one that is deleted, or come back, counts those that they may not view.
pub(crate) fn shown_to(caller: &Caller, operation: Operation) -> Operation {
    let counts_hidden = matches!(operation.kind, OperationKind::DeleteRecord | OperationKind::Revert);
    if caller.is_admin() || !counts_hidden { operation } else { Operation { done: 0, of: None, ..operation } }
}

/// The page of operations that a query asks for, newest first.
pub async fn list(core: &Core, query: &ListQuery) -> Result<Page<Operation>> {
    let table = operation::table();
    people::check(&table, query)?;
    let snapshot = core.store.snapshot().await?;
    let all = keyspace::every_operation();
    if query.ordering.is_empty() && !query.narrows() {
        // Newest first as they stand, so that no more is read than is shown.
        let count = snapshot.count(&all).await?.get() as u64;
        let (skip, size) = records::window(query, count)?;
        let entries = snapshot.scan(all.backward().skip(skip).limit(size)).await?;
        return Ok(Page { count, next: None, previous: None, results: shown(core, entries)? });
    }
    let operations = shown(core, snapshot.scan(all.backward()).await?)?;
    records::select(&records::Asked::new(core, &Caller::Anonymous), operations, &table, query, &core.deadline()).await
}

fn shown(core: &Core, entries: Vec<(Key, Entry)>) -> Result<Vec<Operation>> {
    let ids = entries.into_iter().filter_map(|(key, entry)| Some((keyspace::operation_id(&key)?, entry)));
    ids.map(|(id, entry)| Ok(Stored::parse(&entry)?.shown(id, core))).collect()
}

/// Stops an operation, unless it is over. What was done stays done.
pub async fn stop(core: &Core, by: Actor<'_>, id: OperationId) -> Result<()> {
    // Who has the machine itself may stop anybody's.
    if by.address.is_some() {
        get_for(core, by.caller, id).await?;
    }
    let mut retry = Retry::new(core);
    loop {
        let (version, mut stored) = load(core, id).await?.ok_or(Error::NotFound)?;
        if stored.state.is_over() {
            return Ok(());
        }
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
        if retry.commit(batch).await?.is_some() {
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
        let waits = unfinished::begin(core, id, &mut batch).await?;
        if retry.commit(batch).await?.is_some() {
            core.operation_started.notify_one();
            return Ok(begun(stored.shown(id, core), waits));
        }
    }
}

/// Removes from the journal as [`trim_changes`] does, here and now. Nobody else may have the store. `progress` is told how many
/// entries are done, each time that some are.
pub async fn trim_changes_now(
    core: &Core,
    older_than: std::time::Duration,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Operation> {
    let operation = trim_changes(core, Actor::local(&Caller::Anonymous), older_than).await?;
    Runner::new(core).finish(operation.id, progress).await?;
    get(core, operation.id).await
}

/// Whether an entry among the operations can be read: for a check of the store.
pub fn is_readable(key: &Key, entry: &Entry) -> bool {
    if *key == keyspace::unfinished_operations() {
        return unfinished::parse(entry).is_ok();
    }
    Stored::parse(entry).is_ok()
}
