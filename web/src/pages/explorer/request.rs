//! What is asked next: a method, an address, a body; and how others ask for it.

use std::rc::Rc;

use common::{
    endpoint::behind_api,
    snippet::{HIDDEN, Sent},
};
use http::Method;
use serde_json::Value;
use yew::prelude::*;

use super::{
    Known, document,
    fields::{self, Member, MemberKind},
    origin, visit,
};
use crate::{
    client::AnyRequest,
    hooks::{use_go, use_toasts},
    toast::ToastEvent,
    words::{self, explorer as say},
};

#[derive(Properties, PartialEq)]
pub(super) struct RequestProps {
    pub(super) path: String,
    pub(super) query: String,
    pub(super) known: Known,
    pub(super) document: Rc<Value>,
    /// The record that stands there, if one does.
    pub(super) read: AttrValue,
    pub(super) onsend: Callback<AnyRequest>,
    pub(super) is_nobodys: bool,
    pub(super) is_signed_in: bool,
    pub(super) is_busy: bool,
}

/// The form, and the requests to copy.
#[component]
pub(super) fn Request(props: &RequestProps) -> Html {
    let go = use_go();
    let here = if props.query.is_empty() { props.path.clone() } else { format!("{}?{}", props.path, props.query) };
    let method = use_state(|| "GET".to_owned());
    let address = use_state(|| here.clone());
    let body = use_state(String::new);
    let secrets = use_state(Vec::<(String, String)>::new);
    {
        let address = address.setter();
        use_effect_with(here.clone(), move |here| address.set(here.clone()));
    }
    let described = document::find(&props.document, &props.path);
    let members = members(&props.known.options, described, &method);
    let takes_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
    let onsubmit = {
        let (method, address, body, secrets) = (method.clone(), address.clone(), body.clone(), secrets.clone());
        let (onsend, is_nobodys, here) = (props.onsend.clone(), props.is_nobodys, here.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            // What is read has an address, which the way back leads to.
            if *method == "GET" && *address != here && behind_api(&address).is_some() {
                return visit(&go, &address);
            }
            let sent = if takes_body { fields::with_secrets(&body, &secrets) } else { Some(String::new()) };
            let body = sent.unwrap_or_else(|| body.trim().to_owned());
            let method = method.parse().unwrap_or(Method::GET);
            // They were for this request.
            secrets.set(Vec::new());
            onsend.emit(AnyRequest { method, address: (*address).clone(), body, is_nobodys });
        }
    };
    let onmethod = {
        let (method, body, secrets) = (method.clone(), body.clone(), secrets.setter());
        let (read, props_options, document, props_path) =
            (props.read.clone(), props.known.options.clone(), props.document.clone(), props.path.clone());
        let (address, here) = (address.clone(), here.clone());
        move |event: Event| {
            let chosen = event.target_unchecked_into::<web_sys::HtmlSelectElement>().value();
            secrets.set(Vec::new());
            // What is written anew begins with what is there.
            if chosen == "PUT" && body.trim().is_empty() {
                let members = self::members(&props_options, document::find(&document, &props_path), "PUT");
                body.set(fields::of_record(&read, &members).unwrap_or_default());
            }
            // What a list is asked for is nothing that a new record takes.
            let takes_query = !matches!(chosen.as_str(), "POST" | "PUT");
            if *address == here && !takes_query {
                address.set(props_path.clone());
            } else if *address == props_path && takes_query {
                address.set(here.clone());
            }
            method.set(chosen);
        }
    };
    let onaddress = {
        let address = address.setter();
        move |event: InputEvent| address.set(event.target_unchecked_into::<web_sys::HtmlInputElement>().value())
    };
    let onbody = {
        let body = body.setter();
        move |event: InputEvent| body.set(event.target_unchecked_into::<web_sys::HtmlTextAreaElement>().value())
    };
    let mut methods = props.known.methods.clone();
    if methods.is_empty() {
        let told = described.map_or_else(|| document::METHODS.to_vec(), |described| described.methods());
        methods = told.into_iter().map(str::to_owned).collect();
    }
    methods.sort_by_key(|method| document::METHODS.iter().position(|known| known == method));
    if !methods.contains(&*method) {
        methods.insert(0, (*method).clone());
    }
    let copied_body = if takes_body { copied(&body, &secrets) } else { String::new() };
    let (class, is_deletion) = ("button button-primary", *method == "DELETE");
    html! {
        <>
            <form class="panel form" {onsubmit} autocomplete="off" aria-labelledby="explorer-request">
                <h2 id="explorer-request">{ say::ASK }</h2>
                <div class="request-line">
                    <label class="hidden" for="explorer-method">{ say::METHOD }</label>
                    <select id="explorer-method" class="input" onchange={onmethod}>
                        { for methods.iter().map(|name| html! { <option key={name.clone()} value={name.clone()} selected={*name == *method}>{ name }</option> }) }
                    </select>
                    <label class="hidden" for="explorer-address">{ say::ADDRESS }</label>
                    <input id="explorer-address" class="input input-code" dir="ltr" spellcheck="false" autocapitalize="none" value={(*address).clone()} oninput={onaddress} />
                    <button type="submit" class={classes!(class, is_deletion.then_some("button-danger"))} disabled={props.is_busy}>{ say::SEND }</button>
                </div>
                if takes_body {
                    { for members.iter().map(|member| if member.is_secret() { secret(member, &secrets) } else { input(member, &body) }) }
                    <div class="field">
                        <label for="explorer-body">{ say::BODY }</label>
                        <textarea id="explorer-body" class="input input-code" rows={if is_deletion { "2" } else { "8" }} dir="ltr" spellcheck="false" autocapitalize="none" value={(*body).clone()} oninput={onbody} />
                    </div>
                }
            </form>
            <Ways method={(*method).clone()} address={format!("{}{}", origin(), *address)} body={copied_body}
                is_signed_in={props.is_signed_in} />
        </>
    }
}

