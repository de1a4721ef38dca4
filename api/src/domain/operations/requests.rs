//! What is asked of operations: to begin one that removes something for good, and to be shown them.

use common::{
    access::Caller,
    erase::Erase as Wish,
    id::OperationId,
    operation::{self, Operation},
    page::Page,
    people,
    query::ListQuery,
};
use serde_json::json;
use store::{Entry, Key};

use super::{
    Runner, Trim, Work,
    erase::{Erase, EraseTarget},
    get, get_for, start,
    stored::Stored,
    unfinished,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    gone,
    journal::Actor,
    keyspace, records, users,
};

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

/// The file of rows that an import left out, for who began it and for admins.
pub async fn rejected(core: &Core, caller: &Caller, id: OperationId) -> Result<std::fs::File> {
    get_for(core, caller, id).await?;
    let file = core.spool.rejected(id).and_then(std::fs::File::open);
    file.map_err(|_| Error::NotFound)
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
