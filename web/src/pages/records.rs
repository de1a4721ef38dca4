//! A collection's table. The address says what is shown: filters, ordering and page stand in its query string, so that
//! they can be linked to, survive a reload, and are undone by the back button.

pub(crate) mod filter;
pub(crate) mod grid;
pub(crate) mod listing;
mod pager;

use std::{collections::BTreeMap, rc::Rc};

use common::{
    Call,
    access::{Action, Decision},
    collection::Collection,
    endpoints::{collections, records},
    name::CollectionName,
    query::ListQuery,
    record::Record,
    selection::Selection,
    table::TableState,
    text,
};
use serde_json::Value;
use yew::prelude::*;

use self::listing::{Listing, is_narrowed, shown_state, use_asked};
use crate::{
    chosen::{Chosen, Wanted},
    client::now,
    hooks::{is_passing, use_caller, use_load, use_query},
    keys,
    news::{self, Concern, use_times},
    route::{Location, Route},
    table_locations,
    ui::{
        icon::{Shape, icon},
        link::Link,
        page::PageHead,
        popover::Popover,
        state::{empty, failure, loading},
    },
    words,
};

/// Milliseconds after which a table is slow, and can be asked why.
const SLOW: u64 = 500;

/// Props of pages about one collection.
#[derive(Properties, PartialEq)]
pub(crate) struct NameProps {
    pub(crate) name: CollectionName,
}

/// Props of the page.
#[derive(Properties, PartialEq)]
pub(crate) struct RecordsProps {
    pub(crate) name: CollectionName,
    /// What is drawn of many records at once, by the [`Chosen`] around it: a part of its own, which is fetched when it is wanted.
    pub(crate) many: Html,
    /// The same for what stands beside the filter, which is not waited for.
    pub(crate) beside: Html,
}

/// The page.
#[component]
pub(crate) fn RecordsPage(props: &RecordsProps) -> Html {
    let times = use_times(Some(Concern::Definition(props.name.clone())));
    let (collection, again) = use_load((props.name.clone(), times), |client, (name, _)| async move {
        Ok(client.send(Call::<collections::Get>::new((name,), ())).await?.body)
    });
    let body = match (&collection.value, &collection.error) {
        (Some(collection), _) => {
            return html! { <Table collection={collection.clone()} many={props.many.clone()} beside={props.beside.clone()} /> };
        }
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    };
    html! {
        <div class="page page-wide">
            <PageHead title={text::label(props.name.as_str())} above={vec![collections_breadcrumb()]} />
            { body }
        </div>
    }
}

/// The first page, as what stands above others.
pub(crate) fn collections_breadcrumb() -> (AttrValue, Location) {
    (words::collections::TITLE.into(), (Route::Collections, String::new()))
}

/// Rows as they came. A drawing hands them on, and copies none.
#[derive(PartialEq)]
struct Loaded {
    /// What they are of.
    shown: Rc<ListQuery>,
    rows: Rc<Vec<Record>>,
    /// Where the words of a search stand in each.
    highlights: Rc<Value>,
    /// What the records are called that they refer to.
    names: Rc<BTreeMap<String, String>>,
    /// How many there are in all.
    count: u64,
    /// How long they took, in milliseconds.
    took: u64,
}

#[derive(Properties, PartialEq)]
struct TableProps {
    collection: Rc<Collection>,
    many: Html,
    beside: Html,
}

