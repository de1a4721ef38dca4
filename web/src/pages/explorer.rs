//! An address of the API as a page: what was asked and what came, with links to follow; forms to ask for more, as who is signed in or as nobody;
//! the same request to be copied.

mod document;
mod fields;
mod filters;
mod json;
mod request;

use std::rc::Rc;

use common::{CallError, endpoint::behind_api};
use http::Method;
use serde_json::Value;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;
use yew::prelude::*;
use yew_router::hooks::use_location;

use self::{filters::Filters, json::Rows, request::Request};
use crate::{
    client::{AnyAnswer, AnyRequest, Rest},
    hooks::{Go, use_client, use_go, use_query, use_title, use_user},
    pages::not_found::not_found_page,
    route::{Route, sign_in_query},
    ui::{link::Link, state::loading},
    words::explorer as say,
};

/// The most that is read of an answer, in bytes, and of the document that says what there is.
const MOST: usize = 1 << 20;
const MOST_OF_DOCUMENT: usize = 16 << 20;

/// What is known of an address beside what it answers.
#[derive(Debug, Clone, PartialEq, Default)]
struct Known {
    /// The answer to OPTIONS there.
    options: Value,
    /// The methods that it allows.
    methods: Vec<String>,
}

/// The last answer, and what it is to.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    asked: AnyRequest,
    answer: Result<AnyAnswer, CallError>,
    /// Somebody sent it by the form, and did not just come here.
    is_sent: bool,
}

/// The page.
#[component]
pub(crate) fn ExplorerPage() -> Html {
    let (client, user, query, go) = (use_client(), use_user(), use_query(), use_go());
    let path = use_location().map(|location| location.path().to_owned()).unwrap_or_default();
    let address = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
    let is_nobodys = use_state(|| false);
    let shown = use_state(|| None::<Rc<Shown>>);
    let known = use_state(Known::default);
    let document = use_state(|| Rc::new(Value::Null));
    let is_busy = use_state(|| false);
    // Answers of what was asked before count no more.
    let turn = use_mut_ref(|| 0_u32);
    let heading = use_node_ref();
    use_title(&address);
    let send = {
        let (client, shown, is_busy, turn) = (client.clone(), shown.setter(), is_busy.setter(), turn.clone());
        Callback::from(move |(asked, is_sent): (AnyRequest, bool)| {
            *turn.borrow_mut() += 1;
            let own = *turn.borrow();
            let (client, shown, is_busy, turn) = (client.clone(), shown.clone(), is_busy.clone(), turn.clone());
            is_busy.set(true);
            spawn_local(async move {
                let answer = client.any(&asked, MOST).await;
                if *turn.borrow() == own {
                    shown.set(Some(Rc::new(Shown { asked, answer, is_sent })));
                    is_busy.set(false);
                }
            });
        })
    };
    let get = {
        let (send, address, is_nobodys) = (send.clone(), address.clone(), *is_nobodys);
        Callback::from(move |()| send.emit((request(Method::GET, &address, is_nobodys), false)))
    };
    let whose = user.as_ref().map(|user| user.id).filter(|_| !*is_nobodys);
    use_effect_with((address.clone(), whose), move |_| get.emit(()));
    {
        let (client, known, asked) = (client.clone(), known.setter(), request(Method::OPTIONS, &path, *is_nobodys));
        use_effect_with((path.clone(), whose), move |_| {
            known.set(Known::default());
            spawn_local(async move {
                let Ok(answer) = client.any(&asked, MOST).await else { return };
                let allow = answer.headers.iter().find(|(name, _)| name == "allow");
                let allow = allow.map_or("", |(_, methods)| methods).split(',').map(str::trim);
                let methods = allow.filter(|method| !method.is_empty() && *method != "HEAD").map(str::to_owned);
                let options = serde_json::from_str(&answer.body).unwrap_or_default();
                known.set(Known { options, methods: methods.collect() });
            });
        });
    }
    {
        let (client, document, is_nobodys) = (client, document.setter(), *is_nobodys);
        use_effect_with(whose, move |_| {
            spawn_local(async move {
                let Ok(answer) =
                    client.any(&request(Method::GET, "/_coffer/api/schema/", is_nobodys), MOST_OF_DOCUMENT).await
                else {
                    return;
                };
                let told = serde_json::from_str(&answer.body).ok().filter(|_| answer.status == 200);
                document.set(Rc::new(told.unwrap_or_default()));
            });
        });
    }
    {
        // Somebody who sent something by the form below sees what came of it.
        let heading = heading.clone();
        use_effect_with((*shown).clone(), move |shown| {
            let heading = heading.cast::<HtmlElement>();
            if let Some(heading) = heading.filter(|_| shown.as_ref().is_some_and(|shown| shown.is_sent)) {
                let _ = heading.focus();
            }
        });
    }
    let Some(last) = (*shown).clone() else { return html! { <div class="page">{ loading() }</div> } };
    let is_api = behind_api(&path).is_some();
    if !is_api && !last.is_sent && matches!(&last.answer, Ok(answer) if answer.status == 404) {
        return not_found_page();
    }
    let described = document::find(&document, &path);
    // Somebody who is not signed in is not told what there is, and most rows are found by their ids.
    let lookup = described.and_then(|described| described.lookup());
    let rows = lookup
        .or_else(|| document.is_null().then(|| "id".to_owned()))
        .map(|member| Rows { path: format!("{}/", path.trim_end_matches('/')), member });
    let onwhose = {
        let is_nobodys = is_nobodys.setter();
        move |event: Event| is_nobodys.set(event.target_unchecked_into::<web_sys::HtmlInputElement>().checked())
    };
    let filters = described.map(|described| described.filters()).unwrap_or_default();
    html! {
        <div class="page page-wide explorer">
            <div class="page-head"><div class="page-title">
                <h1><code>{ last.asked.method.as_str() }{ " " }<bdi>{ &last.asked.address }</bdi></code></h1>
                <div class="actions">
                    if user.is_some() {
                        <label class="check"><input type="checkbox" checked={*is_nobodys} onchange={onwhose} />{ say::AS_NOBODY }</label>
                    } else {
                        <Link to={Route::SignIn} query={sign_in_query(&address)} class="button">{ say::SIGN_IN }</Link>
                    }
                </div>
            </div></div>
            <section class="panel" aria-labelledby="explorer-answer" aria-busy={(*is_busy).to_string()}>
                { answer(&last, &heading, rows.as_ref(), &go) }
                if last.is_sent {
                    <div class="actions"><button type="button" class="button button-small" onclick={
                        let (send, asked) = (send.clone(), request(Method::GET, &address, *is_nobodys));
                        move |_: MouseEvent| send.emit((asked.clone(), true))
                    }>{ say::AGAIN }</button></div>
                }
            </section>
            if !filters.is_empty() {
                <Filters key={address.clone()} address={address.clone()} names={filters} />
            }
            <Request key={path.clone()} path={path.clone()} {query} known={(*known).clone()} document={(*document).clone()} read={read(&last)}
                onsend={send.reform(|asked| (asked, true))} is_nobodys={*is_nobodys} is_signed_in={whose.is_some()} is_busy={*is_busy} />
        </div>
    }
}

