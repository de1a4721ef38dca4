//! The dashboard of who is no admin: their records and allowance, their sessions, the collections that they may see, and what is new in those.

use std::rc::Rc;

use common::{
    Call, CallError,
    dashboard::clock,
    endpoints::{collections, records, sessions, users},
    id::RecordId,
    name::CollectionName,
    people::SessionsQuery,
    query::{ListQuery, Query as _, decode},
    table, text,
};
use futures_util::future::join_all;
use yew::prelude::*;

use super::{panels, plot::bar};
use crate::{
    client::Client,
    hooks::{use_caller, use_load},
    news::{Concern, use_times},
    route::Route,
    ui::{
        link::Link,
        page::PageHead,
        state::{empty, failure, loading},
    },
    words::{account, collections as collection_words, dashboard as words},
};

/// Collections whose newest records are asked for.
const ASKED: usize = 8;
/// Records that are shown.
const SHOWN: usize = 12;

/// The page.
#[component]
pub(super) fn Own() -> Html {
    let caller = use_caller();
    let times = use_times(Some(Concern::All));
    let (list, again) = use_load(times, |client, _| async move {
        Ok(client.send(Call::<collections::List>::new((), ())).await?.body.results)
    });
    let (me, _) =
        use_load(times, |client, _| async move { Ok(client.send(Call::<users::Me>::new((), ())).await?.body) });
    let (sessions, _) = use_load((), |client, ()| async move {
        let query = SessionsQuery::from_pairs(decode("page_size=1")).unwrap_or_default();
        Ok(client.send(Call::<sessions::List>::new((), ()).query(query)).await?.body.count)
    });
    let names: Vec<CollectionName> =
        list.value.iter().flat_map(|list| list.iter().map(|one| one.name.clone())).collect();
    let counted = list.value.as_deref().map_or_else(Vec::new, |list| panels::that_tell_growth(list));
    let (growth, _) = use_load((counted, times), |client, (names, _)| panels::growth(client, names));
    let (newest, _) = use_load((names, times), |client, (names, _)| newest(client, names));
    let usage = me.value.as_deref().and_then(|me| me.usage);
    #[allow(clippy::cast_precision_loss, reason = "a part of a bar")]
    let part = |has: u64, most: Option<u64>| most.map(|most| bar(has as f64 / most.max(1) as f64));
    let body = match (&list.value, list.failure()) {
        (_, Some(error)) => failure(error, &again),
        (None, None) => loading(),
        (Some(list), None) if list.is_empty() => {
            empty(collection_words::EMPTY_TITLE, collection_words::EMPTY_USER, Html::default())
        }
        (Some(list), None) => html! {
            <div class="panels">
                { panels::collections(list, growth.value.as_deref().map_or(&[], Vec::as_slice), &caller) }
                { newest_panel(newest.value.as_ref()) }
            </div>
        },
    };
    html! {
        <div class="page page-board">
            <PageHead title={words::TITLE} description={usage.as_ref().map(account::own_usage).unwrap_or_default()} />
            <h2 class="hidden">{ words::YOURS }</h2>
            <dl class="figures">
                if let Some(usage) = usage {
                    <div class="figure">
                        <dt>{ words::OWN_RECORDS }</dt>
                        <dd class="figure-value">{ text::thousands(usage.records) }{ " " }<small>{ usage.max_records.map(|most| format!("of {}", text::thousands(most))) }</small></dd>
                        <dd class="figure-drawn">{ part(usage.records, usage.max_records) }</dd>
                    </div>
                    <div class="figure">
                        <dt>{ words::OWN_BYTES }</dt>
                        <dd class="figure-value">{ text::bytes(usage.bytes) }{ " " }<small>{ usage.max_bytes.map(|most| format!("of {}", text::bytes(most))) }</small></dd>
                        <dd class="figure-drawn">{ part(usage.bytes, usage.max_bytes) }</dd>
                    </div>
                }
                if let Some(number) = sessions.value.as_deref() {
                    <div class="figure">
                        <dt><Link to={Route::Sessions}>{ words::SESSIONS }</Link></dt>
                        <dd class="figure-value"><small>{ words::sessions(*number) }</small></dd>
                    </div>
                }
            </dl>
            { body }
        </div>
    }
}

/// A record, in what collection and of when.
type New = (String, CollectionName, RecordId, String);

/// The newest records of all these collections.
async fn newest(client: Client, names: Vec<CollectionName>) -> Result<Vec<New>, CallError> {
    let query = ListQuery::from_pairs(decode("ordering=-created_at&page_size=5&named=true")).unwrap_or_default();
    let asked = names.into_iter().take(ASKED).map(|name| {
        let call = Call::<records::List>::new((name.clone(),), ()).query(query.clone());
        let client = client.clone();
        async move { client.send(call).await.map(|reply| (name, reply.body)) }
    });
    let mut all: Vec<New> = Vec::new();
    for (name, page) in join_all(asked).await.into_iter().flatten() {
        all.extend(page.results.iter().filter_map(|record| {
            let at = record.get("created_at")?.as_str()?.to_owned();
            Some((at, name.clone(), record.id()?, table::called(record, &page.names)))
        }));
    }
    all.sort_by(|a, b| b.cmp(a));
    all.truncate(SHOWN);
    Ok(all)
}

fn newest_panel(newest: Option<&Rc<Vec<New>>>) -> Html {
    let rows: Vec<&New> = newest.iter().flat_map(|newest| newest.iter()).collect();
    let lines = rows.iter().map(|(at, name, id, title)| {
        let to = Route::Record { name: name.clone(), id: *id };
        html! {
            <li key={id.to_string()}>
                <time datetime={at.clone()} title={at.clone()}>{ at.get(..10).unwrap_or_default() }{ " " }{ clock(at).get(..5).unwrap_or_default().to_owned() }</time>
                <span><Link {to}><bdi>{ title.clone() }</bdi></Link>{ " " }<small>{ text::label(name.as_str()) }</small></span>
            </li>
        }
    });
    html! {
        <section class="panel" aria-labelledby="panel-records">
            <header class="panel-head"><h2 id="panel-records">{ words::RECORDS }</h2></header>
            if rows.is_empty() {
                <p class="hint">{ words::NO_RECORDS }</p>
            } else {
                <ol class="feed feed-wide">{ for lines }</ol>
            }
        </section>
    }
}
