//! The head of every page, and the table of keys that it opens.

use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::{
    hooks::{use_frame, use_user},
    keys,
    route::{Route, ServerPage},
    toast::ToastEvent,
    ui::{
        dialog::Dialog,
        icon::{Shape, icon, mark},
        link::Link,
    },
    words,
};

/// Props of [`Header`].
#[derive(Properties, PartialEq)]
pub(crate) struct HeaderProps {
    /// The page that is shown.
    pub(crate) route: Route,
    pub(crate) onhelp: Callback<bool>,
}

/// The head of every page: the way home, who is signed in, the way out.
#[component]
pub(crate) fn Header(props: &HeaderProps) -> Html {
    let frame = use_frame();
    let Some(user) = use_user() else { return Html::default() };
    let skip = |event: MouseEvent| {
        event.prevent_default();
        let main = web_sys::window()
            .and_then(|window| window.document())
            .and_then(|document| document.get_element_by_id("main"));
        if let Some(main) = main.and_then(|main| wasm_bindgen::JsCast::dyn_into::<HtmlElement>(main).ok()) {
            let _ = main.focus();
        }
    };
    let sign_out = {
        let (client, toasts) = (frame.client.clone(), frame.toasts.clone());
        move |_: MouseEvent| {
            let (client, toasts) = (client.clone(), toasts.clone());
            spawn_local(async move {
                if let Err(error) = client.sign_out().await {
                    toasts.dispatch(ToastEvent::Failed(words::toast::sign_out_unheard(&error.to_string())));
                }
            });
        }
    };
    let is_about_users =
        matches!(props.route, Route::Users | Route::NewUser | Route::User { .. } | Route::UserSessions { .. });
    let is_about_records = matches!(
        props.route,
        Route::Collections
            | Route::NewCollection
            | Route::NewFromFile
            | Route::EditCollection { .. }
            | Route::Records { .. }
            | Route::NewRecord { .. }
            | Route::Import { .. }
            | Route::Record { .. }
    );
    html! {
        <header class="site-head">
            <a class="skip" href="#main" onclick={skip}>{ words::SKIP }</a>
            <Link to={Route::Dashboard} class="home">{ mark() }<span class="wordmark">{ words::PRODUCT }</span></Link>
            <nav class="account" aria-label={words::ACCOUNT}>
                <Link to={Route::Dashboard} shortcut={keys::DASHBOARD} current={props.route == Route::Dashboard}>
                    { words::dashboard::TITLE }
                </Link>
                <Link to={Route::Collections} shortcut={keys::COLLECTIONS} current={is_about_records}>
                    { words::collections::TITLE }
                </Link>
                if user.is_admin {
                    <Link to={Route::Users} shortcut={keys::USERS} current={is_about_users}>{ words::account::USERS_TITLE }</Link>
                }
                if user.is_admin {
                    <Link to={Route::Server { page: ServerPage::Settings }} shortcut={keys::SERVER} current={matches!(props.route, Route::Server { .. })}>
                        { words::server::TITLE }
                    </Link>
                }
                <Link to={Route::Sessions} shortcut={keys::SESSIONS} current={props.route == Route::Sessions}>
                    { words::account::SESSIONS_TITLE }
                </Link>
                <Link to={Route::Password} shortcut={keys::PASSWORD} current={props.route == Route::Password}>
                    { words::account::PASSWORD }
                </Link>
            </nav>
            <div class="who">
                <span class="who-name"><bdi>{ user.username.to_string() }</bdi></span>
                if user.is_admin {
                    <span class="tag">{ words::ADMIN }</span>
                }
                <button
                    type="button"
                    class="button button-quiet button-icon keyboard-help"
                    aria-label={words::keys::TITLE}
                    title={words::keys::TITLE}
                    onclick={props.onhelp.reform(|_: MouseEvent| true)}
                >{ icon(Shape::Keyboard) }</button>
                <button type="button" class="button button-quiet" onclick={sign_out}>{ words::SIGN_OUT }</button>
            </div>
        </header>
    }
}

/// The table of keys.
pub(crate) fn help(onclose: Callback<()>) -> Html {
    let everywhere = keys::SHORTCUTS.iter().map(|shortcut| (shortcut.name, shortcut.help));
    let rows = everywhere.chain(keys::TYPING_KEYS).map(|(key, help)| {
        html! { <tr key={key}><th scope="row"><kbd>{ key }</kbd></th><td>{ help }</td></tr> }
    });
    html! {
        <Dialog title={words::keys::TITLE} {onclose}>
            <table class="keys"><tbody>{ for rows }</tbody></table>
        </Dialog>
    }
}
