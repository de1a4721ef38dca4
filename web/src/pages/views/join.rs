//! Joining another collection to a table: each row keeps its place, and shows the rows of the other side that match it.

use std::rc::Rc;

use common::{
    Call,
    collection::Collection,
    endpoints::collections,
    query::{JoinWith, ListQuery},
    table::{join_fields, likely_join},
    text,
};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::{
    hooks::use_load,
    ui::{
        icon::{Shape, icon},
        state::{failure, loading},
    },
    words,
};

/// Props of [`JoinMenu`].
#[derive(Properties, PartialEq)]
pub(super) struct JoinMenuProps {
    pub(super) collection: Rc<Collection>,
    pub(super) query: ListQuery,
    pub(super) ongo: Callback<ListQuery>,
}

/// The joins that there are, each with a way to take it off, and a form for another.
#[component]
pub(super) fn JoinMenu(props: &JoinMenuProps) -> Html {
    let JoinMenuProps { collection, query, .. } = props;
    let (others, again) = use_load(collection.name.clone(), |client, own| async move {
        let page = client.send(Call::<collections::List>::new((), ())).await?.body;
        Ok(page.results.into_iter().filter(|other| other.name != own).collect::<Vec<_>>())
    });
    let wanted = use_state(|| None::<JoinWith>);
    let form = match (&others.value, &others.error) {
        (Some(others), _) if others.is_empty() => html! { <p>{ words::join::NONE }</p> },
        (Some(others), _) => {
            let first = others.iter().find(|other| query.left_join.iter().all(|join| join.collection != other.name));
            let join = (*wanted).clone().or_else(|| first.map(|other| likely_join(collection, other)));
            match join {
                Some(join) => join_form(props, others, &join, &wanted),
                None => html! { <p>{ words::join::ALL }</p> },
            }
        }
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    };
    html! {
        <>
            <p>{ words::join::LEAD }</p>
            { form }
        </>
    }
}

/// The joins that a table has, each with a way to take it off; nothing where it has none.
pub(super) fn joins(query: &ListQuery, ongo: &Callback<ListQuery>) -> Html {
    if query.left_join.is_empty() {
        return Html::default();
    }
    let joined = query.left_join.iter().enumerate().map(|(i, join)| {
        let (mut next, ongo) = (query.clone(), ongo.clone());
        next.left_join.remove(i);
        let take_off = move |_: MouseEvent| ongo.emit(next.clone());
        html! {
            <li key={i}>
                <span>{ words::join::said(join) }</span>
                <button type="button" class="button button-quiet button-icon" aria-label={words::join::remove(join)} title={words::join::remove(join)} onclick={take_off}>
                    { icon(Shape::Close) }
                </button>
            </li>
        }
    });
    html! { <ul class="joins" aria-label={words::join::ON}>{ for joined }</ul> }
}

fn join_form(
    props: &JoinMenuProps,
    others: &[Collection],
    join: &JoinWith,
    wanted: &UseStateHandle<Option<JoinWith>>,
) -> Html {
    let other = others.iter().find(|other| other.name == join.collection);
    let select = |id: &'static str,
                  label: &'static str,
                  value: &str,
                  choices: Vec<String>,
                  onchoose: Callback<String>| {
        html! {
            <label class="join-part" for={id}>
                <span>{ label }</span>
                <select {id} class="input input-select" onchange={onchoose.reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value())}>
                    { for choices.into_iter().map(|name| html! {
                        <option key={name.clone()} value={name.clone()} selected={name == value}>{ text::label(&name) }</option>
                    }) }
                </select>
            </label>
        }
    };
    let onother = {
        let (own, others, wanted) = (props.collection.clone(), others.to_vec(), wanted.clone());
        Callback::from(move |name: String| {
            wanted.set(others.iter().find(|other| other.name.as_str() == name).map(|other| likely_join(&own, other)));
        })
    };
    let set = |change: fn(&mut JoinWith, String)| {
        let (join, wanted) = (join.clone(), wanted.clone());
        Callback::from(move |name: String| {
            let mut next = join.clone();
            change(&mut next, name);
            wanted.set(Some(next));
        })
    };
    let add = {
        let (query, ongo, join, wanted) = (props.query.clone(), props.ongo.clone(), join.clone(), wanted.clone());
        move |_: MouseEvent| {
            let mut next = query.clone();
            next.left_join.retain(|known| known.collection != join.collection);
            next.left_join.push(join.clone());
            wanted.set(None);
            ongo.emit(next);
        }
    };
    let collections = others.iter().map(|other| other.name.to_string()).collect();
    html! {
        <div class="join-form">
            { select("join-collection", words::join::COLLECTION, join.collection.as_str(), collections, onother) }
            { select("join-field", words::join::FIELD, &join.field, join_fields(&props.collection), set(|join, name| join.field = name)) }
            { select("join-their-field", words::join::THEIR_FIELD, &join.their_field, other.map(join_fields).unwrap_or_default(), set(|join, name| join.their_field = name)) }
            <button type="button" class="button button-primary" onclick={add}>{ words::join::ADD }</button>
        </div>
    }
}
