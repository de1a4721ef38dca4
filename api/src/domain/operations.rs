//! Work in the background: an operation has an id, shows how far it is, can be stopped, and goes on after a crash. It is done in
//! pieces that are bounded in keys, bytes and time. Each piece is one commit, which also writes the operation's own record: where
//! the next piece begins, how much is done, and which process holds the work and until when (its lease). The commit expects that
//! record unchanged, so a piece is done once, whoever else is at it, and never after somebody stopped the work.
//!
//! - `piece`: what kinds of work have in common, and the bounds of a piece
//! - `stored`: an operation's record
//! - `runner`: does the pieces, and gives way to requests
//! - `trim`, `sweep`: the kinds

mod piece;
mod runner;
mod stored;
mod sweep;
mod trim;

use common::{
    access::Caller,
    change::{Subject, Verb},
    id::OperationId,
    operation::{self, Operation, OperationState},
    page::Page,
    people,
    query::ListQuery,
};
use serde_json::{Value, json};
use store::{Batch, Entry, Expect, Scan};

use super::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    keyspace, records,
    retry::Retry,
};
use stored::{Stored, Work, load};

pub use runner::{Runner, run_in_background};
pub use trim::Trim;

/// Starts to remove what the journal says of the time before `now - older_than`.
pub async fn trim_changes(core: &Core, by: Actor<'_>, older_than: std::time::Duration) -> Result<Operation> {
    let trim = Trim::before(core, older_than)?;
    let of = trim.count(core).await?;
    let details = json!({"kind": "trim_changes", "until": trim.until()?});
    start(core, by, Work::TrimChanges(trim), Some(of), details).await
}

async fn start(core: &Core, by: Actor<'_>, work: Work, of: Option<u64>, details: Value) -> Result<Operation> {
    let id = OperationId::from_uuid(core.ids.next_id());
    let stored = Stored::new(work, of, core.timestamp(), by.caller.user_id());
    let change = by.entry(core, Subject::Operation, &id, Verb::Start).values(Value::Null, details);
    let mut batch = Batch::new();
    let key = keyspace::operation(id);
    batch.expect(key.clone(), Expect::Absent).put(key, stored.to_bytes()?).append(journal::bytes(&change));
    core.store.commit(batch).await?;
    core.operation_started.notify_one();
    // A runner that is free takes it up at once.
    Ok(Operation { state: OperationState::Running, ..stored.shown(id, core) })
}

/// One operation.
pub async fn get(core: &Core, id: OperationId) -> Result<Operation> {
    let (_, stored) = load(core, id).await?.ok_or(Error::NotFound)?;
    Ok(stored.shown(id, core))
}

/// The page of operations that a query asks for, newest first.
pub async fn list(core: &Core, query: &ListQuery) -> Result<Page<Operation>> {
    let table = operation::table();
    people::check(&table, query)?;
    let entries = core.store.scan(Scan::prefix(&keyspace::operations()).backward()).await?;
    let mut operations = Vec::with_capacity(entries.len());
    for (key, entry) in entries {
        let Some(id) = keyspace::operation_id(&key) else { continue };
        operations.push(Stored::parse(&entry)?.shown(id, core));
    }
    records::select(operations, &table, query, &core.deadline()).await
}

/// Stops an operation, unless it is over. What was done stays done.
pub async fn stop(core: &Core, by: Actor<'_>, id: OperationId) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let (version, mut stored) = load(core, id).await?.ok_or(Error::NotFound)?;
        if stored.state.is_over() {
            return Ok(());
        }
        stored.end(OperationState::Stopped, core.timestamp());
        let change = by.entry(core, Subject::Operation, &id, Verb::Stop);
        let key = keyspace::operation(id);
        let mut batch = Batch::new();
        batch
            .expect(key.clone(), Expect::Version(version))
            .put(key, stored.to_bytes()?)
            .append(journal::bytes(&change));
        if retry.commit(batch).await?.is_some() {
            return Ok(());
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

/// Whether an operation's record can be read: for a check of the store.
pub fn is_readable(entry: &Entry) -> bool {
    Stored::parse(entry).is_ok()
}
