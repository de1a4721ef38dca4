//! Deleting a collection: for ever, so its name is to be typed first.

use common::{Call, endpoints::collections, name::CollectionName, text};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::{
    hooks::{use_client, use_go, use_toasts},
    route::Route,
    toast::ToastEvent,
    ui::{
        field::FieldFrame,
        form::FormErrors,
        icon::{Icon, Shape},
    },
    words,
};

/// Props of [`DeleteCollection`].
#[derive(Properties, PartialEq)]
pub struct DeleteCollectionProps {
    pub name: CollectionName,
    pub count: Option<u64>,
}

/// The form.
#[component]
pub fn DeleteCollection(props: &DeleteCollectionProps) -> Html {
    let (client, toasts, go) = (use_client(), use_toasts(), use_go());
    let typed = use_state(String::new);
    let error = use_state(|| None::<String>);
    let busy = use_state(|| false);
    let is_confirmed = *typed == props.name.as_str();
    let oninput = {
        let typed = typed.clone();
        move |event: InputEvent| typed.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    let onsubmit = {
        let (name, error, busy) = (props.name.clone(), error.clone(), busy.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if !is_confirmed || *busy {
                return;
            }
            busy.set(true);
            let (client, toasts, go) = (client.clone(), toasts.clone(), go.clone());
            let (name, error, busy) = (name.clone(), error.clone(), busy.clone());
            spawn_local(async move {
                match client.send(Call::<collections::Delete>::new((name.clone(),), ())).await {
                    Ok(_) => {
                        toasts.emit(ToastEvent::Said(words::toast::collection_deleted(&text::label(name.as_str()))));
                        go.to(&Route::Collections);
                    }
                    Err(refusal) => {
                        error.set(Some(refusal.to_string()));
                        busy.set(false);
                    }
                }
            });
        }
    };
    html! {
        <form class="form danger" {onsubmit} novalidate=true aria-labelledby="danger-title">
            <h2 id="danger-title">{ words::editor::DANGER }</h2>
            <p>{ words::editor::danger(props.count) }</p>
            <FormErrors errors={error.iter().cloned().collect::<Vec<_>>()} />
            <FieldFrame id="danger-name" label={words::editor::DANGER_CONFIRM} hint={props.name.to_string()}>
                <input
                    id="danger-name"
                    class="input input-code"
                    type="text"
                    value={(*typed).clone()}
                    {oninput}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby="danger-name-hint"
                />
            </FieldFrame>
            <div class="form-actions">
                <button type="submit" class="button button-danger" disabled={!is_confirmed || *busy}>
                    <Icon shape={Shape::Trash} />{ words::editor::DANGER_SUBMIT }
                </button>
            </div>
        </form>
    }
}
