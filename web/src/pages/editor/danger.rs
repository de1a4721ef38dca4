//! Deleting a collection. Its name has to be typed first.

use common::{Call, collection::Collection, endpoints::collections, text};
use futures_util::future::FutureExt;
use yew::prelude::*;

use crate::{client::Client, hooks::Go, route::Route, toast::ToastEvent, ui::confirm::Danger, undo::done, words};

/// The form.
pub(crate) fn delete_collection(
    collection: &Collection,
    client: &Client,
    toasts: &Callback<ToastEvent>,
    go: &Go,
) -> Html {
    let (name, client, toasts, go) = (collection.name.clone(), client.clone(), toasts.clone(), go.clone());
    let ondelete = move |()| {
        let (name, client, toasts, go) = (name.clone(), client.clone(), toasts.clone(), go.clone());
        async move {
            let label = text::label(name.as_str());
            let said = words::toast::collection_deleted(&label);
            let reply = client.send(Call::<collections::Delete>::new((name,), ())).await?;
            toasts.emit(done(said, reply.operation, label));
            go.to(&Route::Collections);
            Ok(())
        }
        .boxed_local()
    };
    html! {
        <Danger
            title={words::editor::DANGER}
            text={words::editor::danger(collection.count)}
            label={words::editor::DANGER_CONFIRM}
            name={collection.name.to_string()}
            {ondelete}
        />
    }
}
