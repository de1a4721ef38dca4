//! The first page: an admin sees how the server is and what happens in it, others what is theirs. It asks again and again while it is looked at
//! ([`watch`]); what it shows is decided in `common::dashboard`, and drawn here.

mod admin;
mod figures;
mod own;
mod panels;
mod plot;
mod start;
mod watch;

use yew::prelude::*;

use crate::hooks::use_caller;

/// The page.
#[component]
pub(crate) fn DashboardPage() -> Html {
    if use_caller().is_admin() {
        html! { <admin::Admin /> }
    } else {
        html! { <own::Own /> }
    }
}
