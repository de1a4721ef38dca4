//! Lists: which records a query asks for, found on the cheapest way that gives the right answer. Without filters a page
//! costs the same however many records there are: it is read off the records, an index, or the owner's index, and the
//! count is kept.

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    access::{Action, Caller, Decision},
    field::Field,
    id::RecordId,
    name::CollectionName,
    query::{ListQuery, Lookup},
    record::Record,
};
use store::{Entry, Key, Scan, Snapshot};

use super::{
    filter::{Condition, Conditions},
    join::join,
    sort::{First, SortKeys},
    stored::{Sent, parse},
};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    keyspace,
    schema::{self, Schema},
};

/// One page: the JSON of its records, and how many there are in all.
pub struct Listed {
    /// How many records match.
    pub count: u64,
    /// A JSON array.
    pub results: Bytes,
}

/// The records that a query asks for, of those that the caller may list.
pub async fn list(core: &Core, caller: &Caller, name: &CollectionName, query: &ListQuery) -> Result<Listed> {
    let deadline = core.deadline();
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::List, caller)?;
    query.check(&schema.collection)?;
    let conditions = Conditions::new(&schema.collection, query)?;
    let (count, page) = match direct(&schema, may, query, &conditions) {
        Some(order) => {
            let count = schema::count(&snapshot, schema.id(), may).await?.unwrap_or(0);
            (count, read_page(&snapshot, &schema, &order, query, count).await?)
        }
        None => match one_value(&schema, may, query, &conditions) {
            Some(order) => read_value(&snapshot, &schema, &order, query).await?,
            None => search(&snapshot, &schema, may, query, &conditions, &deadline).await?,
        },
    };
    check_page(query, count)?;
    let plain = query.fields.is_empty() && query.left_join.is_empty();
    let results = if plain {
        array(page.iter().map(|found| sent(found).json))
    } else {
        shaped(core, &snapshot, caller, &schema, query, &page, &deadline).await?
    };
    Ok(Listed { count, results })
}

/// Fails where the list has no page of the number that is asked for; an empty list has one.
pub fn check_page(query: &ListQuery, count: u64) -> Result<()> {
    if query.page == 0 || query.page > common::page::pages(count, query.page_size) {
        return Err(Error::NoSuchPage);
    }
    Ok(())
}

type Row = (RecordId, Entry);

fn sent((id, entry): &Row) -> Sent {
    Sent::new(*id, &entry.value, entry.version)
}

fn array(items: impl Iterator<Item = Bytes>) -> Bytes {
    let mut json = BytesMut::from(&b"["[..]);
    for (i, item) in items.enumerate() {
        if i > 0 {
            json.put_u8(b',');
        }
        json.put_slice(&item);
    }
    json.put_u8(b']');
    json.freeze()
}

/// The page with joined rows and only the members that were asked for.
async fn shaped(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Schema,
    query: &ListQuery,
    page: &[Row],
    deadline: &Deadline,
) -> Result<Bytes> {
    let mut rows = page.iter().map(|(_, entry)| parse(entry)).collect::<Result<Vec<Record>>>()?;
    for with in &query.left_join {
        rows = join(core, snapshot, caller, schema, rows, with, deadline).await?;
    }
    let joined = |name: &str| query.left_join.iter().any(|with| with.collection.as_str() == name);
    let mut json = Vec::with_capacity(rows.len());
    for row in rows {
        let mut members = row.into_object();
        if !query.fields.is_empty() {
            members.retain(|name, _| query.fields.iter().any(|field| field == name) || joined(name));
        }
        json.push(Bytes::from(serde_json::to_vec(&members)?));
    }
    Ok(array(json.into_iter()))
}

/// Keys that are in the order of a query, or in its reverse.
struct Order {
    prefix: Key,
    descending: bool,
}

/// The keys whose order is the query's, where there is nothing to filter.
fn direct(schema: &Schema, may: Decision, query: &ListQuery, conditions: &Conditions) -> Option<Order> {
    if !conditions.is_empty() {
        return None;
    }
    let id = schema.id();
    let (prefix, descending) = match (may, query.ordering.as_slice()) {
        (Decision::All, []) => (keyspace::records(id), false),
        // Ids rise with the time of creation.
        (Decision::All, [key]) if key.field == "id" || key.field == "created_at" => {
            (keyspace::records(id), key.descending)
        }
        (Decision::All, [key]) if schema.collection.field(&key.field).is_some_and(Field::has_index) => {
            (keyspace::index(id, &key.field), key.descending)
        }
        (Decision::Own(user), []) => (keyspace::owned(id, Some(user)), false),
        (Decision::Own(user), [key]) if key.field == "id" || key.field == "created_at" => {
            (keyspace::owned(id, Some(user)), key.descending)
        }
        _ => return None,
    };
    Some(Order { prefix, descending })
}

