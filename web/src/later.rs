//! The pages that a first visit does not show. Each part is a file of its own, fetched when the first page stands or when a page of it is
//! wanted. Only this file names these pages: what else named one would bring it into the first file.
//!
//! Without the feature `split` (`trunk serve`) all is one file, and every part is at hand.

mod pages {
    //! What is drawn for an address, by part.

    use yew::prelude::*;

    use crate::{
        live,
        pages::{
            changes, collections, dashboard, editor, explorer, invitations, many, password, record, server, sessions,
            set_up, sign_in, users, views,
        },
        route::Route,
    };

    /// The dashboard, and the list of collections.
    pub(super) fn dashboard(route: &Route) -> Html {
        match route {
            Route::Collections => html! { <collections::CollectionsPage /> },
            _ => html! { <dashboard::DashboardPage /> },
        }
    }

    /// Files in; what a table wants of many records is told by a context.
    pub(super) fn many(route: &Route) -> Html {
        match route.clone() {
            Route::Import { name } => html! { <many::ImportPage key={name.to_string()} name={name.clone()} /> },
            Route::NewFromFile => html! { <many::FromFilePage /> },
            _ => html! { <many::ManyView /> },
        }
    }

    /// Records, one at a time.
    pub(super) fn record(route: &Route) -> Html {
        match route.clone() {
            Route::NewRecord { name } => html! { <record::NewRecordPage key={name.to_string()} name={name.clone()} /> },
            Route::Record { name, id } => html! { <record::RecordPage key={id.to_string()} {name} {id} /> },
            _ => Html::default(),
        }
    }

    /// The collection editor.
    pub(super) fn editor(route: &Route) -> Html {
        match route.clone() {
            Route::NewCollection => html! { <editor::NewCollectionPage /> },
            Route::EditCollection { name } => {
                html! { <editor::EditCollectionPage key={name.to_string()} name={name.clone()} /> }
            }
            _ => Html::default(),
        }
    }

    /// The server itself: settings, log, tokens; changes; and for no page of these the palette.
    pub(super) fn server(route: &Route) -> Html {
        match route {
            Route::Server { page } => html! { <server::ServerView page={*page} /> },
            Route::Changes => html! { <changes::ChangesPage /> },
            _ => html! { <server::PaletteView /> },
        }
    }

    /// What stands beside a table's filter; the table is told by a context.
    pub(super) fn views(_: &Route) -> Html {
        html! { <views::BesideTable /> }
    }

    /// Addresses of the API.
    pub(super) fn explorer(_: &Route) -> Html {
        html! { <explorer::ExplorerPage /> }
    }

    /// What others change, told to every page.
    pub(super) fn live(_: &Route) -> Html {
        html! { <live::Follow /> }
    }

    /// Users, their sessions and passwords, and the first of them; signing in again, since who comes without a session signs in before the app is there.
    pub(super) fn accounts(route: &Route) -> Html {
        match route.clone() {
            Route::SetUp => html! { <set_up::SetUpPage /> },
            Route::SignIn => html! { <sign_in::SignInView /> },
            Route::Password => html! { <password::PasswordPage /> },
            Route::Sessions => html! { <sessions::SessionsPage /> },
            Route::Users => html! { <users::UsersPage /> },
            Route::SignUp => html! { <invitations::SignUpPage /> },
            Route::Invitations => html! { <invitations::InvitationsPage /> },
            Route::NewUser => html! { <users::NewUserPage /> },
            Route::User { id } => html! { <users::UserPage key={id.to_string()} {id} /> },
            Route::UserSessions { id } => html! { <sessions::SessionsPage key={id.to_string()} of={id} /> },
            _ => Html::default(),
        }
    }
}

#[cfg(feature = "split")]
mod fetched {
    //! The parts as files: what is marked here is cut out of the first file by the release's build.

    use std::cell::Cell;

    use wasm_split_helpers::{SplitLoaderError, wasm_split};

    use super::{Draw, Part, pages};

    thread_local! {
        static AT_HAND: [Cell<Option<Draw>>; 9] = const { [const { Cell::new(None) }; 9] };
    }

    // The parts themselves never fail; fetching them does.
    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(record, fallible)]
    fn record() -> Result<Draw, SplitLoaderError> {
        Ok(pages::record)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(editor, fallible)]
    fn editor() -> Result<Draw, SplitLoaderError> {
        Ok(pages::editor)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(accounts, fallible)]
    fn accounts() -> Result<Draw, SplitLoaderError> {
        Ok(pages::accounts)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(dashboard, fallible)]
    fn dashboard() -> Result<Draw, SplitLoaderError> {
        Ok(pages::dashboard)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(many, fallible)]
    fn many() -> Result<Draw, SplitLoaderError> {
        Ok(pages::many)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(server, fallible)]
    fn server() -> Result<Draw, SplitLoaderError> {
        Ok(pages::server)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(views, fallible)]
    fn views() -> Result<Draw, SplitLoaderError> {
        Ok(pages::views)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(explorer, fallible)]
    fn explorer() -> Result<Draw, SplitLoaderError> {
        Ok(pages::explorer)
    }

    #[allow(clippy::unnecessary_wraps)]
    #[wasm_split(live, fallible)]
    fn live() -> Result<Draw, SplitLoaderError> {
        Ok(pages::live)
    }

    pub(super) fn at_hand(part: Part) -> Option<Draw> {
        AT_HAND.with(|known| known[part as usize].get())
    }

    pub(super) async fn fetch(part: Part) -> Option<Draw> {
        let draw = match part {
            Part::Record => record().await,
            Part::Editor => editor().await,
            Part::Accounts => accounts().await,
            Part::Live => live().await,
            Part::Dashboard => dashboard().await,
            Part::Many => many().await,
            Part::Server => server().await,
            Part::Views => views().await,
            Part::Explorer => explorer().await,
        };
        let draw = draw.ok();
        AT_HAND.with(|known| known[part as usize].set(draw));
        draw
    }
}

