//! What all tables with pages share, of records or of people: what the address asks for, and what stands where rows should be.

use common::{
    CallError, Problem,
    collection::Collection,
    problem::FieldErrors,
    query::{ListQuery, Query, decode, encode},
    table::TableState,
};
use yew::prelude::*;

use super::pager::pager;
use crate::{
    hooks::{use_go, use_query},
    route::Route,
    ui::{
        link::Link,
        state::{empty, failure_or, loading},
    },
    words,
};

/// Whether a query can be asked of a table.
pub(crate) type Check = fn(&Collection, &ListQuery) -> Result<(), FieldErrors>;

/// What the address of the page asks of its table, or what is wrong with it, said before the server has to; and the way to
/// another address of the page.
#[hook]
pub(crate) fn use_asked(
    table: &Collection,
    check: Check,
    route: Route,
) -> (Result<ListQuery, CallError>, Callback<ListQuery>) {
    let (go, address) = (use_go(), use_query());
    let ongo = Callback::from(move |query: ListQuery| go.location(&(route.clone(), encode(&query.to_pairs()))));
    (read(&address, |query| check(table, query)), ongo)
}

fn read(address: &str, check: impl FnOnce(&ListQuery) -> Result<(), FieldErrors>) -> Result<ListQuery, CallError> {
    let query = ListQuery::from_pairs(decode(address)).and_then(|query| check(&query).map(|()| query));
    query.map_err(|errors| {
        let mut problem = Problem::invalid(words::table::PLAIN_HINT).with_errors(errors);
        problem.title = words::table::BAD_ADDRESS_TITLE.into();
        CallError::Problem(Box::new(problem))
    })
}

/// Whether a query leaves rows out.
pub(crate) fn is_narrowed(query: &ListQuery) -> bool {
    query.narrows()
}

/// What the rows that stand there are of. Until others have come, theirs are the page and the order that are told; before the first ones, what is asked.
pub(crate) fn shown_state(asked: &Result<ListQuery, CallError>, shown: Option<(&ListQuery, u64)>) -> TableState {
    shown.map_or_else(
        || TableState { query: asked.clone().unwrap_or_default(), count: 0 },
        |(query, count)| TableState { query: query.clone(), count },
    )
}

/// A table on its way to the screen.
pub(crate) struct Listing<'a> {
    /// The query.
    pub(crate) query: &'a Result<ListQuery, CallError>,
    /// Why it could not be loaded.
    pub(crate) error: Option<&'a CallError>,
    /// Loads again.
    pub(crate) again: &'a Callback<()>,
    /// The page itself, to which nothing is asked.
    pub(crate) route: Route,
    /// Asks for something else.
    pub(crate) ongo: &'a Callback<ListQuery>,
    /// What the rows are of: [`shown_state`].
    pub(crate) state: &'a TableState,
    /// The rows, once they are known, and whether there are any.
    pub(crate) rows: Option<(bool, Html)>,
    /// Stands there where the whole table is empty.
    pub(crate) nothing: Html,
}

impl Listing<'_> {
    /// The rows and the way to other pages; or why there are none.
    pub(crate) fn draw(self) -> Html {
        let plain = html! { <Link to={self.route} class="button">{ words::table::PLAIN }</Link> };
        match (self.query, self.error, self.rows) {
            // Rows were deleted, or somebody typed a number: there are not so many pages.
            (Ok(query), Some(error), _) if query.page != 1 && is_about_page(error) => {
                let back = html! {
                    <button type="button" class="button" onclick={first_page(query, self.ongo)}>{ words::table::FIRST_PAGE }</button>
                };
                empty(words::table::BEYOND_TITLE, words::table::BEYOND, back)
            }
            (Err(error), ..) | (_, Some(error), _) => failure_or(error, self.again, plain),
            (.., None) => loading(),
            (Ok(asked), _, Some((true, rows))) => html! { <>{ rows }{ pager(self.state, asked, self.ongo) }</> },
            _ if is_narrowed(&self.state.query) => empty(words::table::NO_MATCH_TITLE, words::table::NO_MATCH, plain),
            _ => self.nothing,
        }
    }
}

fn is_about_page(error: &CallError) -> bool {
    error.problem().is_some_and(|problem| problem.code == "invalid_page")
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
        let read = |address| read(address, |query| query.check(&collection));
        assert_eq!(read("title__startswith=P&page=2").unwrap().page, 2);
        for (address, place) in [("zzz=1", "zzz"), ("ordering=zzz", "ordering")] {
            let error = read(address).unwrap_err();
            assert!(error.problem().unwrap().errors.0.contains_key(place), "{address}");
        }
    }
}