/// Reads one page. Passing over keys takes time, so a page past the middle is read from the end.
async fn read_page(
    snapshot: &Snapshot,
    schema: &Schema,
    order: &Order,
    query: &ListQuery,
    count: u64,
) -> Result<Vec<Row>> {
    let before = query.page.saturating_sub(1).saturating_mul(query.page_size);
    let size = query.page_size.min(count.saturating_sub(before));
    let after = count.saturating_sub(before).saturating_sub(size);
    let from_the_end = after < before;
    let scan = Scan::prefix(&order.prefix);
    let scan = if order.descending == from_the_end { scan } else { scan.backward() };
    let skip = usize::try_from(before.min(after)).unwrap_or(usize::MAX);
    let mut entries = snapshot.scan(scan.skip(skip).limit(usize::try_from(size).unwrap_or(usize::MAX))).await?;
    if from_the_end {
        entries.reverse();
    }
    resolve(snapshot, schema, entries).await
}

/// Records, from a scan over records or over an index of them.
async fn resolve(snapshot: &Snapshot, schema: &Schema, entries: Vec<(Key, Entry)>) -> Result<Vec<Row>> {
    let found = entries.into_iter().filter_map(|(key, entry)| Some((keyspace::last_id(&key)?, entry)));
    let (records, indexed): (Vec<_>, Vec<_>) = found.partition(|(_, entry)| !entry.value.is_empty());
    if indexed.is_empty() {
        return Ok(records);
    }
    by_id(snapshot, schema, indexed.into_iter().map(|(id, _)| id)).await
}

/// The records with these ids, in their order.
async fn by_id(snapshot: &Snapshot, schema: &Schema, ids: impl Iterator<Item = RecordId>) -> Result<Vec<Row>> {
    let ids: Vec<_> = ids.collect();
    let keys: Vec<_> = ids.iter().map(|id| keyspace::record(schema.id(), *id)).collect();
    let entries = snapshot.get_many(&keys).await?;
    Ok(ids.into_iter().zip(entries).filter_map(|(id, entry)| Some((id, entry?))).collect())
}

/// The entries of one value of an index, where having that value is all that is asked for: they are the matches. Different
/// values have different keys, and under one value ids are in order.
fn one_value(schema: &Schema, may: Decision, query: &ListQuery, conditions: &Conditions) -> Option<Order> {
    let descending = match query.ordering.as_slice() {
        [] => false,
        [key] if key.field == "id" || key.field == "created_at" => key.descending,
        _ => return None,
    };
    let condition = conditions.only().filter(|_| may == Decision::All)?;
    is_indexed(schema, condition).then(|| Order {
        prefix: keyspace::index_value(schema.id(), &condition.field, &condition.values[0]),
        descending,
    })
}

/// Counts the keys of an order and reads the records of one page of them.
async fn read_value(snapshot: &Snapshot, schema: &Schema, order: &Order, query: &ListQuery) -> Result<(u64, Vec<Row>)> {
    let (skip, size) = window(query);
    let scan = Scan::prefix(&order.prefix);
    let count = snapshot.count(&scan).await?.get();
    let scan = if order.descending { scan.backward() } else { scan };
    let entries = snapshot.scan(scan.skip(skip).limit(size)).await?;
    Ok((count as u64, resolve(snapshot, schema, entries).await?))
}

/// How many matches are before a page, and how many are on it.
pub(crate) fn window(query: &ListQuery) -> (usize, usize) {
    let before = query.page.saturating_sub(1).saturating_mul(query.page_size);
    (usize::try_from(before).unwrap_or(usize::MAX), usize::try_from(query.page_size).unwrap_or(usize::MAX))
}

/// Looks at every record that may match, counts those that do, and keeps the page.
async fn search(
    snapshot: &Snapshot,
    schema: &Schema,
    may: Decision,
    query: &ListQuery,
    conditions: &Conditions,
    deadline: &Deadline,
) -> Result<(u64, Vec<Row>)> {
    let (skip, size) = window(query);
    let mut first = First::new(SortKeys::new(&schema.collection, query), skip.saturating_add(size));
    let (mut count, mut page) = (0usize, Vec::new());
    let prefix = narrowest(schema, may, conditions);
    let mut pages = snapshot.pages(Scan::prefix(&prefix));
    while let Some(entries) = pages.next().await? {
        for found in resolve(snapshot, schema, entries).await? {
            let record = parse(&found.1)?;
            if !may.covers(record.owner()) || !conditions.hold(&schema.collection, &record) {
                continue;
            }
            count += 1;
            if !query.ordering.is_empty() {
                first.push(&record, found.0)?;
            } else if count > skip && page.len() < size {
                page.push(found);
            }
        }
        deadline.pause().await?;
    }
    page.extend(by_id(snapshot, schema, first.into_ids().into_iter().skip(skip)).await?);
    Ok((count as u64, page))
}

/// The smallest range of keys that has every match in it: one value of an index, the caller's own records, or all.
fn narrowest(schema: &Schema, may: Decision, conditions: &Conditions) -> Key {
    let exact = conditions.all.iter().find(|condition| is_indexed(schema, condition));
    match (exact, may) {
        (Some(condition), _) => keyspace::index_value(schema.id(), &condition.field, &condition.values[0]),
        (None, Decision::Own(user)) => keyspace::owned(schema.id(), Some(user)),
        (None, _) => keyspace::records(schema.id()),
    }
}

/// Whether an index has the records that a condition holds for side by side.
fn is_indexed(schema: &Schema, condition: &Condition) -> bool {
    condition.lookup == Lookup::Exact && schema.collection.field(&condition.name).is_some_and(Field::has_index)
}
