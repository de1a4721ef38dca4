//! The newest lines of the server's log, followed for as long as the page is seen.

use std::{cell::Cell, rc::Rc};

use common::{
    Call, CallError,
    dashboard::LogTail,
    endpoints::log::{self, LEVELS, LogLevel, LogLine, SetLevel},
};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlSelectElement};
use yew::prelude::*;

use super::tabs;
use crate::{
    client::{Client, now},
    hooks::{use_client, use_frame, use_toasts},
    route::ServerPage,
    toast::ToastEvent,
    ui::{page::PageHead, state::loading},
    words::server as words,
};

/// Milliseconds that an answer is shown before the next is asked for, over a fast line.
const REFRESH: u64 = 2000;
/// How much longer than the last answer took that is at least.
const REST: u64 = 4;
/// How long it is at most.
const LONGEST: u64 = 30_000;
/// How often it is looked whether somebody looks.
const UNSEEN: u32 = 500;

/// What was told.
#[derive(Default)]
struct Followed {
    tail: LogTail,
    silent: Option<CallError>,
    is_told: bool,
}

/// The page.
#[component]
pub(super) fn LogPage() -> Html {
    let frame = use_frame();
    let (client, toasts) = (use_client(), use_toasts());
    let followed = use_state(|| Rc::new(Followed::default()));
    let least = use_state(|| LogLevel::Trace);
    let follows = use_state(|| true);
    let setter = followed.setter();
    use_effect_with(frame.session.epoch, move |_| {
        let is_there = Rc::new(Cell::new(true));
        spawn_local(follow(frame.client, setter, is_there.clone()));
        move || is_there.set(false)
    });
    let mut tail = followed.tail.clone();
    tail.least = *least;
    let list = use_node_ref();
    {
        let (list, follows) = (list.clone(), *follows);
        // The newest lines are at the end, and stay in sight.
        use_effect_with((tail.next().after, *least), move |_| {
            if let Some(list) = list.cast::<Element>().filter(|_| follows) {
                list.set_scroll_top(list.scroll_height());
            }
        });
    }
    let onscroll = {
        let (list, follows) = (list.clone(), follows.clone());
        move |_: Event| {
            if let Some(list) = list.cast::<Element>() {
                let is_at_end = list.scroll_top() + list.client_height() + 24 >= list.scroll_height();
                if *follows != is_at_end {
                    follows.set(is_at_end);
                }
            }
        }
    };
    let onleast = {
        let least = least.clone();
        move |event: Event| {
            if let Ok(level) = event.target_unchecked_into::<HtmlSelectElement>().value().parse() {
                least.set(level);
            }
        }
    };
    let onlevel = move |event: Event| {
        let Ok(level) = event.target_unchecked_into::<HtmlSelectElement>().value().parse() else { return };
        let (client, toasts) = (client.clone(), toasts.clone());
        spawn_local(async move {
            toasts.emit(match client.send(Call::<log::Set>::new((), SetLevel { level })).await {
                Ok(_) => ToastEvent::Said(words::level_set(level)),
                Err(error) => ToastEvent::Failed(error.to_string()),
            });
        });
    };
    let told = tail.told.clone().unwrap_or_default();
    let is_word = LEVELS.iter().any(|level| level.as_str() == told);
    let options = |chosen: &str, name: fn(LogLevel) -> &'static str| {
        let chosen = chosen.to_owned();
        LEVELS
            .iter()
            .rev()
            .map(move |level| {
                let word = level.as_str();
                html! { <option key={word} value={word} selected={word == chosen}>{ name(*level) }</option> }
            })
            .collect::<Html>()
    };
    let shown = tail.shown().count();
    let is_old = followed.silent.is_some();
    html! {
        <div class="page page-board page-log">
            <PageHead title={words::TITLE} description={words::lines(shown, tail.len())} />
            { tabs(ServerPage::Log) }
            <div class="log-controls">
                <label class="check" for="log-least">{ words::LEAST }
                    <select id="log-least" class="input input-select input-small" onchange={onleast}>{ options(least.as_str(), words::and_worse) }</select>
                </label>
                <label class="check" for="log-level">{ words::TELLS }
                    <select id="log-level" class="input input-select input-small" onchange={onlevel} disabled={!followed.is_told}>
                        if !is_word { <option value="" selected=true>{ told.clone() }</option> }
                        { options(&told, words::level) }
                    </select>
                </label>
                <span class="hint" role="status">{ if *follows { words::FOLLOWS } else { words::STANDS } }</span>
            </div>
            if let Some(error) = &followed.silent {
                <p class="notice notice-warn" role="status">{ crate::words::dashboard::silent(&error.to_string()) }</p>
            }
            if !followed.is_told && !is_old {
                { loading() }
            } else if shown == 0 {
                <p class="hint">{ words::NO_LINES }</p>
            }
            <ol ref={list} class={classes!("log", is_old.then_some("panel-old"))} tabindex="0" aria-label={words::LOG} {onscroll}>
                { for tail.shown().map(line) }
            </ol>
        </div>
    }
}

fn line(line: &LogLine) -> Html {
    let class = match line.level {
        LogLevel::Error => "log-level log-error",
        LogLevel::Warn => "log-level log-warn",
        _ => "log-level",
    };
    html! {
        <li key={line.number}>
            <time datetime={line.at.clone()} title={line.at.clone()}>{ line.clock() }</time>
            <span {class}>{ line.level.as_str() }</span>
            <code>{ line.shown() }</code>
        </li>
    }
}

async fn follow(client: Client, show: UseStateSetter<Rc<Followed>>, is_there: Rc<Cell<bool>>) {
    let mut tail = LogTail::default();
    let mut is_told = false;
    while is_there.get() {
        let is_hidden =
            web_sys::window().and_then(|window| window.document()).is_some_and(|document| document.hidden());
        if is_hidden {
            TimeoutFuture::new(UNSEEN).await;
            continue;
        }
        let began = now();
        let answer = client.send(Call::<log::Lines>::new((), ()).query(tail.next())).await;
        let silent = match answer {
            Ok(reply) => {
                tail.take(reply.body);
                is_told = true;
                None
            }
            // Signing in again begins anew.
            Err(error) if error.status() == 401 => return,
            Err(error) => Some(error),
        };
        if !is_there.get() {
            return;
        }
        show.set(Rc::new(Followed { tail: tail.clone(), silent, is_told }));
        let pause = ((now() - began.min(now())) * REST).clamp(REFRESH, LONGEST);
        TimeoutFuture::new(u32::try_from(pause).unwrap_or(UNSEEN)).await;
    }
}
