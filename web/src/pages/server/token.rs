//! A token explained: what it says, which key signed it, and what is wrong with it. It goes to this server, which keeps nothing of it, and nowhere
//! else, and with a key that somebody gives not even there; it is in no address.

use std::rc::Rc;

use common::{
    Call,
    endpoints::tokens::{Inspect, InspectedToken},
    inspection::{Claim, Inspection, segments},
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use super::{given_key, tabs};
use crate::{
    hooks::{use_caller, use_client, use_focus},
    route::ServerPage,
    ui::{field::FieldFrame, page::PageHead},
    words::server as words,
};

/// What was asked, and what was answered.
type Asked = Rc<(String, Result<Inspection, String>)>;

/// The page.
#[component]
pub(super) fn TokenPage() -> Html {
    let (client, is_admin) = (use_client(), use_caller().is_admin());
    let (typed, key) = (use_state(String::new), use_state(String::new));
    let asked = use_state(|| None::<Asked>);
    let focus = use_focus(true);
    let ask = {
        let (client, asked) = (client.clone(), asked.clone());
        Callback::from(move |(token, key): (String, String)| {
            let (client, asked) = (client.clone(), asked.clone());
            spawn_local(async move {
                let answer = if key.trim().is_empty() {
                    let body = InspectedToken { token: token.clone() };
                    let reply = client.send(Call::<Inspect>::new((), body)).await;
                    reply.map(|reply| reply.body).map_err(|error| error.to_string())
                } else {
                    given_key::check(&token, &key).await
                };
                asked.set(Some(Rc::new((token, answer))));
            });
        })
    };
    let oninput = {
        let (typed, asked) = (typed.clone(), asked.clone());
        move |event: InputEvent| {
            typed.set(event.target_unchecked_into::<HtmlTextAreaElement>().value());
            asked.set(None);
        }
    };
    let onsubmit = {
        let (ask, typed, key) = (ask.clone(), typed.clone(), key.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let token = typed.trim().to_owned();
            if !token.is_empty() {
                ask.emit((token, (*key).clone()));
            }
        }
    };
    let onkey = {
        let (key, asked) = (key.clone(), asked.clone());
        move |event: InputEvent| {
            key.set(event.target_unchecked_into::<HtmlTextAreaElement>().value());
            asked.set(None);
        }
    };
    let onown = {
        let (client, typed) = (client.clone(), typed.clone());
        move |_: MouseEvent| {
            let (client, typed, ask) = (client.clone(), typed.clone(), ask.clone());
            spawn_local(async move {
                if let Some(token) = client.own_token().await {
                    typed.set(token.clone());
                    ask.emit((token, String::new()));
                }
            });
        }
    };
    let title = if is_admin { words::TITLE } else { words::TOKEN };
    html! {
        <div class="page page-board page-token">
            <PageHead {title} />
            if is_admin {
                { tabs(ServerPage::Token) }
            }
            <form class="form" {onsubmit} novalidate=true>
                <FieldFrame id="token" label={words::PASTE} hint={words::PASTE_HINT}>
                    <textarea ref={focus} id="token" class="input input-area input-code" rows="4" value={(*typed).clone()} {oninput}
                        autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="token-hint token-error" />
                </FieldFrame>
                <FieldFrame id="token-key" label={words::KEY} hint={words::KEY_HINT}>
                    <textarea id="token-key" class="input input-area input-code" rows="2" value={(*key).clone()} oninput={onkey}
                        autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="token-key-hint token-key-error" />
                </FieldFrame>
                <div class="form-actions">
                    <button type="submit" class="button button-primary">{ words::EXPLAIN }</button>
                    <button type="button" class="button" onclick={onown}>{ words::OWN }</button>
                </div>
            </form>
            <div role="status">{ asked.as_deref().map(|asked| said(&asked.1)) }</div>
            if let Some(asked) = &*asked {
                if let Ok(found) = &asked.1 {
                    { explained(&asked.0, found) }
                }
            }
        </div>
    }
}

/// How it stands, in one sentence.
fn said(answer: &Result<Inspection, String>) -> Html {
    match answer {
        Ok(found) => {
            let class = if found.is_good { "notice notice-good" } else { "notice notice-bad" };
            html! { <p {class}>{ &found.said }</p> }
        }
        Err(error) => html! { <p class="notice notice-bad">{ error }</p> },
    }
}

fn explained(token: &str, found: &Inspection) -> Html {
    let [header, payload, signature] = segments(token);
    let signed = match (&found.key, found.is_signed) {
        _ if found.is_by_given_key => words::SIGNED_BY_GIVEN[usize::from(found.is_signed)].to_owned(),
        (Some(key), true) => words::signed_by(&key.algorithm, &key.kid),
        _ => words::NOT_SIGNED.to_owned(),
    };
    html! {
        <div class="panels">
            <section class="panel token-text" aria-labelledby="token-text">
                <header class="panel-head"><h2 id="token-text">{ words::TOKEN }</h2></header>
                <p class="token-parts"><span class="token-header">{ header }</span>{ "." }<span class="token-payload">{ payload }</span>{ "." }<span class="token-signature">{ signature }</span></p>
            </section>
            { part("header", words::HEADER, &found.header_claims()) }
            { part("payload", words::PAYLOAD, &found.payload_claims()) }
            <section class="panel" aria-labelledby="token-signature">
                <header class="panel-head"><h2 id="token-signature" class="token-signature">{ words::SIGNATURE }</h2></header>
                <p>{ signed }</p>
            </section>
        </div>
    }
}

fn part(id: &'static str, name: &'static str, claims: &[Claim]) -> Html {
    let rows = claims.iter().map(|claim| {
        html! {
            <tr key={claim.name.clone()}>
                <th scope="row"><code>{ &claim.name }</code></th>
                <td class={format!("token-{id}")}><code>{ &claim.value }</code></td>
                <td>{ &claim.meaning }</td>
            </tr>
        }
    });
    html! {
        <section class="panel" aria-labelledby={format!("token-{id}")}>
            <header class="panel-head"><h2 id={format!("token-{id}")} class={format!("token-{id}")}>{ name }</h2></header>
            if claims.is_empty() {
                <p class="hint">{ words::UNREADABLE }</p>
            } else {
                <div class="panel-scroll" tabindex="0" role="group" aria-label={name}>
                    <table class="routes facts-table token-claims">
                        <thead class="hidden"><tr><th scope="col">{ words::NAME }</th><th scope="col">{ words::VALUE }</th><th scope="col">{ words::MEANS }</th></tr></thead>
                        <tbody>{ for rows }</tbody>
                    </table>
                </div>
            }
        </section>
    }
}
