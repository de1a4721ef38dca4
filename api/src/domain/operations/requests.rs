//! What is asked of operations: to begin one that removes something for good, and to be shown them.

use common::{
    access::Caller,
    erase::Erase as Wish,
    id::{OperationId, RecordId},
    name::CollectionName,
    operation::{self, Operation},
    page::Page,
    people,
    problem::{FieldError, FieldErrors},
    query::ListQuery,
};
use serde_json::json;
use store::{Batch, Entry, Expect, Key, Reserve};

use super::{
    Runner, Trim, Work, begin::stage_erasing, erase::EraseTarget, get, get_for, start, stored::Stored, unfinished,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    gone,
    journal::{self, Actor},
    keyspace, records,
    retry::Retry,
    users,
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

/// Erases something: what it is now goes at once, what the journal says of it in the background. Both begin with one commit.
pub async fn erase(core: &Core, by: Actor<'_>, wish: Wish) -> Result<Operation> {
    let snapshot = core.store.snapshot().await?;
    let id = journal::operation().unwrap_or_else(|| OperationId::from_uuid(core.ids.next_id()));
    match wish {
        Wish::Record { collection, id: record } => match records::erase(core, by, &collection, record, id).await {
            Err(Error::NotFound) => forget(core, by, &collection, record, id).await?,
            erased => erased?,
        },
        Wish::Field { collection, name } => {
            let numbers: Vec<_> = match core.schemas.find(&snapshot, &collection, by.caller).await {
                Err(Error::NotFound) => {
                    gone::named(&snapshot, &collection).await?.iter().map(|(_, gone)| gone.number()).collect()
                }
                schema => vec![schema?.number()],
            };
            if numbers.is_empty() {
                return Err(Error::NotFound);
            }
            let mut is_known = false;
            for number in &numbers {
                let schema = gone::last_schema(core, &snapshot, *number).await?;
                is_known |= schema.is_some_and(|schema| !schema.fields_named(&name).is_empty());
            }
            if !is_known {
                let message = "There is no field of this name, and there was none.";
                return Err(FieldErrors::of("field.name", FieldError::new("unknown", message)).into());
            }
            alone(core, by, id, EraseTarget::Field(numbers, name)).await?;
        }
        Wish::User { id: user } => {
            let known = users::load(&core.store, user).await?.map(|(_, stored)| stored.user);
            if known.is_none() && core.owners.number(&snapshot, user).await?.is_none() {
                return Err(Error::NotFound);
            }
            let names = known.iter().flat_map(|user| [user.username.to_string(), user.email.clone()]);
            let names = names.filter(|name| !name.is_empty()).collect();
            let what = EraseTarget::User(user, names);
            if known.is_some() {
                users::erase(core, by, user, id, what).await?;
            } else {
                alone(core, by, id, what).await?;
            }
        }
    }
    core.operation_started.notify_one();
    get(core, id).await
}

/// Has a record that went with its collection never come back. Gives the collection that it was in.
async fn forget(core: &Core, by: Actor<'_>, name: &CollectionName, id: RecordId, operation: OperationId) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let snapshot = core.store.snapshot().await?;
        let (mut batch, mut found) = (Batch::new(), None);
        for (version, gone) in gone::named(&snapshot, name).await? {
            let tombstone = keyspace::tombstone(gone.number(), id);
            if let Some(deleted) = snapshot.get(&tombstone).await? {
                batch
                    .expect(keyspace::numbered(gone.number()), Expect::Version(version))
                    .expect(tombstone.clone(), Expect::Version(deleted.version))
                    .delete(tombstone)
                    .use_reserve(Reserve::Most);
                found = Some(gone.number());
                break;
            }
        }
        let number = found.ok_or(Error::NotFound)?;
        stage_erasing(core, by, operation, EraseTarget::Record(number, id), &mut batch).await?;
        if retry.commit_for(by.caller, batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Erases what is only in the journal.
async fn alone(core: &Core, by: Actor<'_>, id: OperationId, what: EraseTarget) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let mut batch = Batch::new();
        stage_erasing(core, by, id, what.clone(), &mut batch).await?;
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
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
        return Ok(Page { count, ..Page::single(shown(core, entries)?) });
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
