//! Lists: which records a query asks for, found on the cheapest way that gives the right answer. Without filters a page
//! costs the same however many records there are: it is read off the records, an index, or the owner's index, and the
//! count is kept.

mod aggregate;
mod cells;
mod highlight;
mod lines;
mod matching;
mod names;
mod plan;
mod render;
mod results;
mod rows;
mod view;

use common::{
    access::{Action, Caller, Decision},
    name::CollectionName,
    page::pages,
    query::{LAST_PAGE, ListQuery},
};
use serde_json::{Map, Value};

pub use self::{
    aggregate::{Aggregated, aggregate},
    cells::Shape,
    lines::{export, lines},
    results::{Results, in_pieces},
    view::{numbered, window},
};
use self::{
    highlight::highlights,
    names::names,
    plan::Plan,
    render::{Rendered, render, too_large},
    view::{ReadCounts, View},
};
pub(super) use self::{matching::matching, rows::Row, view::Window};
use super::{
    cursor::{Cursor, PageStart},
    expand::Expansion,
    filter,
};
use crate::domain::{
    core::Core,
    error::{AuthError, Error, Result},
    schema::{self, StoredDefinition},
};

/// A part of a list: the JSON of its records, and where the parts beside it begin.
pub struct Listed {
    /// How many records match, where that is told.
    pub count: Option<u64>,
    /// Where the list goes on.
    pub next: Option<PageStart>,
    /// Where the part before this one begins.
    pub previous: Option<PageStart>,
    /// The rows.
    pub results: Results,
    /// What an entity tag of the results is made of, where that is less than the results: which records these are, and which versions of
    /// them.
    pub versions: Option<Vec<u8>>,
    /// How many rows have each value of the fields that this was asked of.
    pub facets: Option<Map<String, Value>>,
    /// Where the words of a search stand in each of the rows, where that was asked for.
    pub highlights: Option<Vec<Value>>,
    /// What the records are called that the rows name by their ids, where that was asked for.
    pub names: Option<Map<String, Value>>,
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
    filter::check(core, &snapshot, caller, &schema, query, query.check(&schema.collection)).await?;
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
    view.note_slow(name, &query.shape(), took, || plan.would_help());
    let explain = query.explain.then(|| plan.explain(&view, took));
    Ok(Listed { explain, facets: facets.transpose()?, ..listed? })
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
    let mut highlights = highlights(view, &rows.found).await?;
    let names = names(view, &rows.found).await?;
    let Rendered { results, versions, shown } = render(view, &expansion, &mut rows, false, flexible).await?;
    if let Some(highlights) = &mut highlights {
        highlights.truncate(shown);
    }
    let end = (window.skip as u64).saturating_add(shown as u64);
    let goes_on = match count {
        Some(count) => end < count,
        None => goes_on || shown < found,
    };
    let (next, previous) = if flexible {
        let limit = window.size as u64;
        (PageStart::Offset(end), (query.offset > 0).then(|| PageStart::Offset(query.offset.saturating_sub(limit))))
    } else {
        (PageStart::Page(page + 1), (page > 1).then(|| PageStart::Page(page - 1)))
    };
    let (count, next) = (count.filter(|_| query.count), goes_on.then_some(next));
    Ok(Listed { count, next, previous, results, versions, facets: None, highlights, names, explain: None })
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
    let mut highlights = highlights(view, &found[..shown]).await?;
    let names = names(view, &found[..shown]).await?;
    if let Some(highlights) = highlights.as_mut().filter(|_| backward) {
        highlights.reverse();
    }
    let mut places = (None, None);
    if let (Some(near), Some(far)) = (found[..shown].first(), found[..shown].last()) {
        let far = plan.place(view, far, backward).await?;
        places.0 = goes_on.then_some(PageStart::Cursor(far));
        if start.is_some() {
            places.1 = Some(PageStart::Cursor(plan.place(view, near, !backward).await?));
        }
    } else if let Some(start) = start {
        // What was here is gone. The row at the place itself, if it is back, is one of those on the other side.
        places.1 = Some(PageStart::Cursor(Cursor { backward: !backward, inclusive: !start.inclusive, ..start }));
    }
    let (next, previous) = if backward { (places.1, places.0) } else { places };
    Ok(Listed { count: None, next, previous, results, versions, facets: None, highlights, names, explain: None })
}

/// The collections whose records the caller may list, by name.
pub async fn collections(core: &Core, caller: &Caller) -> Result<Vec<CollectionName>> {
    let snapshot = core.store.snapshot().await?;
    let listed = |StoredDefinition { collection, .. }: StoredDefinition| {
        (collection.access.decide(Action::List, caller) != Decision::Denied).then_some(collection.name)
    };
    let names = schema::all(&snapshot).filter_map(listed).await?;
    if names.is_empty() && *caller == Caller::Anonymous { Err(AuthError::Missing.into()) } else { Ok(names) }
}
