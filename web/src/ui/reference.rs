//! An input for the id of a record in another collection: the id itself, what it stands for, and a list to choose from.

use common::{
    Call, CallError,
    endpoints::records,
    id::RecordId,
    name::CollectionName,
    page::pages,
    query::{Filter, ListQuery, Lookup},
    table,
};
use gloo_timers::future::TimeoutFuture;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::{
    client::Client,
    hooks::{use_focus, use_load},
    ui::{
        dialog::Dialog,
        state::{failure, loading},
    },
    words,
};

/// Records of a page to choose from.
const ROWS: u64 = 10;

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
        Ok(Some((id, called(client, collection, id).await?)))
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

/// What is looked for: words, and which page of what they find.
type Asked = (String, u64);

/// The records to choose from, found by their words. Arrow keys go from one to the next, and on to the next page.
#[component]
fn Picker(props: &PickerProps) -> Html {
    let asked = use_state(|| (String::new(), 1_u64));
    let at = use_state(|| 0_usize);
    let search_ref = use_focus(true);
    let latest = use_mut_ref(Asked::default);
    latest.borrow_mut().clone_from(&asked);
    let (found, again) = use_load((props.collection.clone(), (*asked).clone()), move |client, (collection, asked)| {
        let latest = latest.clone();
        async move {
            // Typing on makes a question pointless before it is asked.
            TimeoutFuture::new(if asked.0.is_empty() { 0 } else { 150 }).await;
            if *latest.borrow() != asked {
                return Ok(None);
            }
            let query =
                ListQuery { search: asked.0, page: asked.1, page_size: ROWS, named: true, ..ListQuery::default() };
            Ok(Some(client.send(Call::<records::List>::new((collection,), ()).query(query)).await?.body))
        }
    });
    let page = found.value.as_deref().and_then(Option::as_ref);
    let rows: Vec<(RecordId, String)> = page
        .iter()
        .flat_map(|page| &page.results)
        .filter_map(|record| Some((record.id()?, table::called(record, &page?.names))))
        .collect();
    let (count, chosen) = (page.map_or(0, |page| page.count), (*at).min(rows.len().saturating_sub(1)));
    let last = pages(count, ROWS);
    let turn = {
        let (asked, at) = (asked.clone(), at.clone());
        move |to: u64, row: usize| {
            asked.set((asked.0.clone(), to));
            at.set(row);
        }
    };
    let oninput = {
        let (asked, at) = (asked.clone(), at.clone());
        move |event: InputEvent| {
            asked.set((event.target_unchecked_into::<HtmlInputElement>().value(), 1));
            at.set(0);
        }
    };
    let onkeydown = {
        let (at, turn, onchoose, here) = (at.clone(), turn.clone(), props.onchoose.clone(), asked.1);
        let (id, rows) = (rows.get(chosen).map(|(id, _)| *id), rows.len());
        move |event: KeyboardEvent| {
            match event.key().as_str() {
                "ArrowDown" if chosen + 1 < rows => at.set(chosen + 1),
                "ArrowDown" | "PageDown" if here < last => turn(here + 1, 0),
                "ArrowUp" if chosen > 0 => at.set(chosen - 1),
                "ArrowUp" | "PageUp" if here > 1 => turn(here - 1, usize::MAX),
                "ArrowDown" | "ArrowUp" | "PageDown" | "PageUp" => {}
                "Enter" => id.iter().for_each(|id| onchoose.emit(*id)),
                _ => return,
            }
            event.prevent_default();
        }
    };
    let button = |label: &'static str, to: u64, is_there: bool| {
        let turn = turn.clone();
        let onclick = move |_: MouseEvent| turn(to, 0);
        html! { <button type="button" class="button button-quiet button-small" disabled={!is_there} {onclick}>{ label }</button> }
    };
    html! {
        <Dialog title={words::reference::title(&props.collection)} onclose={props.onclose.clone()} focus="#picker-search">
            <input
                ref={search_ref}
                id="picker-search"
                class="input"
                type="text"
                role="combobox"
                dir="auto"
                aria-label={words::reference::SEARCH}
                placeholder={words::reference::SEARCH}
                aria-expanded="true"
                aria-controls="picker-list"
                aria-activedescendant={(!rows.is_empty()).then(|| format!("picker-{chosen}"))}
                value={asked.0.clone()}
                {oninput}
                {onkeydown}
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
            />
            if let Some(error) = found.error.clone() {
                { failure(&error, &again) }
            } else if page.is_some() {
                <ul id="picker-list" class="picker" role="listbox" aria-label={words::reference::title(&props.collection)}>
                    { for rows.iter().enumerate().map(|(i, (id, title))| {
                        let (id, choose) = (*id, props.onchoose.clone());
                        html! {
                            <li key={id.to_string()} id={format!("picker-{i}")} role="option" class="picker-row"
                                aria-selected={(i == chosen).to_string()} onclick={move |_| choose.emit(id)}>
                                <bdi class="picker-label">{ title }</bdi>
                                if *title != id.to_string() {
                                    <code>{ id.to_string() }</code>
                                }
                            </li>
                        }
                    }) }
                </ul>
                <div class="picker-foot">
                    <p class="hint" role="status">{ words::reference::found(asked.1, last, count) }</p>
                    if last > 1 {
                        <span>
                            { button(words::table::PREVIOUS, asked.1.saturating_sub(1), asked.1 > 1) }
                            { button(words::table::NEXT, asked.1 + 1, asked.1 < last) }
                        </span>
                    }
                </div>
            } else {
                { loading() }
            }
        </Dialog>
    }
}

/// What a record is called whose id was typed. Who may not list it may still view it.
async fn called(client: Client, collection: CollectionName, id: RecordId) -> Result<String, CallError> {
    let is_it = Filter { field: "id".to_owned(), lookup: Lookup::Exact, value: id.to_string() };
    let fields = vec!["id".to_owned()];
    let query = ListQuery { filters: vec![is_it], fields, count: false, named: true, ..ListQuery::default() };
    let list = client.send(Call::<records::List>::new((collection.clone(),), ()).query(query)).await;
    if let Ok(reply) = &list
        && let [record] = reply.body.results.as_slice()
    {
        return Ok(table::called(record, &reply.body.names));
    }
    Ok(table::title(&client.send(Call::<records::Get>::new((collection, id), ())).await?.body))
}
