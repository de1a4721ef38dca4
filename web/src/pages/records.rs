//! A collection's table. The address says what is shown: filters, ordering and page stand in its query string, so that
//! they can be linked to, survive a reload, and are undone by the back button.

mod filter;
mod grid;
mod join;
mod pager;

use std::rc::Rc;

use common::{
    Call, CallError, Problem,
    access::{Action, Decision},
    collection::Collection,
    endpoints::{collections, records},
    name::CollectionName,
    query::{ListQuery, Query, decode, encode},
    table::TableState,
    text,
};
use yew::prelude::*;

use crate::{
    hooks::{use_caller, use_go, use_load, use_query},
    keys, places,
    route::Route,
    ui::{
        icon::{Shape, icon},
        link::Link,
        page::PageHead,
        state::{empty, failure, failure_or, loading},
    },
    words,
};

/// Props of pages about one collection.
#[derive(Properties, PartialEq)]
pub struct NameProps {
    pub name: CollectionName,
}

/// The page.
#[component]
pub fn RecordsPage(props: &NameProps) -> Html {
    let (collection, again) = use_load(props.name.clone(), |client, name| async move {
        Ok(client.send(Call::<collections::Get>::new((name,), ())).await?.body)
    });
    let body = match (&collection.value, &collection.error) {
        (Some(collection), _) => return html! { <Table collection={collection.clone()} /> },
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    };
    html! {
        <div class="page page-wide">
            <PageHead title={text::label(props.name.as_str())} above={vec![collections_place()]} />
            { body }
        </div>
    }
}

/// The first page, as what stands above others.
pub fn collections_place() -> (AttrValue, crate::route::Place) {
    (words::collections::TITLE.into(), (Route::Collections, String::new()))
}

#[derive(Properties, PartialEq)]
struct TableProps {
    collection: Rc<Collection>,
}

#[component]
fn Table(props: &TableProps) -> Html {
    let collection = &props.collection;
    let name = collection.name.clone();
    let (caller, go, address) = (use_caller(), use_go(), use_query());
    use_effect_with(address.clone(), {
        let name = name.clone();
        move |address| places::remember(&name, address)
    });
    let query = read(collection, &address);
    let (page, again) = use_load((name.clone(), query.clone().ok()), |client, (name, query)| async move {
        let Some(mut query) = query else { return Ok(None) };
        // Rows lead to their records, also where the address chose other fields.
        if !query.fields.is_empty() && !query.fields.iter().any(|field| field == "id") {
            query.fields.push("id".to_owned());
        }
        Ok(Some(client.send(Call::<records::List>::new((name,), ()).query(query)).await?.body))
    });
    let ongo = {
        let name = name.clone();
        Callback::from(move |query: ListQuery| {
            go.place(&(Route::Records { name: name.clone() }, encode(&query.to_pairs())));
        })
    };
    let may_create = collection.access.decide(Action::Create, &caller) != Decision::Denied;
    let new = || {
        html! {
            <Link to={Route::NewRecord { name: name.clone() }} class="button button-primary" shortcut={keys::NEW}>
                { icon(Shape::Plus) }{ words::table::NEW }
            </Link>
        }
    };
    let plain =
        || html! { <Link to={Route::Records { name: name.clone() }} class="button">{ words::table::PLAIN }</Link> };
    let rows = page.value.as_deref().and_then(Option::as_ref);
    let state = TableState { query: query.clone().unwrap_or_default(), count: rows.map_or(0, |page| page.count) };
    let is_narrowed = !state.query.filters.is_empty() || !state.query.search.is_empty();
    let body = match (&query, &page.error, rows) {
        // Records were deleted, or somebody typed a number: there are not so many pages.
        (Ok(query), Some(error), _) if query.page > 1 && is_about_page(error) => {
            let back = html! {
                <button type="button" class="button" onclick={first_page(query, &ongo)}>{ words::table::FIRST_PAGE }</button>
            };
            empty(words::table::BEYOND_TITLE, words::table::BEYOND, back)
        }
        (Err(error), ..) | (_, Some(error), _) => failure_or(error, &again, plain()),
        (.., None) => loading(),
        (.., Some(page)) if page.results.is_empty() && is_narrowed => {
            empty(words::table::NO_MATCH_TITLE, words::table::NO_MATCH, plain())
        }
        (.., Some(page)) if page.results.is_empty() => {
            let way = if may_create { new() } else { Html::default() };
            empty(words::table::EMPTY_TITLE, words::table::EMPTY, way)
        }
        (.., Some(rows)) => html! {
            <>
                <grid::Grid
                    collection={collection.clone()}
                    state={state.clone()}
                    rows={Rc::new(rows.results.clone())}
                    busy={page.busy}
                    ongo={ongo.clone()}
                />
                { pager::pager(&state, &ongo) }
            </>
        },
    };
    let is_empty = !is_narrowed && rows.is_some_and(|page| page.count == 0);
    html! {
        <div class="page page-wide">
            <PageHead
                title={text::label(name.as_str())}
                above={vec![collections_place()]}
                description={text::single_line(&collection.description).into_owned()}
            >
                if caller.is_admin() {
                    <Link to={Route::EditCollection { name: name.clone() }} class="button button-quiet" shortcut={keys::EDIT}>
                        { icon(Shape::Pencil) }{ words::table::EDIT }
                    </Link>
                }
                if may_create && !is_empty { { new() } }
            </PageHead>
            if query.is_ok() && !is_empty {
                <filter::FilterLine collection={collection.clone()} {state} {ongo} />
            }
            { body }
        </div>
    }
}

/// What an address asks of a table, or what is wrong with it, said before the server has to.
fn read(collection: &Collection, address: &str) -> Result<ListQuery, CallError> {
    let query = ListQuery::from_pairs(decode(address)).and_then(|query| query.check(collection).map(|()| query));
    query.map_err(|errors| {
        let mut problem = Problem::invalid(words::table::PLAIN_HINT).with_errors(errors);
        problem.title = words::table::BAD_ADDRESS_TITLE.into();
        CallError::Problem(Box::new(problem))
    })
}

fn is_about_page(error: &CallError) -> bool {
    error.problem().is_some_and(|problem| problem.errors.0.contains_key("page"))
}

fn first_page(query: &ListQuery, ongo: &Callback<ListQuery>) -> Callback<MouseEvent> {
    let query = ListQuery { page: 1, ..query.clone() };
    ongo.reform(move |_| query.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_that_a_table_cannot_show_is_refused_by_name() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        assert_eq!(read(&collection, "title__startswith=P&page=2").unwrap().page, 2);
        for (address, place) in [("zzz=1", "zzz"), ("page=0", "page"), ("ordering=zzz", "ordering")] {
            let error = read(&collection, address).unwrap_err();
            assert!(error.problem().unwrap().errors.0.contains_key(place), "{address}");
        }
    }
}
