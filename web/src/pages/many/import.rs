//! A file of records on its way in: chosen, looked at, checked without writing, sent. The address keeps the operation, so that a page that is loaded
//! again goes on showing how far it is.

use std::rc::Rc;

use common::{
    Call, CallError, Reply,
    access::{Action, Decision},
    collection::Collection,
    endpoints::{collections, operations, records},
    id::OperationId,
    import::{
        Import, ImportQuery, OnError,
        preview::{HEAD, Preview, preview, unknown_headings},
    },
    many::refusal,
    operation::OperationState,
    query::encode,
    text,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, DragEvent, File, HtmlInputElement};
use yew::prelude::*;

use super::{
    faults::faults,
    file, going_on,
    options::{Options, skipping},
    preview::PreviewTable,
    progress::Progress,
};
use crate::{
    client::Client,
    hooks::{use_caller, use_client, use_go, use_load, use_query, use_toasts, use_user},
    pages::records::{NameProps, collections_breadcrumb},
    route::{Route, parameter},
    table_locations,
    toast::ToastEvent,
    ui::{
        form::form_errors,
        icon::{Shape, icon},
        link::Link,
        page::PageHead,
        state::{failure, loading},
    },
    undo::done,
    words::many as words,
};

/// The page.
#[component]
pub(crate) fn ImportPage(props: &NameProps) -> Html {
    let (caller, query, user, go) = (use_caller(), use_query(), use_user(), use_go());
    let (collection, again) = use_load(props.name.clone(), |client, name| async move {
        Ok(client.send(Call::<collections::Get>::new((name,), ())).await?.body)
    });
    let operation = parameter(&query, "operation").and_then(|id| id.parse::<OperationId>().ok());
    // One that goes on is shown, and the address says so from then on.
    let kept = if operation.is_none() { user.and_then(|user| going_on::kept(user.id, &props.name)) } else { None };
    use_effect_with((kept, props.name.clone()), move |(kept, name)| {
        if let Some(kept) = kept {
            go.replace(&(Route::Import { name: name.clone() }, address(*kept)));
        }
    });
    let operation = operation.or(kept);
    let body = match (&collection.value, &collection.error) {
        (Some(collection), _) if collection.access.decide(Action::Create, &caller) == Decision::Denied => {
            html! { <p class="notice">{ words::FORBIDDEN }</p> }
        }
        (Some(collection), _) => match operation {
            Some(operation) => html! { <Progress collection={collection.clone()} {operation} /> },
            None => html! { <ImportForm collection={collection.clone()} file={None} query={ImportQuery::default()} /> },
        },
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    };
    let label = text::label(props.name.as_str());
    let above = vec![collections_breadcrumb(), (label.clone().into(), table_locations::table(&props.name))];
    html! {
        <div class="page">
            <PageHead title={words::import_title(&label)} {above} />
            { body }
        </div>
    }
}

/// Props of [`ImportForm`].
#[derive(Properties, PartialEq)]
pub(super) struct FormProps {
    pub(super) collection: Rc<Collection>,
    /// The file that was chosen before, and how it is read.
    pub(super) file: Option<File>,
    pub(super) query: ImportQuery,
}

/// What is known of the chosen file.
#[derive(Clone, Default)]
struct Checked {
    shown: Preview,
    /// Headings that name no field: they are left out until they are mapped.
    unknown: Vec<String>,
    outcome: Option<Result<Import, CallError>>,
}

/// Has the server read a file without writing.
async fn look(client: &Client, collection: &Collection, query: ImportQuery, file: &Blob) -> Result<Import, CallError> {
    let call = Call::<records::Import>::new((collection.name.clone(),), ()).query(query);
    Ok(client.upload(call, file, None).await?.body)
}

/// Sends a file under its key. Says whether it came before: then nothing was done now, and what is given is how that import stands.
async fn send(
    client: &Client,
    collection: &Collection,
    query: ImportQuery,
    file: &Blob,
    after: Option<String>,
) -> Result<(Import, bool), CallError> {
    let call = Call::<records::Import>::new((collection.name.clone(),), ()).query(query);
    let unreadable = || CallError::Unreachable(words::FILE_GONE.to_owned());
    let key = file::key(file, &call.path_and_query(), after.as_deref()).await.ok_or_else(unreadable)?;
    let Reply { body: mut import, is_again, .. } = client.upload(call, file, Some(key)).await?;
    if is_again
        && let Some(id) = import.operation.filter(|_| !import.state.is_over())
        && let Some(now) = client.send(Call::<operations::Get>::new((id,), ())).await?.body.import
    {
        import = *now;
    }
    Ok((import, is_again))
}

/// The query string of the page of an import that goes on.
fn address(operation: OperationId) -> String {
    encode(&[("operation".to_owned(), operation.to_string())])
}

