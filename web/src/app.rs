//! The frame around every page: who is signed in decides whether there is a page at all; the address decides which.

use std::rc::Rc;

use web_sys::HtmlElement;
use yew::prelude::*;
use yew_router::{
    BrowserRouter,
    hooks::{use_location, use_route},
};

use crate::{
    client::Client,
    drafts,
    head::{Header, help},
    hooks::{Counter, Frame, use_caller, use_frame, use_query},
    keys,
    later::{Later, Part, beside_table, live, use_prefetch},
    news, pages,
    route::{self, Route, address},
    session::{Phase, Session, SessionEvent},
    table_locations,
    toast::{ToastEvent, Toasts},
    ui::{icon::mark, link::Redirect, state::failure, toasts::ToastList},
    words,
};

/// The app.
#[component]
pub(crate) fn App() -> Html {
    html! { <BrowserRouter><Root /></BrowserRouter> }
}

#[component]
fn Root() -> Html {
    let session = use_reducer(Session::default);
    let toasts = use_reducer(Toasts::default);
    let changes = use_reducer(|| Counter(0));
    let told = use_reducer(|| Counter(0));
    let is_help_open = use_state(|| false);
    let is_palette_open = use_state(|| false);
    let client = {
        let (session, toasts) = (session.dispatcher(), toasts.dispatcher());
        use_memo((), |()| {
            Client::new(Callback::from(move |event| {
                if matches!(event, SessionEvent::Ended) {
                    table_locations::forget();
                    drafts::forget();
                    toasts.dispatch(ToastEvent::Cleared);
                }
                session.dispatch(event);
            }))
        })
    };
    {
        let (client, is_help_open, told) = (client.clone(), is_help_open.clone(), told.dispatcher());
        let palette = is_palette_open.setter();
        use_effect_with((), move |()| {
            client.start();
            news::listen(Callback::from(move |()| told.dispatch(())));
            keys::listen(Callback::from(move |()| is_help_open.set(true)), Callback::from(move |()| palette.set(true)));
        });
    }
    let onhelp = {
        let is_help_open = is_help_open.clone();
        Callback::from(move |is_open: bool| is_help_open.set(is_open))
    };
    let onchange = {
        let changes = changes.dispatcher();
        Callback::from(move |()| changes.dispatch(()))
    };
    let frame = Frame {
        client: (*client).clone(),
        session: Rc::new((*session).clone()),
        toasts: toasts.dispatcher(),
        changes: changes.0,
        batch: told.0,
    };
    let is_signed_in = matches!(frame.session.phase, Phase::SignedIn(_));
    let onpalette = {
        let is_palette_open = is_palette_open.setter();
        Callback::from(move |()| is_palette_open.set(false))
    };
    html! {
        <ContextProvider<Frame> context={frame}>
            <Gate onhelp={onhelp.clone()} />
            if *is_palette_open && is_signed_in {
                <ContextProvider<Callback<()>> context={onpalette}><Later part={Part::Server} route={Route::NotFound} /></ContextProvider<Callback<()>>>
            }
            if *is_help_open {
                { help(onhelp.reform(|()| false)) }
            }
            <ToastList client={(*client).clone()} {toasts} {onchange} />
        </ContextProvider<Frame>>
    }
}

#[derive(Properties, PartialEq)]
struct GateProps {
    onhelp: Callback<bool>,
}

