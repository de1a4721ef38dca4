//! The page for an address that leads nowhere.

use yew::prelude::*;

use crate::{
    route::Route,
    ui::{link::Link, page::PageHead, state::go_back},
    words,
};

/// The page for every other address.
pub(crate) fn not_found_page() -> Html {
    html! {
        <div class="page page-narrow">
            <PageHead title={words::not_found::TITLE} description={words::not_found::TEXT} />
            <p class="actions">{ go_back() }<Link to={Route::Collections} class="button">{ words::not_found::BACK }</Link></p>
        </div>
    }
}
