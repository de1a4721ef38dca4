//! Lists: which records a query asks for, found on the cheapest way that gives the right answer. Without filters a page
//! costs the same however many records there are: it is read off the records, an index, or the owner's index, and the
//! count is kept.

mod aggregate;
mod cells;
mod lines;
mod matching;
mod plan;
mod results;
mod rows;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    access::{Action, Caller, Decision},
    field::FieldType,
    id::Revision,
    name::CollectionName,
    page::pages,
    problem::{FieldError, FieldErrors},
    query::{LAST_PAGE, ListQuery},
    record::Record,
};
use serde_json::{Map, Value};
use store::Snapshot;

pub(super) use self::matching::matching;
pub(super) use self::rows::Found as Matching;
pub use self::{
    aggregate::{Aggregated, aggregate},
    cells::Shape,
    lines::{export, lines},
    results::{Results, in_pieces},
};
use self::{
    plan::Plan,
    rows::{Found, Rows},
};
use super::{
    MAX_PAGE_BYTES,
    cursor::{Cursor, Place},
    expand::Expansion,
    join::join,
    members::Members,
    stored::parse_some,
};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{AuthError, Error, Result},
    schema::{self, Schema},
    work,
};

/// A part of a list: the JSON of its records, and where the parts beside it begin.
pub struct Listed {
    /// How many records match, where that is told.
    pub count: Option<u64>,
    /// Where the list goes on.
    pub next: Option<Place>,
    /// Where the part before this one begins.
    pub previous: Option<Place>,
    /// The rows.
    pub results: Results,
    /// What an entity tag of the results is made of, where that is less than the results: which records these are, and which versions of
    /// them.
    pub versions: Option<Vec<u8>>,
    /// How many rows have each value of the fields that this was asked of.
    pub facets: Option<Map<String, Value>>,
    /// How the rows were found, where that was asked for.
    pub explain: Option<Value>,
}

/// The records that a query asks for, of those that the caller may list; with a cursor from where that stands.
pub async fn list(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    query: &ListQuery,
    start: Option<Cursor>,
) -> Result<Listed> {
    let (deadline, began) = (core.deadline(), core.clock.elapsed());
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::List, caller)?;
    query.check(&schema.collection)?;
    let looked = ReadCounts::default();
    let view = View {
        core,
        snapshot: &snapshot,
        caller,
        schema,
        may,
        query,
        deadline: &deadline,
        looked: &looked,
        reads_all: false,
    };
    let plan = Plan::new(&view).await?;
    let listed = read(&view, &plan, start).await;
    let facets = match &listed {
        Ok(_) if !query.facets.is_empty() => Some(aggregate::facets(&view, query).await),
        _ => None,
    };
    let took = core.clock.elapsed().saturating_sub(began);
    if took >= core.slow_query {
        core.slow_queries.fetch_add(1, Relaxed);
        slow(name, &query.shape(), &looked, took);
    }
    let explain = query.explain.then(|| plan.explain(&view, took));
    Ok(Listed { explain, facets: facets.transpose()?, ..listed? })
}

/// Tells of a query that took long, without the values that it asks for.
fn slow(name: &CollectionName, query: &str, looked: &ReadCounts, took: Duration) {
    let (keys, rows) = looked.counts();
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::warn!(collection = %name, query, keys, rows, milliseconds, "a slow query");
}

async fn read(view: &View<'_>, plan: &Plan, start: Option<Cursor>) -> Result<Listed> {
    let View { core, snapshot, caller, query, .. } = *view;
    let expansion = Expansion::new(core, snapshot, caller, &view.schema, &query.expand).await?;
    if query.cursor.is_some() {
        return by_cursor(view, plan, &expansion, start).await;
    }
    let (page, count) = match query.page {
        LAST_PAGE if query.limit.is_none() => {
            let count = plan.count(view).await?;
            (pages(count, query.page_size), Some(count))
        }
        page => (page, None),
    };
    let window = Window::new(query, page);
    let flexible = query.limit.is_some();
    let mut rows = plan.rows(view, window, flexible).await?;
    let count = rows.count.or(count);
    if !flexible {
        match count {
            Some(count) => drop(numbered(query, count)?),
            None if page == 0 || (page > 1 && rows.found.is_empty()) => return Err(Error::NoSuchPage),
            None => {}
        }
        if rows.is_cut {
            return Err(too_large(rows.found.len()));
        }
    }
    let (found, goes_on) = (rows.found.len(), rows.goes_on);
    let Rendered { results, versions, shown } = render(view, &expansion, &mut rows, false, flexible).await?;
    let end = (window.skip as u64).saturating_add(shown as u64);
    let goes_on = match count {
        Some(count) => end < count,
        None => goes_on || shown < found,
    };
    let (next, previous) = if flexible {
        let limit = window.size as u64;
        (Place::Offset(end), (query.offset > 0).then(|| Place::Offset(query.offset.saturating_sub(limit))))
    } else {
        (Place::Page(page + 1), (page > 1).then(|| Place::Page(page - 1)))
    };
    let (count, next) = (count.filter(|_| query.count), goes_on.then_some(next));
    Ok(Listed { count, next, previous, results, versions, facets: None, explain: None })
}