/// The members of a method's body: as OPTIONS tells them of records, with labels and choices; as the document does of everything else.
fn members(options: &Value, described: Option<document::Described>, method: &str) -> Vec<Member> {
    let told = fields::members(options, method);
    if told.is_empty() { described.map(|described| described.members(method)).unwrap_or_default() } else { told }
}

/// The body as it is copied: secrets are named in it.
fn copied(body: &str, secrets: &[(String, String)]) -> String {
    let named: Vec<_> = secrets.iter().map(|(name, _)| (name.clone(), HIDDEN.to_owned())).collect();
    fields::with_secrets(body, &named).unwrap_or_else(|| body.trim().to_owned())
}

#[derive(Properties, PartialEq)]
struct WaysProps {
    method: String,
    address: String,
    body: String,
    is_signed_in: bool,
}

/// The same request for other programs.
#[component]
fn Ways(props: &WaysProps) -> Html {
    let toasts = use_toasts();
    let WaysProps { method, address, body, is_signed_in } = props;
    let sent = Sent { method, address, body, is_signed_in: *is_signed_in };
    let window = web_sys::window();
    // A page that came over plain HTTP has no clipboard.
    let clipboard = window.filter(web_sys::Window::is_secure_context).map(|window| window.navigator().clipboard());
    let rows = sent.snippets().into_iter().map(|snippet| {
        let onclick = {
            let (clipboard, toasts, text) = (clipboard.clone(), toasts.clone(), snippet.text.clone());
            move |_: MouseEvent| {
                if let Some(clipboard) = &clipboard {
                    let _ = clipboard.write_text(&text);
                    toasts.emit(ToastEvent::Said(say::COPIED.to_owned()));
                }
            }
        };
        html! {
            <div key={snippet.name}>
                <h3>{ snippet.name }
                    if clipboard.is_some() {
                        <button type="button" class="button button-quiet button-small" {onclick} aria-label={say::copy(snippet.name)}>{ say::COPY }</button>
                    }
                </h3>
                <pre dir="ltr" tabindex="0">{ snippet.text }</pre>
            </div>
        }
    });
    html! {
        <section class="panel" aria-labelledby="explorer-ways">
            <h2 id="explorer-ways">{ say::ELSEWHERE }</h2>
            if *is_signed_in {
                <p class="hint">{ say::TOKEN }</p>
            }
            if sent.snippets()[0].text.contains(HIDDEN) {
                <p class="hint">{ say::SECRETS }</p>
            }
            { for rows }
        </section>
    }
}

