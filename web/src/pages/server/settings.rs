//! The settings as they are in force, the keys that sign tokens, and a backup.

use common::{
    Call,
    endpoints::{
        backup,
        keys::{self, KeyState, Keys},
        settings::{self, Setting, Settings, Source},
    },
    text,
};
use futures_util::future::try_join;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::tabs;
use crate::{
    hooks::{use_client, use_load, use_toasts},
    route::ServerPage,
    toast::ToastEvent,
    ui::{
        download::save,
        page::PageHead,
        state::{failure, loading},
    },
    words::server as words,
};

/// The page.
#[component]
pub(super) fn SettingsPage() -> Html {
    let (known, again) = use_load((), |client, ()| async move {
        let settings = client.send(Call::<settings::List>::new((), ()));
        let keys = client.send(Call::<keys::List>::new((), ()));
        let (settings, keys) = try_join(settings, keys).await?;
        Ok((settings.body, keys.body))
    });
    let body = match (&known.value, known.failure()) {
        (_, Some(error)) => failure(error, &again),
        (None, None) => loading(),
        (Some(known), None) => html! {
            <div class="panels panels-server">
                <div class="panels-stack">
                    { keys_panel(&known.1) }
                    <Backup />
                </div>
                { settings_panel(&known.0) }
            </div>
        },
    };
    html! {
        <div class="page page-board">
            <PageHead title={words::TITLE} description={known.value.as_ref().map(|known| words::version(&known.0.version)).unwrap_or_default()} />
            { tabs(ServerPage::Settings) }
            { body }
        </div>
    }
}

fn keys_panel(keys: &Keys) -> Html {
    let rows = keys.results.iter().map(|key| {
        let class = if key.state == KeyState::Active { "tag tag-good" } else { "tag" };
        html! {
            <tr key={key.kid.clone()}>
                <th scope="row"><code>{ &key.kid }</code></th>
                <td>{ &key.algorithm }{ key.is_public.then_some(words::PUBLIC) }</td>
                <td><span {class}>{ key.state.said() }</span></td>
                <td><time datetime={key.created_at.clone()}>{ key.created_at.get(..10).unwrap_or_default().to_owned() }</time></td>
            </tr>
        }
    });
    html! {
        <section class="panel" aria-labelledby="panel-keys">
            <header class="panel-head"><h2 id="panel-keys">{ words::KEYS }</h2></header>
            <div class="panel-scroll" tabindex="0" role="group" aria-label={words::KEYS}>
                <table class="routes facts-table">
                    <thead><tr>
                        <th scope="col">{ words::KID }</th><th scope="col">{ words::ALGORITHM }</th>
                        <th scope="col">{ words::STATE }</th><th scope="col">{ words::SINCE }</th>
                    </tr></thead>
                    <tbody>{ for rows }</tbody>
                </table>
            </div>
            if keys.are_given {
                <p class="hint">{ words::KEYS_GIVEN }</p>
            } else {
                <p class="hint">{ words::KEYS_CHANGE }</p>
                <pre tabindex="0"><code>{ words::KEYS_COMMANDS }</code></pre>
            }
        </section>
    }
}

/// What somebody has said stands first.
fn settings_panel(settings: &Settings) -> Html {
    let (said, others): (Vec<&Setting>, Vec<&Setting>) =
        settings.results.iter().partition(|one| one.from != Source::Default);
    let row = |one: &Setting| {
        let value = match (&one.value, one.is_hidden) {
            (_, true) => html! { <em>{ words::HIDDEN }</em> },
            (Some(value), _) => html! { <code>{ text::single_line(value).into_owned() }</code> },
            (None, _) => html! { <em>{ words::NOT_SET }</em> },
        };
        let class = if one.from == Source::Default { "" } else { "tag tag-good" };
        html! {
            <tr key={one.name.clone()}>
                <th scope="row"><code>{ &one.name }</code></th>
                <td>{ value }</td>
                <td><span {class}>{ one.from.said() }</span></td>
            </tr>
        }
    };
    html! {
        <section class="panel" aria-labelledby="panel-settings">
            <header class="panel-head"><h2 id="panel-settings">{ words::SETTINGS_IN_FORCE }</h2></header>
            <div class="panel-scroll" tabindex="0" role="group" aria-label={words::SETTINGS_IN_FORCE}>
                <table class="routes facts-table">
                    <thead><tr>
                        <th scope="col">{ words::NAME }</th><th scope="col">{ words::VALUE }</th><th scope="col">{ words::FROM }</th>
                    </tr></thead>
                    <tbody>{ for said.into_iter().chain(others).map(row) }</tbody>
                </table>
            </div>
            <p class="hint">{ words::SETTINGS_HINT }</p>
        </section>
    }
}

/// A backup, and how it is put back.
#[component]
fn Backup() -> Html {
    let (client, toasts) = (use_client(), use_toasts());
    let busy = use_state(|| false);
    let onclick = {
        let busy = busy.clone();
        move |_: MouseEvent| {
            let (client, toasts, busy) = (client.clone(), toasts.clone(), busy.clone());
            busy.set(true);
            spawn_local(async move {
                match client.download(&Call::<backup::Get>::new((), ())).await {
                    Ok(blob) => {
                        let today = js_sys::Date::new_0().to_iso_string().as_string().unwrap_or_default();
                        let moment: String = today.chars().take(16).filter(char::is_ascii_alphanumeric).collect();
                        save(&blob, &format!("coffer-{moment}.backup"));
                    }
                    Err(error) => toasts.emit(ToastEvent::Failed(error.to_string())),
                }
                busy.set(false);
            });
        }
    };
    html! {
        <section class="panel" aria-labelledby="panel-backup">
            <header class="panel-head"><h2 id="panel-backup">{ words::BACKUP }</h2></header>
            <p class="hint">{ words::BACKUP_TEXT }</p>
            <div class="form-actions">
                <button type="button" class="button" disabled={*busy} {onclick}>{ words::BACKUP_NOW }</button>
                <span class="hint" role="status">{ if *busy { words::BACKING_UP } else { "" } }</span>
            </div>
            <pre tabindex="0"><code>{ words::RESTORE }</code></pre>
        </section>
    }
}
