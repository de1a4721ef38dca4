//! Deleting a collection: for ever, so its name is to be typed first.

use common::{Call, endpoints::collections, name::CollectionName, text};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    hooks::{use_client, use_go, use_toasts},
    route::Route,
    toast::ToastEvent,
    ui::confirm::Danger,
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
    let error = use_state(|| None::<String>);
    let busy = use_state(|| false);
    let onconfirm = {
        let (name, error, busy) = (props.name.clone(), error.clone(), busy.clone());
        Callback::from(move |()| {
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
        })
    };
    html! {
        <Danger
            title={words::editor::DANGER}
            text={words::editor::danger(props.count)}
            label={words::editor::DANGER_CONFIRM}
            name={props.name.to_string()}
            error={(*error).clone()}
            busy={*busy}
            {onconfirm}
        />
    }
}