/// Lets in who is signed in.
#[component]
fn Gate(props: &GateProps) -> Html {
    let frame = use_frame();
    let route = use_route::<Route>().unwrap_or_default();
    let query = use_query();
    let (user, is_expired) = match &frame.session.phase {
        Phase::Starting => return opening(),
        Phase::Failed(error) => {
            let client = frame.client.clone();
            let again = Callback::from(move |()| client.restart());
            return html! { <main class="gate">{ failure(error, &again) }</main> };
        }
        Phase::SignedOut { .. } => {
            return match route {
                route @ (Route::SetUp | Route::SignIn | Route::SignUp) => {
                    html! { <Later part={Part::Accounts} {route} /> }
                }
                // The API answers whoever asks; and where nothing else is, something may be published.
                route @ (Route::Api { .. } | Route::ApiRoot | Route::NotFound) => html! {
                    <>
                        <header class="site-head"><span class="home">{ mark() }<span class="wordmark">{ words::PRODUCT }</span></span></header>
                        <main id="main" tabindex="-1"><Later part={Part::Explorer} {route} /></main>
                    </>
                },
                route => {
                    let query = route::sign_in_query(&address(&route, &query));
                    html! { <Redirect to={Route::SignIn} {query} /> }
                }
            };
        }
        Phase::SignedIn(user) => (user, false),
        Phase::Expired(user) => (user, true),
    };
    match route {
        Route::SetUp | Route::SignUp => return html! { <Redirect to={Route::Dashboard} /> },
        Route::SignIn => {
            let (to, query) = route::after_sign_in(&query);
            return html! { <Redirect {to} {query} /> };
        }
        _ => {}
    }
    html! {
            <>
                <Header route={route.clone()} onhelp={props.onhelp.clone()} />
                // Another user's page is another page, also at the same address.
                <Main key={user.id.to_string()} {route} />
                if is_expired {
    <Later part={Part::Accounts} route={Route::SignIn} />
                } else {
    { live() }
                }
            </>
        }
}

/// Until it is known who is signed in: the frame that the page came with.
fn opening() -> Html {
    html! {
        <>
            <header class="site-head"><span class="home">{ mark() }<span class="wordmark">{ words::PRODUCT }</span></span></header>
            <main class="page page-wide skeleton">
                <div class="hidden" role="status"><h1>{ words::sign_in::STARTING_TITLE }</h1></div>
                { for (0..5).map(|row| html! { <i key={row} /> }) }
            </main>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct MainProps {
    route: Route,
}

/// The page that the address names.
#[component]
fn Main(props: &MainProps) -> Html {
    let node = use_node_ref();
    let caller = use_caller();
    use_prefetch(caller.is_admin());
    let path = use_location().map(|location| location.path().to_owned()).unwrap_or_default();
    {
        let node = node.clone();
        // Keys and screen readers go on at the new page, unless it has put the focus somewhere itself.
        use_effect_with(path, move |_| {
            let document = web_sys::window().and_then(|window| window.document());
            let is_elsewhere = document.and_then(|document| document.active_element()).is_some_and(|active| {
                active.tag_name() != "BODY" && active.closest(".site-head").ok().flatten().is_none()
            });
            if let Some(main) = node.cast::<HtmlElement>().filter(|_| !is_elsewhere) {
                let _ = main.focus();
                main.scroll_into_view_with_bool(true);
            }
        });
    }
    let page = match props.route.clone() {
        route @ (Route::Dashboard | Route::Collections) => html! { <Later part={Part::Dashboard} {route} /> },
        Route::Records { name } => {
            let many = html! { <Later part={Part::Many} route={Route::Records { name: name.clone() }} /> };
            html! { <pages::records::RecordsPage key={name.to_string()} name={name.clone()} {many} beside={beside_table()} /> }
        }
        route @ (Route::NewCollection | Route::EditCollection { .. }) => {
            html! { <Later part={Part::Editor} {route} /> }
        }
        route @ (Route::Import { .. } | Route::NewFromFile) => html! { <Later part={Part::Many} {route} /> },
        route @ (Route::NewRecord { .. } | Route::Record { .. }) => html! { <Later part={Part::Record} {route} /> },
        route @ (Route::Password
        | Route::Sessions
        | Route::Users
        | Route::NewUser
        | Route::Invitations
        | Route::User { .. }
        | Route::UserSessions { .. }) => {
            html! { <Later part={Part::Accounts} {route} /> }
        }
        route @ (Route::Server { .. } | Route::Changes) => html! { <Later part={Part::Server} {route} /> },
        route @ (Route::Api { .. } | Route::ApiRoot | Route::NotFound) => {
            html! { <Later part={Part::Explorer} {route} /> }
        }
        Route::SetUp | Route::SignIn | Route::SignUp => pages::not_found::not_found_page(),
    };
    html! { <main id="main" ref={node} tabindex="-1">{ page }</main> }
}