fn request(method: Method, address: &str, is_nobodys: bool) -> AnyRequest {
    AnyRequest { method, address: address.to_owned(), body: String::new(), is_nobodys }
}

/// The record that was read last, if it was one.
fn read(last: &Shown) -> AttrValue {
    match &last.answer {
        Ok(answer) if last.asked.method == Method::GET && answer.status == 200 => answer.body.clone().into(),
        _ => AttrValue::default(),
    }
}

fn origin() -> String {
    web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default()
}

/// Goes to an address of this server. Those that the app has a page for need no loading.
fn visit(go: &Go, address: &str) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let is_plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c));
    match behind_api(path).filter(|_| is_plain) {
        Some(rest) => go.location(&(Route::Api { rest: rest.to_owned() }, query.to_owned())),
        None => {
            if let Some(window) = web_sys::window() {
                let _ = window.location().assign(address);
            }
        }
    }
}

/// What becomes of a click on a link to an address of this server.
fn follow(go: &Go) -> Callback<MouseEvent> {
    let go = go.clone();
    Callback::from(move |event: MouseEvent| {
        let to = event.target_dyn_into::<web_sys::Element>().and_then(|link| link.get_attribute("href"));
        if event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key() {
            return;
        }
        if let Some(to) = to {
            event.prevent_default();
            visit(&go, &to);
        }
    })
}

/// The status line, the headers and the body of an answer.
fn answer(last: &Shown, heading: &NodeRef, rows: Option<&Rows>, go: &Go) -> Html {
    let answer = match &last.answer {
        Ok(answer) => answer,
        Err(error) => {
            return html! {
                <div class="notice notice-bad" role="alert"><p id="explorer-answer" ref={heading} tabindex="-1">{ error.to_string() }</p></div>
            };
        }
    };
    let (origin, onfollow) = (origin(), follow(go));
    let json = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let page = |name: &str, label: &'static str| {
        let to = json[name].as_str()?.strip_prefix(&origin).filter(|to| behind_api(to).is_some())?.to_owned();
        let rel = if name == "next" { "next" } else { "prev" };
        Some(html! { <a class="button button-small" href={to} {rel} onclick={&onfollow}>{ label }</a> })
    };
    let class = if answer.status < 400 { "status-good" } else { "status-bad" };
    html! {
        <>
            <h2 id="explorer-answer" class="status" role="status" ref={heading} tabindex="-1">
                <span {class}>{ answer.status }{ " " }{ &answer.reason }</span>
                <small>{ say::took(answer.took, answer.body.len()) }</small>
            </h2>
            <details><summary>{ say::headers(answer.headers.len()) }</summary>
                <dl class="headers">
                    { for answer.headers.iter().map(|(name, value)| html! { <><dt>{ name }</dt><dd>{ value }</dd></> }) }
                </dl>
            </details>
            if answer.rest == Rest::All {
                <p class="hint">{ say::FILE }</p>
            } else if answer.body.is_empty() {
                <p class="hint">{ say::EMPTY }</p>
            } else {
                <div class="body">{ json::draw(&answer.body, &origin, rows, &onfollow) }</div>
            }
            if answer.rest == Rest::Tail {
                <p class="hint">{ say::CUT }</p>
            }
            <nav class="actions" aria-label={say::PAGES}>{ for page("previous", say::PREVIOUS) }{ for page("next", say::NEXT) }</nav>
        </>
    }
}
