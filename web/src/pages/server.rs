//! Pages about the server itself: its settings and keys, its log, and a token explained.

mod access;
mod api;
mod given_key;
mod log;
mod migrations;
mod palette;
mod settings;
mod token;

use yew::prelude::*;

use crate::{
    hooks::use_caller,
    route::{Route, ServerPage},
    ui::link::Link,
    words::{migrations as migration_words, server as words},
};

/// Props of [`ServerView`].
#[derive(Properties, PartialEq)]
pub(crate) struct ServerProps {
    pub(crate) page: ServerPage,
}

/// Every page and collection by words.
#[component]
pub(crate) fn PaletteView() -> Html {
    html! { <palette::Palette /> }
}

/// One of the pages. Who is no admin has the token's alone.
#[component]
pub(crate) fn ServerView(props: &ServerProps) -> Html {
    let is_admin = use_caller().is_admin();
    match props.page {
        ServerPage::Log if is_admin => html! { <log::LogPage /> },
        ServerPage::Access if is_admin => html! { <access::AccessPage /> },
        ServerPage::Migrations if is_admin => html! { <migrations::MigrationsPage /> },
        ServerPage::Api => html! { <api::ApiPage /> },
        ServerPage::Settings if is_admin => html! { <settings::SettingsPage /> },
        _ => html! { <token::TokenPage /> },
    }
}

/// The ways between the pages, for an admin.
fn tabs(current: ServerPage) -> Html {
    let tab = |page: ServerPage, name: &'static str| {
        html! { <Link to={Route::Server { page }} current={page == current} class="tab">{ name }</Link> }
    };
    html! {
        <nav class="tabs" aria-label={words::PAGES}>
            { tab(ServerPage::Settings, words::SETTINGS) }
            { tab(ServerPage::Log, words::LOG) }
            { tab(ServerPage::Access, words::ACCESS) }
            { tab(ServerPage::Migrations, migration_words::TITLE) }
            { tab(ServerPage::Token, words::TOKEN) }
        </nav>
    }
}
