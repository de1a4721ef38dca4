//! An input for the id of a record in another collection: the id itself, what it stands for, and a list to choose from.

use common::{Call, endpoints::records, id::RecordId, name::CollectionName, query::ListQuery, table};
use gloo_timers::future::TimeoutFuture;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::{
    hooks::{use_focus, use_load},
    ui::{
        dialog::Dialog,
        state::{failure, loading},
    },
    words,
};

/// Props of [`ReferenceInput`].
#[derive(Properties, PartialEq)]
pub(crate) struct ReferenceInputProps {
    pub(crate) id: AttrValue,
    pub(crate) name: AttrValue,
    pub(crate) value: AttrValue,
    pub(crate) collection: CollectionName,
    pub(crate) described_by: AttrValue,
    pub(crate) invalid: bool,
    pub(crate) onedit: Callback<String>,
    pub(crate) node: NodeRef,
}

/// An input for the id of a record.
#[component]
pub(crate) fn ReferenceInput(props: &ReferenceInputProps) -> Html {
    let is_open = use_state(|| false);
    let referred = (props.collection.clone(), props.value.trim().parse::<RecordId>().ok());
    let (label, _) = use_load(referred, |client, (collection, id)| async move {
        let Some(id) = id else { return Ok(None) };
        let reply = client.send(Call::<records::Get>::new((collection, id), ())).await?;
        Ok(Some((id, table::title(&reply.body))))
    });
    // An earlier record's words do not stand beside a new id.
    let shown = label.value.as_deref().cloned().flatten().filter(|(id, _)| id.to_string() == props.value.trim());
    let oninput = props.onedit.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    let open = {
        let is_open = is_open.clone();
        move |_: MouseEvent| is_open.set(true)
    };
    let onclose = {
        let is_open = is_open.clone();
        Callback::from(move |()| is_open.set(false))
    };
    let onchoose = {
        let (is_open, onedit) = (is_open.clone(), props.onedit.clone());
        Callback::from(move |id: RecordId| {
            is_open.set(false);
            onedit.emit(id.to_string());
        })
    };
    html! {
        <>
            <div class="with-button">
                <input
                    ref={props.node.clone()}
                    class="input input-code"
                    id={props.id.clone()}
                    name={props.name.clone()}
                    type="text"
                    value={props.value.clone()}
                    {oninput}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby={props.described_by.clone()}
                    aria-invalid={props.invalid.then_some("true")}
                />
                <button type="button" class="button button-quiet button-small" onclick={open} aria-haspopup="dialog">{ words::reference::CHOOSE }</button>
            </div>
            if let Some((_, label)) = shown {
                <p class="reference-label"><bdi>{ label }</bdi></p>
            }
            if *is_open {
                <Picker collection={props.collection.clone()} {onclose} {onchoose} />
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
struct PickerProps {
    collection: CollectionName,
    onclose: Callback<()>,
    onchoose: Callback<RecordId>,
}

/// The records to choose from, found by their words.
#[component]
fn Picker(props: &PickerProps) -> Html {
    let search = use_state(String::new);
    let search_ref = use_focus(true);
    let asked = (props.collection.clone(), (*search).clone());
    let latest = use_mut_ref(String::new);
    latest.borrow_mut().clone_from(&search);
    let (found, again) = use_load(asked, move |client, (collection, search)| {
        let latest = latest.clone();
        async move {
            // Typing on makes a question pointless before it is asked.
            TimeoutFuture::new(if search.is_empty() { 0 } else { 150 }).await;
            if *latest.borrow() != search {
                return Ok(None);
            }
            let query = ListQuery { search, page_size: 12, ..ListQuery::default() };
            Ok(Some(client.send(Call::<records::List>::new((collection,), ()).query(query)).await?.body))
        }
    });
    let oninput = {
        let search = search.clone();
        move |event: InputEvent| search.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    let onkeydown = |event: KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
        }
    };
    let page = found.value.as_deref().and_then(Option::as_ref);
    html! {
        <Dialog title={words::reference::title(&props.collection)} onclose={props.onclose.clone()}>
            <label class="hidden" for="picker-search">{ words::reference::SEARCH }</label>
            <input
                ref={search_ref}
                id="picker-search"
                class="input"
                type="search"
                dir="auto"
                placeholder={words::reference::SEARCH}
                value={(*search).clone()}
                {oninput}
                {onkeydown}
                autocomplete="off"
            />
            if let Some(error) = found.error.clone() {
                { failure(&error, &again) }
            } else if let Some(page) = page {
                <ul class="picker">
                    { for page.results.iter().filter_map(|record| {
                        let (id, choose) = (record.id()?, props.onchoose.clone());
                        Some(html! {
                            <li key={id.to_string()}>
                                <button type="button" class="picker-row" onclick={move |_| choose.emit(id)}>
                                    <bdi class="picker-label">{ table::title(record) }</bdi>
                                    <code>{ id.to_string() }</code>
                                </button>
                            </li>
                        })
                    }) }
                </ul>
                <p class="hint" role="status">{ words::reference::found(page.results.len() as u64, page.count) }</p>
            } else {
                { loading() }
            }
        </Dialog>
    }
}