/// Has the server read the file without writing, and reads its first rows here, as the server said that it is written.
async fn check(client: &Client, collection: &Collection, query: &ImportQuery, file: &File) -> Checked {
    // All faults are told, whatever becomes of their rows.
    let mut query = ImportQuery { dry_run: true, on_error: OnError::Skip, ..query.clone() };
    let mut outcome = look(client, collection, query.clone(), file).await;
    let unknown = outcome.as_ref().err().map(unknown_headings).unwrap_or_default();
    if !unknown.is_empty() {
        query.map.extend(unknown.iter().map(|heading| (heading.clone(), None)));
        outcome = look(client, collection, query.clone(), file).await;
    }
    let read = outcome.as_ref().ok().map(|import| &import.read);
    let encoding = read.map_or("utf-8", |read| read.encoding.as_str());
    let head = match file::head(file, HEAD) {
        Some(head) => file::bytes(&head).await.and_then(|bytes| file::text(&bytes, encoding)).unwrap_or_default(),
        None => String::new(),
    };
    let shown = preview(collection, &query.map, read, &head, file.size() > f64::from(HEAD));
    Checked { shown, unknown, outcome: Some(outcome) }
}

/// A file on its way into a collection.
#[component]
pub(super) fn ImportForm(props: &FormProps) -> Html {
    let collection = &props.collection;
    let (client, go, toasts) = (use_client(), use_go(), use_toasts());
    let user = use_user().map(|user| user.id);
    let file = use_state(|| props.file.clone());
    let query = use_state(|| props.query.clone());
    let checked = use_state(Checked::default);
    let busy = use_state(|| false);
    let result = use_state(|| None::<Import>);
    // When it was imported before, where the server said so.
    let before = use_state(|| None::<String>);
    // Whenever the file or how it is read is another, it is checked anew; only the last answer is told.
    let asked = use_mut_ref(|| 0_u32);
    use_effect_with(((*query).clone(), (*file).clone()), {
        let (client, collection, checked, before) =
            (client.clone(), collection.clone(), checked.clone(), before.clone());
        move |(query, file)| {
            let (query, file) = (query.clone(), file.clone());
            before.set(None);
            *asked.borrow_mut() += 1;
            let number = *asked.borrow();
            checked.set(Checked { outcome: None, ..(*checked).clone() });
            if let Some(file) = file {
                spawn_local(async move {
                    let found = check(&client, &collection, &query, &file).await;
                    if *asked.borrow() == number {
                        checked.set(found);
                    }
                });
            }
        }
    });
    let onfile = {
        let (file, query, result, checked) = (file.clone(), query.clone(), result.clone(), checked.clone());
        Callback::from(move |chosen: File| {
            query.set(ImportQuery::default());
            result.set(None);
            checked.set(Checked::default());
            file.set(Some(chosen));
        })
    };
    let onchange = {
        let query = query.clone();
        Callback::from(move |next: ImportQuery| query.set(next))
    };
    let onmap = {
        let query = query.clone();
        Callback::from(move |(heading, member): (String, Option<String>)| {
            let mut next = (*query).clone();
            next.map.retain(|(known, _)| *known != heading);
            next.map.push((heading, member));
            query.set(next);
        })
    };
    let submit = {
        let (client, collection, file, query, busy, result, toasts, checked, before) = (
            client.clone(),
            collection.clone(),
            file.clone(),
            query.clone(),
            busy.clone(),
            result.clone(),
            toasts.clone(),
            checked.clone(),
            before.clone(),
        );
        move |event: SubmitEvent| {
            event.prevent_default();
            let Some(file) = (*file).clone() else { return };
            let mut query = (*query).clone();
            query.map.extend(checked.unknown.iter().map(|heading| (heading.clone(), None)));
            let (client, collection, busy, result, toasts, go, before) = (
                client.clone(),
                collection.clone(),
                busy.clone(),
                result.clone(),
                toasts.clone(),
                go.clone(),
                before.clone(),
            );
            busy.set(true);
            spawn_local(async move {
                match send(&client, &collection, query, &file, (*before).clone()).await {
                    Ok((import, true)) if import.state.is_over() => before.set(Some(import.started_at)),
                    Ok((import, _)) if import.state == OperationState::Done => {
                        let label = text::label(collection.name.as_str());
                        toasts.emit(done(words::counted(&import), import.operation, words::import_title(&label)));
                        result.set(Some(import));
                    }
                    Ok((import, _)) => {
                        if let (Some(id), Some(user)) = (import.operation, user) {
                            going_on::keep(user, &collection.name, id);
                        }
                        let query = import.operation.map(address).unwrap_or_default();
                        go.replace(&(Route::Import { name: collection.name.clone() }, query));
                    }
                    Err(error) => toasts.emit(ToastEvent::Failed(error.to_string())),
                }
                busy.set(false);
            });
        }
    };
    if let Some(import) = &*result {
        return finished(collection, import, &client, &toasts, &result);
    }
    let Some(chosen) = &*file else {
        return html! { <DropZone {onfile} /> };
    };
    let outcome = checked.outcome.as_ref();
    let (import, error) = (outcome.and_then(|it| it.as_ref().ok()), outcome.and_then(|it| it.as_ref().err()));
    let good = import.map_or(0, |import| import.rows - import.rejected.min(import.rows));
    let is_faulty = import.is_some_and(|import| import.rejected > 0) && query.on_error == OnError::Abort;
    html! {
        <form class="form import" onsubmit={submit} novalidate=true>
            <div class="import-file">
                <p><b><bdi>{ chosen.name() }</bdi></b>{ " " }<span class="hint">{ words::size(chosen.size()) }{ import.map(|import| format!(" · {}", words::read_as(import))) }</span></p>
                <label class="button button-small">{ words::OTHER_FILE }{ picker(&onfile, "drop-input") }</label>
            </div>
            { form_errors(&error.map(refusal).unwrap_or_default()) }
            if !checked.shown.columns.is_empty() && !checked.shown.rows.is_empty() {
                <PreviewTable collection={collection.clone()} shown={checked.shown.clone()} {onmap} />
            }
            <Options collection={collection.clone()} query={(*query).clone()} onchange={onchange.clone()} />
            <div role="status">
                if outcome.is_none() {
                    <p class="hint">{ words::CHECKING }</p>
                }
                if let Some(import) = import {
                    <div class={if import.rejected > 0 { "notice notice-warn" } else { "notice" }}>
                        <p class="notice-title">{ words::counted(import) }</p>
                        if is_faulty {
                            <p>{ words::FAULTY }</p>
                        }
                    </div>
                }
            </div>
            { import.map(faults).unwrap_or_default() }
            if import.is_some_and(|import| import.rejected > 0) {
                { skipping(&query, &onchange) }
            }
            if let Some(at) = &*before {
                <div class="notice notice-warn" role="status">
                    <p class="notice-title">{ words::imported_before(at) }</p>
                    <p>{ words::ONCE_MORE }</p>
                </div>
            }
            <div class="form-actions">
                <button type="submit" class="button button-primary" disabled={*busy || is_faulty || good == 0}>
                    { if *busy { words::SENDING.to_owned() } else { words::import_button(good, before.is_some()) } }
                </button>
            </div>
        </form>
    }
}