/// The rows beside a place. How many there are in all would say nothing about where they are, and is not told.
async fn by_cursor(view: &View<'_>, plan: &Plan, expansion: &Expansion, start: Option<Cursor>) -> Result<Listed> {
    let size = usize::try_from(view.query.page_size).unwrap_or(usize::MAX);
    // One more says whether the list goes on.
    let mut rows = plan.rows_behind(view, start.clone(), size.saturating_add(1)).await?;
    let goes_on = rows.is_cut || rows.found.len() > size;
    rows.found.truncate(size);
    let backward = start.as_ref().is_some_and(|start| start.backward);
    // Their values are shared with what is sent, and not copied.
    let found = rows.found.clone();
    let Rendered { results, versions, shown } = render(view, expansion, &mut rows, backward, true).await?;
    let goes_on = goes_on || shown < found.len();
    let mut places = (None, None);
    if let (Some(near), Some(far)) = (found[..shown].first(), found[..shown].last()) {
        let far = plan.place(view, far, backward).await?;
        places.0 = goes_on.then_some(Place::Cursor(far));
        if start.is_some() {
            places.1 = Some(Place::Cursor(plan.place(view, near, !backward).await?));
        }
    } else if let Some(start) = start {
        // What was here is gone. The row at the place itself, if it is back, is one of those on the other side.
        places.1 = Some(Place::Cursor(Cursor { backward: !backward, inclusive: !start.inclusive, ..start }));
    }
    let (next, previous) = if backward { (places.1, places.0) } else { places };
    Ok(Listed { count: None, next, previous, results, versions, facets: None, explain: None })
}

/// The number of the page that a query asks for; an error where a list of this length has none of this number. An empty list has
/// one page.
pub fn numbered(query: &ListQuery, count: u64) -> Result<u64> {
    let last = pages(count, query.page_size);
    match query.page {
        _ if query.limit.is_some() => Ok(1),
        LAST_PAGE => Ok(last),
        page if page == 0 || page > last => Err(Error::NoSuchPage),
        page => Ok(page),
    }
}

/// How many rows a query passes over, and how many it asks for, of a list of this length.
pub fn window(query: &ListQuery, count: u64) -> Result<(usize, usize)> {
    let Window { skip, size } = Window::new(query, numbered(query, count)?);
    Ok((skip, size))
}

/// The collections whose records the caller may list, by name.
pub async fn collections(core: &Core, caller: &Caller) -> Result<Vec<CollectionName>> {
    let snapshot = core.store.snapshot().await?;
    let all = schema::all(&snapshot).await?.into_iter().map(|definition| definition.collection);
    let listed = all.filter(|collection| collection.access.decide(Action::List, caller) != Decision::Denied);
    let names: Vec<_> = listed.map(|collection| collection.name).collect();
    if names.is_empty() && *caller == Caller::Anonymous { Err(AuthError::Missing.into()) } else { Ok(names) }
}

/// What all steps of reading a list need.
#[derive(Clone)]
struct View<'a> {
    core: &'a Core,
    snapshot: &'a Snapshot,
    caller: &'a Caller,
    schema: Arc<Schema>,
    /// Which records the caller may list.
    may: Decision,
    query: &'a ListQuery,
    deadline: &'a Deadline,
    looked: &'a ReadCounts,
    /// All matches are read, in whatever order.
    reads_all: bool,
}

/// What was looked at for a list.
#[derive(Debug, Default)]
pub(super) struct ReadCounts {
    keys: AtomicUsize,
    rows: AtomicUsize,
}

impl ReadCounts {
    /// How many keys were read, and of how many records conditions were asked.
    fn counts(&self) -> (usize, usize) {
        (self.keys.load(Relaxed), self.rows.load(Relaxed))
    }

    /// Keys were read, of an index or with records.
    fn keys(&self, count: usize) {
        self.keys.fetch_add(count, Relaxed);
    }

    /// Conditions were asked of a record.
    fn row(&self) {
        self.rows.fetch_add(1, Relaxed);
    }
}

/// How many rows of a list are passed over, and how many are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) skip: usize,
    pub(super) size: usize,
}

impl Window {
    /// What a query asks for, with its page's number.
    pub(super) fn new(query: &ListQuery, page: u64) -> Self {
        let (skip, size) = match query.limit {
            Some(limit) => (query.offset, limit),
            None => (page.saturating_sub(1).saturating_mul(query.page_size), query.page_size),
        };
        let [skip, size] = [skip, size].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Self { skip, size }
    }
}

/// 400: a numbered page cannot have fewer rows than it says.
fn too_large(fitting: usize) -> Error {
    let mib = MAX_PAGE_BYTES / (1024 * 1024);
    let message = format!(
        "These rows take more than the {mib} MiB that one answer may have. Ask for page_size={}, or use limit or cursor, which give fewer rows.",
        fitting.max(1)
    );
    FieldErrors::of("page_size", FieldError::new("too_much", message)).into()
}

/// Rows as they are sent.
struct Rendered {
    results: Results,
    versions: Option<Vec<u8>>,
    /// How many rows these are.
    shown: usize,
}

