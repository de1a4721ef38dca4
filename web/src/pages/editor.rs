//! The collection editor: what a collection is called, what its records hold, who may use them. What is typed is read by
//! `common` with the server's own code, so that faults stand at their place before anything is sent.

mod access;
mod danger;
mod draft;
mod field;
mod form;

use std::rc::Rc;

use common::{Call, collection::Collection, endpoints::collections, name::CollectionName, text};
use yew::prelude::*;

use self::form::EditorForm;
use crate::{
    hooks::{use_caller, use_client, use_go, use_load, use_toasts},
    pages::records::{NameProps, collections_breadcrumb},
    route::Location,
    table_locations,
    ui::{
        page::PageHead,
        state::{failure, loading},
    },
    words,
};

/// The page of a collection to be.
#[component]
pub(crate) fn NewCollectionPage() -> Html {
    let is_admin = use_caller().is_admin();
    html! {
        <div class="page page-editor">
            <PageHead title={words::editor::NEW} above={vec![collections_breadcrumb()]} />
            if is_admin {
                <EditorForm onreload={Callback::noop()} />
            } else {
                <p class="notice">{ words::editor::NO_ADMIN }</p>
            }
        </div>
    }
}

/// The page of a collection.
#[component]
pub(crate) fn EditCollectionPage(props: &NameProps) -> Html {
    let (client, toasts, go) = (use_client(), use_toasts(), use_go());
    let is_admin = use_caller().is_admin();
    let (collection, again) = use_load(props.name.clone(), |client, name| async move {
        Ok(client.send(Call::<collections::Get>::new((name,), ())).await?.body)
    });
    // Shown anew on request only: what is typed does not go away because somebody signed in again.
    let wanted = use_mut_ref(|| 1);
    let shown = use_mut_ref(|| None::<(u32, Rc<Collection>)>);
    if let Some(fresh) = collection.value.as_ref().filter(|_| !collection.busy && collection.run >= *wanted.borrow()) {
        *wanted.borrow_mut() = u32::MAX;
        *shown.borrow_mut() = Some((collection.run, fresh.clone()));
    }
    let onreload = {
        let (again, wanted, run) = (again.clone(), wanted.clone(), collection.run);
        Callback::from(move |()| {
            *wanted.borrow_mut() = run + 1;
            again.emit(());
        })
    };
    let collection_shown = shown.borrow().clone();
    let body = match (collection_shown, &collection.error) {
        _ if !is_admin => html! { <p class="notice">{ words::editor::NO_ADMIN }</p> },
        (Some((run, collection)), _) => html! {
            <>
                <EditorForm key={run} collection={collection.clone()} {onreload} />
                { danger::delete_collection(&collection, &client, &toasts, &go) }
            </>
        },
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    };
    let label = text::label(props.name.as_str());
    html! {
        <div class="page page-editor">
            <PageHead title={words::editor::title(&label)} above={above(&props.name, &label)} />
            { body }
        </div>
    }
}

fn above(name: &CollectionName, label: &str) -> Vec<(AttrValue, Location)> {
    vec![collections_breadcrumb(), (label.to_owned().into(), table_locations::table(name))]
}