#[component]
fn Table(props: &TableProps) -> Html {
    let collection = &props.collection;
    let name = collection.name.clone();
    let (caller, address) = (use_caller(), use_query());
    use_effect_with(address, {
        let name = name.clone();
        move |address| table_locations::remember(&name, address)
    });
    let route = Route::Records { name: name.clone() };
    let (query, ongo) = use_asked(collection, |collection, query| query.check(collection), route.clone());
    let times = use_times(Some(Concern::Records(name.clone())));
    let (page, again) = use_load((name.clone(), query.clone().ok(), times), |client, (name, query, _)| async move {
        let Some(shown) = query else { return Ok(None) };
        // What the words of a search are is marked, and references are shown by name.
        let mut query = ListQuery { highlight: !shown.search.is_empty(), named: true, ..shown.clone() };
        // Rows lead to their records, also where the address chose other fields.
        if !query.fields.is_empty() && !query.fields.iter().any(|field| field == "id") {
            query.fields.push("id".to_owned());
        }
        let asked = now();
        let page = client.send(Call::<records::List>::new((name,), ()).query(query)).await?.body;
        let took = now().saturating_sub(asked);
        let (rows, highlights, names) = (Rc::new(page.results), Rc::new(page.highlights), Rc::new(page.names));
        Ok(Some(Loaded { shown: Rc::new(shown), rows, highlights, names, count: page.count, took }))
    });
    let may_create = collection.access.decide(Action::Create, &caller) != Decision::Denied;
    let new = || {
        html! {
            <Link to={Route::NewRecord { name: name.clone() }} class="button button-primary" shortcut={keys::NEW}>
                { icon(Shape::Plus) }{ words::table::NEW }
            </Link>
        }
    };
    let rows = page.value.as_deref().and_then(Option::as_ref);
    let is_asked = rows.is_some_and(|loaded| query.as_ref() == Ok(&*loaded.shown));
    let state = shown_state(&query, rows.map(|loaded| (&*loaded.shown, loaded.count)));
    let selection = use_state(|| Rc::new(Selection::default()));
    let onselect = {
        let selection = selection.setter();
        Callback::from(move |next: Selection| selection.set(Rc::new(next)))
    };
    // Under another filter other rows are meant.
    use_effect_with((state.query.filters.clone(), state.query.filter.clone(), state.query.search.clone()), {
        let onselect = onselect.clone();
        move |_| onselect.emit(Selection::default())
    });
    let took = rows.map_or(0, |loaded| loaded.took);
    let shown = rows.map(|loaded| loaded.shown.clone()).unwrap_or_default();
    let chosen = |wanted: Wanted| Chosen {
        wanted,
        collection: collection.clone(),
        query: shown.clone(),
        count: state.count,
        took,
        selection: (*selection).clone(),
        onselect: onselect.clone(),
        again: again.clone(),
    };
    let told = |wanted: Wanted, part: &Html| {
        html! {
            <ContextProvider<Chosen> context={chosen(wanted)}>{ part.clone() }</ContextProvider<Chosen>>
        }
    };
    let many = |wanted: Wanted| told(wanted, &props.many);
    let beside = told(Wanted::Beside, &props.beside);
    let (actions, export) = ((!selection.is_empty()).then(|| many(Wanted::Actions)), many(Wanted::Export));
    let explain = (took >= SLOW).then(|| {
        html! {
            <div class="slow">
                <span>{ words::many::took(took) }</span>
                <Popover label={words::many::WHY_SLOW}>{ many(Wanted::Explain) }</Popover>
            </div>
        }
    });
    let body = Listing {
        query: &query,
        // What stands there is out of date then, which is told elsewhere.
        error: page.error.as_ref().filter(|error| !(is_asked && is_passing(error))),
        again: &again,
        route,
        ongo: &ongo,
        state: &state,
        rows: rows.map(|loaded| {
            let (rows, highlights, names) = (loaded.rows.clone(), loaded.highlights.clone(), loaded.names.clone());
            let (collection, state, ongo) = (collection.clone(), state.clone(), ongo.clone());
            let (selection, onselect) = ((*selection).clone(), onselect.clone());
            (
                !rows.is_empty(),
                html! { <grid::Grid {collection} {state} {rows} {highlights} {names} busy={page.busy && !is_asked} {ongo} {selection} {onselect} /> },
            )
        }),
        nothing: empty(
            words::table::EMPTY_TITLE,
            words::table::EMPTY,
            if may_create { new() } else { Html::default() },
        ),
    };
    let body = body.draw();
    let is_empty = !is_narrowed(&state.query) && rows.is_some_and(|loaded| loaded.count == 0);
    let import = || {
        html! {
            <Link to={Route::Import { name: name.clone() }} class="button button-quiet" shortcut={keys::IMPORT}>{ words::many::IMPORT }</Link>
        }
    };
    html! {
        <div class="page page-wide">
            <PageHead
                title={text::label(name.as_str())}
                above={vec![collections_breadcrumb()]}
                description={text::single_line(&collection.description).into_owned()}
            >
                { news::told().map(|told| told.count(&name)) }
                if caller.is_admin() {
                    <Link to={Route::EditCollection { name: name.clone() }} class="button button-quiet" shortcut={keys::EDIT}>
                        { icon(Shape::Pencil) }{ words::table::EDIT }
                    </Link>
                }
                if may_create {
                    { import() }
                }
                if !is_empty {
                    <Popover label={words::many::EXPORT}>{ export }</Popover>
                }
                if may_create && !is_empty { { new() } }
            </PageHead>
            if query.is_ok() && !is_empty {
                <div class="beside-filter">
                    <filter::FilterLine collection={collection.clone()} state={TableState { query: query.clone().unwrap_or_default(), ..state }} {ongo} />
                    { beside }
                </div>
            }
            { body }
            { explain.unwrap_or_default() }
            { actions.unwrap_or_default() }
        </div>
    }
}
