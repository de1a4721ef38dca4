//! The parts that pages about users and about sessions share.

use common::{table::short_moment, user::User};
use yew::prelude::*;

use crate::{
    pages::records::collections_breadcrumb,
    route::{Location, Route},
    words::account,
};

/// The list of users, as what stands above others.
pub(crate) fn users_breadcrumb() -> (AttrValue, Location) {
    (account::USERS_TITLE.into(), (Route::Users, String::new()))
}

/// The breadcrumbs above a page about a user.
pub(crate) fn above_user(user: Option<&User>) -> Vec<(AttrValue, Location)> {
    let page = user.map(|user| (user.username.to_string().into(), (Route::User { id: user.id }, String::new())));
    [collections_breadcrumb(), users_breadcrumb()].into_iter().chain(page).collect()
}

/// A moment in a cell.
pub(crate) fn moment(moment: &str) -> Html {
    html! { <time datetime={moment.to_owned()}>{ short_moment(moment) }</time> }
}
