//! The first page: the collections that there are for this user.

use common::{
    Call,
    access::Caller,
    collection::Collection,
    endpoints::{collections, users},
    text,
};
use yew::prelude::*;

use crate::{
    hooks::{use_caller, use_load},
    keys,
    news::{Concern, use_times},
    route::Route,
    table_locations,
    ui::{
        icon::{Shape, icon},
        link::Link,
        page::PageHead,
        state::{empty, failure, loading},
    },
    words,
};

/// The page.
#[component]
pub(crate) fn CollectionsPage() -> Html {
    let caller = use_caller();
    let times = use_times(Some(Concern::All));
    let (list, again) = use_load(times, |client, _| async move {
        Ok(client.send(Call::<collections::List>::new((), ())).await?.body.results)
    });
    let is_admin = caller.is_admin();
    // A user who is not an admin has a quota. Without an answer the page says nothing about it.
    let (usage, _) = use_load((is_admin, times), |client, (is_admin, _)| async move {
        if is_admin { Ok(None) } else { Ok(client.send(Call::<users::Me>::new((), ())).await?.body.usage) }
    });
    let usage = usage.value.as_deref().and_then(Option::as_ref).map(words::account::own_usage);
    let new = || {
        html! {
            <>
                <Link to={Route::NewFromFile} class="button button-quiet" shortcut={keys::IMPORT}>{ words::collections::FROM_FILE }</Link>
                <Link to={Route::NewCollection} class="button button-primary" shortcut={keys::NEW}>
                    { icon(Shape::Plus) }{ words::collections::NEW }
                </Link>
            </>
        }
    };
    let is_empty = list.value.as_deref().is_some_and(Vec::is_empty);
    let body = match (&list.value, list.failure()) {
        (_, Some(error)) => failure(error, &again),
        (None, None) => loading(),
        (Some(_), None) if is_empty => {
            let text = if is_admin { words::collections::EMPTY_ADMIN } else { words::collections::EMPTY_USER };
            empty(words::collections::EMPTY_TITLE, text, if is_admin { new() } else { Html::default() })
        }
        (Some(list), None) => html! { <ul class="collections">{ for list.iter().map(|one| row(one, &caller)) }</ul> },
    };
    html! {
        <div class="page">
            <PageHead title={words::collections::TITLE} description={usage.unwrap_or_default()}>if is_admin && !is_empty { { new() } }</PageHead>
            { body }
        </div>
    }
}

fn row(collection: &Collection, caller: &Caller) -> Html {
    let name = collection.name.clone();
    let description = text::single_line(&collection.description).into_owned();
    let size = collection.count.map(words::collections::records);
    let fields = words::collections::fields(collection.fields.len());
    let (to, query) = table_locations::table(&name);
    html! {
        <li key={name.to_string()} class="collection">
            <div class="collection-text">
                <Link {to} {query} row=true class="collection-name">{ text::label(name.as_str()) }</Link>
                if !description.is_empty() {
                    <p dir="auto">{ description }</p>
                }
            </div>
            <p class="collection-size">
                if let Some(size) = size {
                    <span>{ size }</span>
                }
                <span>{ fields }</span>
            </p>
            if caller.is_admin() {
                <Link
                    to={Route::EditCollection { name: name.clone() }}
                    class="button button-quiet button-icon"
                    label={words::collections::edit(name.as_str())}
                    title={words::EDIT}
                >{ icon(Shape::Pencil) }</Link>
            }
        </li>
    }
}
