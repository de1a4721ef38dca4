//! Links to a list's other pages.

use common::{
    Endpoint,
    page::Page,
    query::{ListQuery, decode, encode},
};

use super::input::Input;

/// The absolute addresses of the next page and of the one before, with every other parameter as it came.
pub(crate) fn links<E: Endpoint>(input: &Input<E>, query: &ListQuery, count: u64) -> (Option<String>, Option<String>) {
    let path = input.link::<E>(&input.params, &E::Query::default());
    let link = |page: u64| {
        let mut pairs = decode(&input.raw_query);
        pairs.retain(|(name, _)| name != "page");
        if page > 1 {
            pairs.push(("page".to_owned(), page.to_string()));
        }
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", encode(&pairs)) };
        format!("{path}{query}")
    };
    let ListQuery { page, page_size, .. } = *query;
    let next = (page.saturating_mul(page_size) < count).then(|| link(page + 1));
    (next, (page > 1).then(|| link(page - 1)))
}

/// The page with its links.
pub(crate) fn linked<E: Endpoint, T>(input: &Input<E>, query: &ListQuery, page: Page<T>) -> Page<T> {
    let (next, previous) = links(input, query, page.count);
    Page { next, previous, ..page }
}
