//! Links to a list's other pages.

use common::{
    Endpoint,
    page::{Page, pages},
    query::{ListQuery, decode, encode},
};

use super::input::Input;

/// The address of another part of the list, with every other parameter as it came.
pub(super) fn link<E: Endpoint>(input: &Input<E>, parameters: &[(&str, Option<&str>)]) -> String {
    let path = match &input.published {
        Some(published) => input.base_url() + &published.address,
        None => input.link::<E>(&input.params, &E::Query::default()),
    };
    let mut pairs = decode(&input.raw_query);
    for (parameter, value) in parameters {
        let said: Vec<&str> = pairs.iter().filter(|(name, _)| name == parameter).map(|(_, said)| &**said).collect();
        if said != value.as_slice() {
            pairs.retain(|(name, _)| name != parameter);
            pairs.extend(value.map(|value| ((*parameter).to_owned(), value.to_owned())));
        }
    }
    let query = if pairs.is_empty() { String::new() } else { format!("?{}", encode(&pairs)) };
    format!("{path}{query}")
}

/// The address of a page.
pub(super) fn page_link<E: Endpoint>(input: &Input<E>, page: u64) -> String {
    link(input, &[("page", (page > 1).then(|| page.to_string()).as_deref())])
}

/// The address of so many rows behind some. It says the limit that counts, which may be another than was asked for.
pub(super) fn offset_link<E: Endpoint>(input: &Input<E>, limit: u64, offset: u64) -> String {
    let (limit, offset) = (limit.to_string(), (offset > 0).then(|| offset.to_string()));
    link(input, &[("limit", Some(&limit)), ("offset", offset.as_deref())])
}

/// The page of a list of this length, with the absolute addresses of the next one and of the one before.
pub(crate) fn linked<E: Endpoint, T>(input: &Input<E>, query: &ListQuery, page: Page<T>) -> Page<T> {
    let (next, previous) = if let Some(limit) = query.limit {
        let end = query.offset.saturating_add(limit);
        let before = (query.offset > 0).then(|| query.offset.saturating_sub(limit));
        let at = |offset| offset_link(input, limit, offset);
        ((end < page.count).then(|| at(end)), before.map(at))
    } else {
        let number = query.page.min(pages(page.count, query.page_size));
        let goes_on = number.saturating_mul(query.page_size) < page.count;
        (goes_on.then(|| page_link(input, number + 1)), (number > 1).then(|| page_link(input, number - 1)))
    };
    Page { next, previous, ..page }
}