/// A password or a token. It is sent, and stands nowhere else.
fn secret(member: &Member, secrets: &UseStateHandle<Vec<(String, String)>>) -> Html {
    let id = format!("explorer-{}", member.name);
    let value =
        secrets.iter().find(|(name, _)| *name == member.name).map(|(_, value)| value.clone()).unwrap_or_default();
    let oninput = {
        let (name, secrets) = (member.name.clone(), secrets.clone());
        move |event: InputEvent| {
            let typed = event.target_unchecked_into::<web_sys::HtmlInputElement>().value();
            let mut all: Vec<_> = secrets.iter().filter(|(known, _)| *known != name).cloned().collect();
            all.extend((!typed.is_empty()).then(|| (name.clone(), typed)));
            secrets.set(all);
        }
    };
    field(
        member,
        &id,
        html! {
            <input id={id.clone()} class="input" type="password" autocomplete="off" spellcheck="false" {value} {oninput} aria-required={member.is_required.then_some("true")} />
        },
    )
}

/// A member of the body as an input. What is typed goes into the body's text.
fn input(member: &Member, body: &UseStateHandle<String>) -> Html {
    let Some(object) = fields::object(body) else { return Html::default() };
    let value = fields::typed(&object, &member.name);
    let id = format!("explorer-{}", member.name);
    let set = {
        let (member, body) = (member.clone(), body.setter());
        move |typed: String| body.set(fields::with(object.clone(), &member, &typed))
    };
    let oninput = {
        let set = set.clone();
        move |event: InputEvent| set(event.target_unchecked_into::<web_sys::HtmlInputElement>().value())
    };
    let onchange = move |event: Event| set(event.target_unchecked_into::<web_sys::HtmlSelectElement>().value());
    let both =
        || [("true", words::YES), ("false", words::NO)].map(|(value, label)| (value.to_owned(), label.to_owned()));
    let choices = match &member.kind {
        MemberKind::Choice(choices) => choices.clone(),
        MemberKind::Boolean => both().to_vec(),
        _ => Vec::new(),
    };
    let required = member.is_required.then_some("true");
    let control = if choices.is_empty() {
        html! { <input id={id.clone()} class="input" dir="auto" {value} {oninput} aria-required={required} /> }
    } else {
        html! {
            <select id={id.clone()} class="input" {onchange} aria-required={required}>
                <option value="" selected={value.is_empty()}>{ words::CHOOSE }</option>
                { for choices.iter().map(|(name, label)| html! { <option key={name.clone()} value={name.clone()} selected={*name == value}>{ label }</option> }) }
            </select>
        }
    };
    field(member, &id, control)
}

/// A member with its label.
fn field(member: &Member, id: &str, control: Html) -> Html {
    html! {
        <div class="field" key={member.name.clone()}>
            <label for={id.to_owned()}><bdi>{ &member.label }</bdi>
                if member.is_required {
                    <span class="required" title={words::REQUIRED}><span aria-hidden="true">{ " *" }</span><span class="hidden">{ words::REQUIRED }</span></span>
                }
            </label>
            { control }
            if !member.help.is_empty() {
                <p class="hint" dir="auto">{ &member.help }</p>
            }
        </div>
    }
}
