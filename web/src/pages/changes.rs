//! Changes to look through: a record's versions, what was deleted, and the journal, each with what it did word by word, and a way back.

use std::rc::Rc;

use common::{
    Call, CallError,
    activity::{Ask, ChangeList, Source, did, when},
    change::{Change, ChangeQuery, Changes, Verb},
    diff::{Fate, FieldDiff, Piece},
    endpoints::{changes, collections, records, users},
    id::{RecordId, Revision},
    name::CollectionName,
    query::encode,
    text::label,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::{
    client::Client,
    hooks::{use_caller, use_client, use_frame, use_go, use_query, use_toasts, use_user},
    pages::records::collections_breadcrumb,
    route::{Location, Route, parameter},
    table_locations,
    toast::ToastEvent,
    ui::{
        page::PageHead,
        state::{failure, loading},
    },
    words::changes as words,
};

/// What the journal can be narrowed to.
const KINDS: [Verb; 6] = [Verb::Create, Verb::Update, Verb::Delete, Verb::Restore, Verb::SignIn, Verb::SignInRefused];

/// What an address asks for.
fn source_of(query: &str) -> Source {
    let collection = || parameter(query, "collection").and_then(|name| name.parse::<CollectionName>().ok());
    let record = parameter(query, "record").and_then(|id| id.parse::<RecordId>().ok());
    match (collection(), record, parameter(query, "trash")) {
        (Some(name), Some(id), _) => Source::History(name, id),
        (Some(name), None, Some(_)) => Source::Trash(name),
        (collection, _, _) => {
            let action =
                parameter(query, "action").and_then(|word| KINDS.into_iter().find(|kind| kind.as_str() == word));
            Source::Activity(ChangeQuery { collection, action, ..ChangeQuery::default() })
        }
    }
}

/// What was read, and how asking goes.
struct Read {
    list: ChangeList,
    error: Option<CallError>,
    is_busy: bool,
}

/// The page.
#[component]
pub(crate) fn ChangesPage() -> Html {
    let query = use_query();
    let source = source_of(&query);
    html! { <List key={query} source={Shown(source)} /> }
}

#[derive(Debug, Clone, PartialEq)]
struct Shown(Source);

#[derive(Properties, PartialEq)]
struct ListProps {
    source: Shown,
}

#[component]
fn List(props: &ListProps) -> Html {
    let source = &props.source.0;
    let frame = use_frame();
    let (client, toasts, go) = (use_client(), use_toasts(), use_go());
    let (is_admin, user) = (use_caller().is_admin(), use_user());
    let read = use_state(|| Rc::new(Read { list: ChangeList::new(source.clone()), error: None, is_busy: true }));
    let more = {
        let (client, setter) = (client.clone(), read.setter());
        Callback::from(move |mut list: ChangeList| {
            let (client, setter) = (client.clone(), setter.clone());
            setter.set(Rc::new(Read { list: list.clone(), error: None, is_busy: true }));
            spawn_local(async move {
                let error = fill(&client, &mut list, is_admin).await.err();
                setter.set(Rc::new(Read { list, error, is_busy: false }));
            });
        })
    };
    {
        let (more, source) = (more.clone(), source.clone());
        use_effect_with((frame.session.epoch, frame.changes), move |_| {
            let mut list = ChangeList::new(source);
            if let Some(user) = user {
                list.know(user.id, Some(user.username.to_string()));
            }
            more.emit(list);
        });
    }
    let onrestore = {
        let (client, toasts, more, list) = (client, toasts, more.clone(), read.list.clone());
        Callback::from(move |(name, id, revision): (CollectionName, RecordId, Revision)| {
            let (client, toasts, more, mut list) = (client.clone(), toasts.clone(), more.clone(), list.clone());
            spawn_local(async move {
                match client.send(Call::<records::Restore>::new((name, id, revision), ())).await {
                    Ok(_) => {
                        toasts.emit(ToastEvent::Said(words::PUT_BACK.to_owned()));
                        list.restart();
                        more.emit(list);
                    }
                    Err(error) => toasts.emit(ToastEvent::Failed(error.to_string())),
                }
            });
        })
    };
    let list = &read.list;
    let again = {
        let (more, list) = (more.clone(), list.clone());
        Callback::from(move |()| more.emit(list.clone()))
    };
    let onmore = again.reform(|_: MouseEvent| ());
    let (title, lead, above) = heading(source);
    let narrow = match source {
        Source::Activity(query) => kinds(query, go),
        _ => Html::default(),
    };
    html! {
        <div class="page page-table">
            <PageHead {title} description={lead} {above}>{ narrow }</PageHead>
            if let Some(error) = &read.error {
                { failure(error, &again) }
            }
            if list.rows.is_empty() && read.is_busy {
                { loading() }
            } else if list.rows.is_empty() && read.error.is_none() && !list.has_more() {
                <p class="hint" role="status">{ words::none(source) }</p>
            }
            <ol class="change-list">{ for list.rows.iter().map(|change| row(list, change, &onrestore)) }</ol>
            if list.has_more() && !list.rows.is_empty() {
                <div class="form-actions"><button type="button" class="button" disabled={read.is_busy} onclick={onmore}>{ words::OLDER }</button></div>
            }
        </div>
    }
}

fn heading(source: &Source) -> (String, &'static str, Vec<(AttrValue, Location)>) {
    let table = |name: &CollectionName| (AttrValue::from(label(name.as_str())), table_locations::table(name));
    match source {
        Source::History(name, id) => {
            let record = (Route::Record { name: name.clone(), id: *id }, String::new());
            let above = vec![collections_breadcrumb(), table(name), (words::RECORD.into(), record)];
            (words::HISTORY.to_owned(), words::HISTORY_LEAD, above)
        }
        Source::Trash(name) => {
            (words::TRASH.to_owned(), words::TRASH_LEAD, vec![collections_breadcrumb(), table(name)])
        }
        Source::Activity(_) => (words::ACTIVITY.to_owned(), words::ACTIVITY_LEAD, Vec::new()),
    }
}

/// The choice of what the journal is narrowed to; it is in the address.
fn kinds(query: &ChangeQuery, go: crate::hooks::Go) -> Html {
    let collection = query.collection.clone();
    let onchange = move |event: Event| {
        let word = event.target_unchecked_into::<HtmlSelectElement>().value();
        let action = (!word.is_empty()).then(|| ("action".to_owned(), word));
        let collection = collection.as_ref().map(|name| ("collection".to_owned(), name.to_string()));
        let pairs: Vec<_> = collection.into_iter().chain(action).collect();
        go.replace(&(Route::Changes, encode(&pairs)));
    };
    html! {
        <label class="check" for="changes-kind">{ words::KIND }
            <select id="changes-kind" class="input input-select input-small" {onchange}>
                <option value="" selected={query.action.is_none()}>{ words::ALL }</option>
                { for KINDS.into_iter().map(|kind| html! {
                    <option key={kind.as_str()} value={kind.as_str()} selected={query.action == Some(kind)}>{ did(kind) }</option>
                }) }
            </select>
        </label>
    }
}

fn row(list: &ChangeList, change: &Change, onrestore: &Callback<(CollectionName, RecordId, Revision)>) -> Html {
    let restore = list.restorable(change).map(|target| {
        let onclick = onrestore.reform(move |_: MouseEvent| target.clone());
        let label = words::put_back(&list.what(change));
        html! { <button type="button" class="button button-small" aria-label={label} {onclick}>{ words::PUT_BACK_BUTTON }</button> }
    });
    let fields = list.diff(change);
    html! {
        <li key={format!("{} {}", change.revision, change.id)} class="change">
            <div class="change-head">
                <time datetime={change.at.clone()}>{ when(change) }</time>
                <span><b><bdi>{ list.who(change) }</bdi></b>{ " " }{ did(change.action) }{ " " }<bdi>{ list.what(change) }</bdi></span>
                { restore }
            </div>
            if !fields.is_empty() {
                <dl class="diff">{ for fields.iter().map(field) }</dl>
            }
        </li>
    }
}

fn field(diff: &FieldDiff) -> Html {
    let piece = |Piece { fate, text }: &Piece| match fate {
        Fate::Same => html! { <span>{ text }</span> },
        Fate::Gone => html! { <del>{ text }</del> },
        Fate::New => html! { <ins>{ text }</ins> },
    };
    html! {
        <div key={diff.field.clone()}>
            <dt>{ label(&diff.field) }</dt>
            <dd dir="auto">{ for diff.pieces.iter().map(piece) }</dd>
        </div>
    }
}

/// Reads what comes next, and names.
async fn fill(client: &Client, list: &mut ChangeList, asks_names: bool) -> Result<(), CallError> {
    let Some(ask) = list.ask() else { return Ok(()) };
    let told: Changes = match ask {
        Ask::History(name, id, query) => {
            client.send(Call::<records::History>::new((name, id), ()).query(query)).await?.body
        }
        Ask::Trash(name, query) => client.send(Call::<records::Trash>::new((name,), ()).query(query)).await?.body,
        Ask::Activity(query) => client.send(Call::<changes::List>::new((), ()).query(query)).await?.body,
    };
    list.take(told);
    let told = match &list.source {
        Source::History(name, _) | Source::Trash(name) => {
            client.send(Call::<collections::Get>::new((name.clone(),), ())).await.map(|reply| vec![reply.body])
        }
        Source::Activity(_) => {
            client.send(Call::<collections::List>::new((), ())).await.map(|reply| reply.body.results)
        }
    };
    // Without names ids are shown.
    for (name, query) in told.map(|known| list.unnamed(&known)).unwrap_or_default() {
        let call = Call::<records::List>::new((name.clone(),), ()).query(query);
        if let Ok(reply) = client.send(call).await {
            list.know_records(&name, reply.body.names);
        }
    }
    if asks_names {
        for user in list.unknown() {
            let name = client.send(Call::<users::Get>::new((user,), ())).await.ok();
            list.know(user, name.map(|reply| reply.body.username.to_string()));
        }
    }
    Ok(())
}