/// What a file that went in at once came to.
fn finished(
    collection: &Rc<Collection>,
    import: &Import,
    client: &Client,
    toasts: &Callback<ToastEvent>,
    result: &UseStateHandle<Option<Import>>,
) -> Html {
    let (to, query) = table_locations::table(&collection.name);
    let another = {
        let result = result.clone();
        move |_: MouseEvent| result.set(None)
    };
    let fetch = import.operation.filter(|_| import.rejected > 0).map(|operation| {
        let (client, toasts, name) = (client.clone(), toasts.clone(), format!("{}.rejected.csv", collection.name));
        let onclick = move |_: MouseEvent| file::fetch_rejected(&client, &toasts, operation, &name);
        html! { <button type="button" class="button" {onclick}>{ words::REJECTED }</button> }
    });
    html! {
        <>
            <div class="notice" role="status">
                <p class="notice-title">{ words::DONE }</p>
                <p>{ words::counted(import) }</p>
                <div class="notice-actions">
                    <Link {to} {query} class="button button-primary">{ words::TO_TABLE }</Link>
                    { fetch }
                    <button type="button" class="button" onclick={another}>{ words::ANOTHER }</button>
                </div>
            </div>
            { faults(import) }
        </>
    }
}

pub(super) fn picker(onfile: &Callback<File>, class: &'static str) -> Html {
    let onfile = onfile.clone();
    let onchange = move |event: Event| {
        let input: HtmlInputElement = event.target_unchecked_into();
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            onfile.emit(file);
        }
        // The same file, mended, can be chosen again.
        input.set_value("");
    };
    html! { <input id="import-file" type="file" {class} accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson" aria-label={words::FILE} {onchange} /> }
}

/// Props of [`DropZone`].
#[derive(Properties, PartialEq)]
pub(super) struct DropProps {
    pub(super) onfile: Callback<File>,
}

/// Where a file is dropped, or chosen.
#[component]
pub(super) fn DropZone(props: &DropProps) -> Html {
    let onfile = &props.onfile;
    // A file is held over it.
    let is_over = use_state(|| false);
    let over = |now: bool| {
        let is_over = is_over.clone();
        move |event: DragEvent| {
            event.prevent_default();
            is_over.set(now);
        }
    };
    let ondrop = {
        let (onfile, is_over) = (onfile.clone(), is_over.clone());
        move |event: DragEvent| {
            event.prevent_default();
            is_over.set(false);
            if let Some(file) = event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0)) {
                onfile.emit(file);
            }
        }
    };
    html! {
        <label class={classes!("empty", "drop", is_over.then_some("drop-over"))} ondragover={over(true)} ondragleave={over(false)} {ondrop}>
            { icon(Shape::Up) }
            <span class="empty-title">{ words::DROP }</span>
            <span>{ words::DROP_HINT }</span>
            { picker(onfile, "drop-input") }
        </label>
    }
}
