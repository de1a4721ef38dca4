//! The pager below a table: which rows are shown, and links to the other pages.

use common::{page::DEFAULT_PAGE_SIZE, query::ListQuery, table::TableState};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::{
    keys,
    ui::icon::{Shape, icon},
    words,
};

const SIZES: [u64; 4] = [DEFAULT_PAGE_SIZE, 50, 100, 200];

/// Pages and their size. It tells of the rows that are shown, and goes on from those that are asked for: who presses twice goes two pages on.
pub(crate) fn pager(state: &TableState, asked: &ListQuery, ongo: &Callback<ListQuery>) -> Html {
    let asked = TableState { query: asked.clone(), count: state.count };
    let (page, size, pages) = (state.query.page, state.query.page_size, state.pages());
    let turn = |by: i64| {
        let (asked, ongo) = (asked.clone(), ongo.clone());
        move |_: MouseEvent| {
            let mut next = asked.clone();
            if next.turn(by) {
                ongo.emit(next.query);
            }
        }
    };
    let onpage = {
        let (state, ongo) = (state.clone(), ongo.clone());
        move |event: Event| {
            let input = event.target_unchecked_into::<HtmlInputElement>();
            match input.value().trim().parse::<u64>() {
                Ok(wanted) => ongo.emit(ListQuery { page: wanted.clamp(1, pages), ..state.query.clone() }),
                Err(_) => input.set_value(&page.to_string()),
            }
        }
    };
    let onsize = {
        let (state, ongo) = (state.clone(), ongo.clone());
        move |event: Event| {
            if let Ok(size) = event.target_unchecked_into::<HtmlSelectElement>().value().parse() {
                ongo.emit(resized(&state.query, size));
            }
        }
    };
    let sizes = SIZES.iter().copied().chain((!SIZES.contains(&size)).then_some(size));
    html! {
        <nav class="pager" aria-label={words::table::PAGES}>
            <p class="pager-range" role="status">{ state.range() }</p>
            if pages > 1 {
                <div class="pager-pages">
                    <button
                        type="button"
                        class="button button-icon"
                        aria-label={words::table::PREVIOUS}
                        title={words::table::PREVIOUS}
                        disabled={page <= 1}
                        data-key={keys::PREVIOUS.name}
                        onclick={turn(-1)}
                    >{ icon(Shape::Left) }</button>
                    <label>
                        <span>{ words::table::PAGE }</span>
                        <input
                            key={page}
                            class="input input-page"
                            type="text"
                            inputmode="numeric"
                            value={page.to_string()}
                            onchange={onpage}
                            autocomplete="off"
                        />
                    </label>
                    <span>{ words::table::of_pages(pages) }</span>
                    <button
                        type="button"
                        class="button button-icon"
                        aria-label={words::table::NEXT}
                        title={words::table::NEXT}
                        disabled={page >= pages}
                        data-key={keys::NEXT.name}
                        onclick={turn(1)}
                    >{ icon(Shape::Right) }</button>
                </div>
            }
            <label class="pager-size">
                <span>{ words::table::PAGE_SIZE }</span>
                <select class="input input-select" onchange={onsize}>
                    { for sizes.map(|n| html! { <option key={n} value={n.to_string()} selected={n == size}>{ n }</option> }) }
                </select>
            </label>
        </nav>
    }
}

/// The query with another page size, on the page that has the row which stood first.
fn resized(query: &ListQuery, page_size: u64) -> ListQuery {
    let first = (query.page - 1) * query.page_size;
    ListQuery { page: first / page_size.max(1) + 1, page_size, ..query.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_page_size_keeps_the_place() {
        let query = ListQuery { page: 6, page_size: 20, ..ListQuery::default() };
        let wide = resized(&query, 50);
        assert_eq!((wide.page, wide.page_size), (3, 50));
        assert_eq!(resized(&wide, 20).page, 6);
    }
}