#[cfg(not(feature = "split"))]
mod fetched {
    //! The parts in one file.

    use std::future::ready;

    use super::{Draw, Part, pages};

    #[allow(clippy::unnecessary_wraps)] // as the parts that are files
    pub(super) fn at_hand(part: Part) -> Option<Draw> {
        Some(match part {
            Part::Record => pages::record,
            Part::Editor => pages::editor,
            Part::Accounts => pages::accounts,
            Part::Live => pages::live,
            Part::Dashboard => pages::dashboard,
            Part::Many => pages::many,
            Part::Server => pages::server,
            Part::Views => pages::views,
            Part::Explorer => pages::explorer,
        })
    }

    pub(super) fn fetch(part: Part) -> impl Future<Output = Option<Draw>> {
        ready(at_hand(part))
    }
}

use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{news, route::Route, ui::state::loading, words};

/// Draws the page of an address.
type Draw = fn(&Route) -> Html;

/// A part of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// One record.
    Record,
    /// The collection editor.
    Editor,
    /// Users, sessions, passwords, sign-in, set-up.
    Accounts,
    /// What others change.
    Live,
    /// The dashboard, and the list of collections.
    Dashboard,
    /// Many records at once, files in and out.
    Many,
    /// The server itself.
    Server,
    /// Saved views and columns of tables.
    Views,
    /// Addresses of the API. Few come to it, so it is fetched when they do.
    Explorer,
}

/// How long the first page has the line for itself.
const PAUSE: u32 = 1500;

/// Fetches the parts that this user can come to, one after the other, while the first page is being looked at. Where one does not come, the
/// server is away, and none is asked for any more before it is wanted.
#[hook]
pub(crate) fn use_prefetch(is_admin: bool) {
    use_effect_with(is_admin, |&is_admin| {
        let pause = Timeout::new(PAUSE, move || {
            spawn_local(async move {
                for part in [
                    Part::Live,
                    Part::Views,
                    Part::Record,
                    Part::Many,
                    Part::Dashboard,
                    Part::Editor,
                    Part::Accounts,
                    Part::Server,
                ] {
                    if (is_admin || part != Part::Editor) && fetched::fetch(part).await.is_none() {
                        break;
                    }
                    if matches!(part, Part::Live | Part::Views) {
                        news::wake();
                    }
                }
            });
        });
        move || drop(pause)
    });
}

/// What others change, once its part is there. Where that does not come, the app is as it is without.
pub(crate) fn live() -> Html {
    fetched::at_hand(Part::Live).map(|draw| draw(&Route::Collections)).unwrap_or_default()
}

/// What stands beside a table's filter, once its part is there.
pub(crate) fn beside_table() -> Html {
    fetched::at_hand(Part::Views).map(|draw| draw(&Route::Collections)).unwrap_or_default()
}

/// Props of [`Later`].
#[derive(Properties, PartialEq)]
pub(crate) struct LaterProps {
    pub(crate) part: Part,
    pub(crate) route: Route,
}

/// A page of a part, once that is there.
#[component]
pub(crate) fn Later(props: &LaterProps) -> Html {
    let part = props.part;
    let attempt = use_state(|| 0);
    let has_failed = use_state(|| false);
    let is_there = fetched::at_hand(part).is_some();
    use_effect_with((part, *attempt), {
        let has_failed = has_failed.clone();
        move |_| {
            if !is_there {
                spawn_local(async move { has_failed.set(fetched::fetch(part).await.is_none()) });
            }
        }
    });
    if let Some(draw) = fetched::at_hand(part) {
        return draw(&props.route);
    }
    let again = {
        let has_failed = has_failed.clone();
        move |_: MouseEvent| {
            has_failed.set(false);
            attempt.set(*attempt + 1);
        }
    };
    html! {
        <div class="page">
            if *has_failed {
                <div class="notice notice-bad" role="alert">
                    <p class="notice-title">{ words::part::TITLE }</p>
                    <p>{ words::part::TEXT }</p>
                    <div class="notice-actions"><button type="button" class="button" onclick={again}>{ words::TRY_AGAIN }</button></div>
                </div>
            } else {
                { loading() }
            }
        </div>
    }
}