/// The JSON of rows, joined, expanded and cut to the members that are asked for. `reversed`: the last row comes first. It takes the rows.
async fn render(
    view: &View<'_>,
    expansion: &Expansion,
    rows: &mut Rows,
    reversed: bool,
    flexible: bool,
) -> Result<Rendered> {
    let query = view.query;
    if query.fields.is_empty() && query.left_join.is_empty() && expansion.is_empty() {
        if reversed {
            rows.found.reverse();
        }
        return as_stored(view, rows);
    }
    let found = std::mem::take(&mut rows.found);
    let in_order = |rows: &[Found]| {
        let mut rows = rows.to_vec();
        if reversed {
            rows.reverse();
        }
        rows
    };
    let mut fitting = found.len();
    loop {
        match shaped(view, expansion, in_order(&found[..fitting])).await {
            Ok(rows) if flexible || fitting == found.len() => {
                return Ok(Rendered { results: Results::written(rows), versions: None, shown: fitting });
            }
            Ok(_) => return Err(too_large(fitting)),
            Err(Error::TooLargeTogether) if fitting > 1 => fitting /= 2,
            Err(Error::TooLargeTogether) => {
                let parameter = if query.left_join.is_empty() { "expand" } else { "left_join" };
                let message = "So many records belong to one row that they do not fit into one answer. Ask for them in their own list.";
                return Err(FieldErrors::of(parameter, FieldError::new("too_much", message)).into());
            }
            Err(error) => return Err(error),
        }
    }
}

/// Rows as they are.
fn as_stored(view: &View<'_>, rows: &mut Rows) -> Result<Rendered> {
    /// What tells a version of a record from all others.
    const VERSION: usize = 16 + 8 + 4;
    let found = std::mem::take(&mut rows.found);
    let shown = found.len();
    let mut versions = Vec::with_capacity(shown * VERSION);
    for (id, entry) in &found {
        versions.put_slice(id.bits().as_bytes());
        versions.put_u64(entry.version.get());
        versions.put_u32(view.schema.look_since(&entry.value)?.unwrap_or(0));
    }
    let versions = Some(versions);
    if rows.bytes > results::LARGE {
        return Ok(Rendered { results: Results::stored(&view.schema, found, rows.bytes), versions, shown });
    }
    let mut json = BytesMut::with_capacity(rows.bytes + shown + 64);
    json.put_u8(b'[');
    for (i, (id, entry)) in found.iter().enumerate() {
        if i > 0 {
            json.put_u8(b',');
        }
        view.schema.put_json(&mut json, *id, &entry.value, Some(Revision(entry.version.get())))?;
    }
    json.put_u8(b']');
    Ok(Rendered { results: Results::Whole(json.freeze()), versions, shown })
}

/// The members that have to be read of records; `None` for all.
fn wanted<'a>(view: &'a View<'_>, expansion: &Expansion) -> Option<BTreeSet<&'a str>> {
    let (query, collection) = (view.query, &view.schema.collection);
    if query.fields.is_empty() || !query.left_join.is_empty() || !expansion.is_empty() {
        return None;
    }
    let name = |asked: &'a String| match collection.field(asked) {
        // Numbers in it may have more digits than a parsed value keeps.
        Some(field) if matches!(field.kind, FieldType::Json { .. }) => None,
        Some(field) => Some(field.name.as_str()),
        None => Some(asked.as_str()),
    };
    query.fields.iter().map(name).collect()
}

/// The rows with what is joined to them and only the members that were asked for; [`Error::TooLargeTogether`] where they do not
/// fit into one answer.
async fn shaped(view: &View<'_>, expansion: &Expansion, page: Vec<Found>) -> Result<Vec<Bytes>> {
    let View { core, snapshot, caller, schema, query, deadline, .. } = view;
    let wanted = wanted(view, expansion);
    let parsed = |(_, entry): &Found| {
        if wanted.is_some() { entry.value.len() } else { work::parsed_size(&entry.value) }
    };
    let held: usize = page.iter().map(parsed).sum();
    if held > MAX_PAGE_BYTES && page.len() > 1 {
        return Err(Error::TooLargeTogether);
    }
    work::hold(held)?;
    let mut rows = page
        .iter()
        .map(|(id, entry)| parse_some(schema, *id, entry, wanted.as_ref()))
        .collect::<Result<Vec<Record>>>()?;
    for with in &query.left_join {
        rows = join(core, snapshot, caller, schema, rows, with, deadline).await?;
    }
    expansion.apply(snapshot, deadline, &mut rows).await?;
    let members = Members::new(&schema.collection, &query.fields);
    let joined = |name: &str| query.left_join.iter().any(|with| with.collection.as_str() == name);
    let (mut json, mut bytes) = (Vec::with_capacity(rows.len()), 0);
    for mut row in rows {
        members.choose(&mut row, |name| joined(name) || expansion.has(name));
        let row = serde_json::to_vec(&row)?;
        bytes += row.len();
        if bytes > MAX_PAGE_BYTES {
            return Err(Error::TooLargeTogether);
        }
        json.push(Bytes::from(row));
    }
    Ok(json)
}
