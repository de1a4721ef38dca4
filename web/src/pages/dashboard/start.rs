//! What an empty server leads to: the first collection, a file, a client.

use common::{Endpoint as _, endpoints::tokens};
use yew::prelude::*;

use crate::{
    hooks::use_user,
    keys,
    route::Route,
    ui::{
        icon::{Shape, icon},
        link::Link,
    },
    words::{collections, dashboard as words},
};

/// Three ways to begin.
#[component]
pub(super) fn Start() -> Html {
    let user = use_user().map(|user| user.username.to_string()).unwrap_or_default();
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    let import = format!("coffer import goods.csv --to goods --create --server {origin} --user {user}");
    let client = format!("coffer-tui --server {origin}");
    let token = format!("http POST {origin}{} username={user} password=…", tokens::Obtain::PATH);
    html! {
        <section class="empty start" aria-labelledby="start-title">
            <h2 id="start-title" class="empty-title">{ words::START_TITLE }</h2>
            <p>{ words::START }</p>
            <ul class="ways">
                <li>
                    <h3>{ words::START_DEFINE }</h3>
                    <p>{ words::START_DEFINE_TEXT }</p>
                    <Link to={Route::NewCollection} class="button button-primary" shortcut={keys::NEW}>{ icon(Shape::Plus) }{ collections::NEW }</Link>
                </li>
                <li>
                    <h3>{ words::START_FILE }</h3>
                    <p>{ words::START_FILE_TEXT }</p>
                    <pre tabindex="0"><code>{ import }</code></pre>
                </li>
                <li>
                    <h3>{ words::START_CLIENT }</h3>
                    <p>{ words::START_CLIENT_TEXT }</p>
                    <pre tabindex="0"><code>{ client }{ "\n" }{ token }</code></pre>
                </li>
            </ul>
        </section>
    }
}
