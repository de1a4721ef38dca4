//! Lists of users. In the order of creation or of names, a page is read off the keys and the rest only counted; what searches,
//! filters or orders otherwise looks at every user.

use common::{
    access::Caller,
    page::Page,
    people,
    query::{ListQuery, OrderBy},
    user::User,
};
use store::{Entry, Key, Scan, Snapshot};

use super::stored::StoredUser;
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    keyspace, records,
};

/// All users, in the order of creation.
pub async fn all(core: &Core) -> Result<Vec<User>> {
    everyone(&core.store.snapshot().await?, &core.deadline()).await
}

/// The page of users that a query asks for.
pub async fn list(core: &Core, query: &ListQuery) -> Result<Page<User>> {
    let table = people::users();
    people::check(&table, query)?;
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    let Some(scan) = in_order_of_keys(query) else {
        return records::select(
            &records::Asked::new(core, &Caller::Anonymous),
            everyone(&snapshot, &deadline).await?,
            &table,
            query,
            &deadline,
        )
        .await;
    };
    let count = snapshot.count(&scan).await?.get() as u64;
    let (first, size) = records::window(query, count)?;
    let entries = snapshot.scan(scan.skip(first).limit(size)).await?;
    let mut results = Vec::with_capacity(entries.len());
    for found in &entries {
        results.push(read(&snapshot, found).await?);
    }
    Ok(Page { count, ..Page::single(results) })
}

async fn everyone(snapshot: &Snapshot, deadline: &Deadline) -> Result<Vec<User>> {
    let mut users = Vec::new();
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::users()));
    while let Some(page) = pages.next().await? {
        for (_, entry) in page {
            users.push(parse(&entry)?);
        }
        deadline.pause().await?;
    }
    Ok(users)
}

/// The keys whose order is the query's, where there is nothing to filter. Names are in the order of their folded forms.
fn in_order_of_keys(query: &ListQuery) -> Option<Scan> {
    if query.narrows() {
        return None;
    }
    let (space, descending) = match query.ordering.as_slice() {
        [] => (keyspace::users(), false),
        [OrderBy { field, descending }] => match field.as_str() {
            "id" | "created_at" => (keyspace::users(), *descending),
            "username" => (keyspace::usernames(), *descending),
            _ => return None,
        },
        _ => return None,
    };
    let scan = Scan::prefix(&space);
    Some(if descending { scan.backward() } else { scan })
}

/// The user of an entry, be it theirs or their name's.
async fn read(snapshot: &Snapshot, (key, entry): &(Key, Entry)) -> Result<User> {
    if key.elements().space().is_ok_and(|space| space == keyspace::USERS) {
        return parse(entry);
    }
    let nowhere = || Error::internal("a user name points nowhere; run coffer check");
    let id = std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok()).ok_or_else(nowhere)?;
    parse(&snapshot.get(&keyspace::user(id)).await?.ok_or_else(nowhere)?)
}

fn parse(entry: &Entry) -> Result<User> {
    Ok(serde_json::from_slice::<StoredUser>(&entry.value)?.user)
}
