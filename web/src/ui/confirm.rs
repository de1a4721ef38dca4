//! Confirmation of what cannot be undone: a question over the page, and a form in which a name is to be typed.

use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::{
    client::Sent,
    hooks::use_focus,
    keys,
    ui::{
        dialog::Dialog,
        field::FieldFrame,
        form::form_errors,
        icon::{Shape, icon},
    },
    words,
};

/// Props of [`Confirm`].
#[derive(Properties, PartialEq)]
pub(crate) struct ConfirmProps {
    pub(crate) title: AttrValue,
    /// What the action means.
    pub(crate) text: AttrValue,
    /// The label of the button.
    pub(crate) submit: AttrValue,
    pub(crate) onconfirm: Callback<()>,
    pub(crate) onclose: Callback<()>,
}

/// A question. Enter says yes, Esc says no.
#[component]
pub(crate) fn Confirm(props: &ConfirmProps) -> Html {
    let focus = use_focus(true);
    html! {
        <Dialog title={props.title.clone()} onclose={props.onclose.clone()}>
            <p>{ &props.text }</p>
            <div class="form-actions">
                <button
                    ref={focus}
                    type="button"
                    class="button button-danger"
                    onclick={props.onconfirm.reform(|_: MouseEvent| ())}
                >{ &props.submit }</button>
                <button type="button" class="button button-quiet" onclick={props.onclose.reform(|_: MouseEvent| ())}>
                    { words::CANCEL }
                </button>
            </div>
        </Dialog>
    }
}

/// Props of [`Danger`].
#[derive(Properties, PartialEq)]
pub(crate) struct DangerProps {
    pub(crate) title: AttrValue,
    /// What is deleted, and what is deleted with it.
    pub(crate) text: AttrValue,
    /// Asks for the name.
    pub(crate) label: AttrValue,
    /// The name of what goes.
    pub(crate) name: AttrValue,
    /// Deletes it, and leads on where that goes well.
    pub(crate) ondelete: Callback<(), Sent>,
}

/// A form that deletes something large, once its name has been typed.
#[component]
pub(crate) fn Danger(props: &DangerProps) -> Html {
    let typed = use_state(String::new);
    let errors = use_state(Vec::new);
    let busy = use_state(|| false);
    let is_confirmed = *typed == *props.name && !*busy;
    let oninput = {
        let typed = typed.clone();
        move |event: InputEvent| typed.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    let onsubmit = {
        let (ondelete, errors) = (props.ondelete.clone(), errors.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if !is_confirmed {
                return;
            }
            busy.set(true);
            let (sent, errors, busy) = (ondelete.emit(()), errors.clone(), busy.clone());
            spawn_local(async move {
                if let Err(error) = sent.await {
                    // Where it is 401, sign-in stands over the page by now.
                    errors.set(if error.status() == 401 { Vec::new() } else { vec![error.to_string()] });
                    busy.set(false);
                }
            });
        }
    };
    html! {
        <form class="form danger" {onsubmit} novalidate=true aria-labelledby="danger-title">
            <h2 id="danger-title">{ &props.title }</h2>
            <p>{ &props.text }</p>
            { form_errors(&errors) }
            <FieldFrame id="danger-name" label={props.label.clone()} hint={props.name.clone()}>
                <input
                    id="danger-name"
                    class="input input-code"
                    type="text"
                    value={(*typed).clone()}
                    {oninput}
                    data-key={keys::DELETE.name}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="danger-name-hint"
                />
            </FieldFrame>
            <div class="form-actions">
                <button type="submit" class="button button-danger" disabled={!is_confirmed}>
                    { icon(Shape::Trash) }{ words::DELETE }
                </button>
            </div>
        </form>
    }
}
