//! Draws the messages, takes them away in time, and undoes what a message offers to.

use common::conflict::may_be_undone_later;
use gloo_timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    client::Client,
    keys,
    toast::{Toast, ToastEvent, Toasts, Undo},
    ui::icon::{Shape, icon},
    words,
};

/// Props of [`ToastList`].
#[derive(Properties, PartialEq)]
pub(crate) struct ToastListProps {
    pub(crate) client: Client,
    pub(crate) toasts: UseReducerHandle<Toasts>,
    /// Something was undone: pages load again.
    pub(crate) onchange: Callback<()>,
}

/// The messages, in a corner, read out by screen readers as they come.
#[component]
pub(crate) fn ToastList(props: &ToastListProps) -> Html {
    let latest = props.toasts.undo().map(|toast| toast.id);
    let dispatch = props.toasts.dispatcher();
    let onundo = {
        let (client, dispatch, onchange) = (props.client.clone(), dispatch.clone(), props.onchange.clone());
        Callback::from(move |(id, undo): (u32, Undo)| {
            let (client, dispatch, onchange) = (client.clone(), dispatch.clone(), onchange.clone());
            dispatch.dispatch(ToastEvent::Removed(id));
            spawn_local(async move {
                match (undo.by.0)(client, undo.operation, undo.title.clone()).await {
                    Ok(said) => {
                        onchange.emit(());
                        dispatch.dispatch(ToastEvent::Said(said));
                    }
                    Err(error) if may_be_undone_later(&error) => {
                        dispatch.dispatch(ToastEvent::NotUndone(error.to_string(), undo));
                    }
                    Err(error) => dispatch.dispatch(ToastEvent::Failed(error.to_string())),
                }
            });
        })
    };
    let onremove = Callback::from(move |id| dispatch.dispatch(ToastEvent::Removed(id)));
    html! {
        <div class="toasts" role="status" aria-live="polite">
            { for props.toasts.shown.iter().map(|toast| html! {
                <ToastView
                    key={toast.id}
                    toast={toast.clone()}
                    is_latest={latest == Some(toast.id)}
                    onremove={onremove.clone()}
                    onundo={onundo.clone()}
                />
            }) }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ToastProps {
    toast: Toast,
    /// The key for undo means this one.
    is_latest: bool,
    onremove: Callback<u32>,
    onundo: Callback<(u32, Undo)>,
}

#[component]
fn ToastView(props: &ToastProps) -> Html {
    let ToastProps { toast, is_latest, onremove, onundo } = props;
    let is_held = use_state(|| false);
    {
        let (id, onremove) = (toast.id, onremove.clone());
        let seconds = toast.seconds().filter(|_| !*is_held);
        use_effect_with(seconds, move |seconds| {
            let timer = seconds.map(|seconds| Timeout::new(seconds * 1000, move || onremove.emit(id)));
            move || drop(timer)
        });
    }
    // While it is looked at or reached for, it stays.
    let hold = |held: bool| {
        let is_held = is_held.clone();
        move || is_held.set(held)
    };
    let (enter, leave, focus, blur) = (hold(true), hold(false), hold(true), hold(false));
    let gone = {
        let (id, onremove) = (toast.id, onremove.clone());
        move |_: MouseEvent| onremove.emit(id)
    };
    html! {
        <div
            class={classes!("toast", toast.is_error.then_some("toast-bad"))}
            onmouseenter={move |_| enter()}
            onmouseleave={move |_| leave()}
            onfocusin={move |_| focus()}
            onfocusout={move |_| blur()}
        >
            <p dir="auto">{ &toast.text }</p>
            if let Some(undo) = toast.undo.clone() {
                <button
                    type="button"
                    class="button button-small"
                    data-key={is_latest.then_some(keys::UNDO.name)}
                    onclick={let (id, onundo) = (toast.id, onundo.clone()); move |_| onundo.emit((id, undo.clone()))}
                >
                    { words::toast::UNDO }<kbd>{ keys::UNDO.name }</kbd>
                </button>
            }
            <button type="button" class="button button-quiet button-icon" aria-label={words::CLOSE} onclick={gone}>
                { icon(Shape::Close) }
            </button>
        </div>
    }
}
