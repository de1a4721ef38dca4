//! What stands below the plots: collections, changes, requests by route, work in the background.

use common::{
    Call, CallError,
    access::Caller,
    collection::{Collection, Ids},
    dashboard::{Feed, History, Traffic, bars, clock, number},
    endpoints::records,
    metrics::Requests,
    name::CollectionName,
    operation::{Operation, OperationState},
    query::{ListQuery, Query as _, decode},
    text,
};
use futures_util::future::join_all;
use yew::prelude::*;

use super::plot::bar;
use crate::{
    client::{Client, now},
    route::{Route, ServerPage},
    table_locations,
    ui::link::Link,
    words::{self as all_words, dashboard as words, server as server_words},
};

/// Collections whose growth is asked for.
const ASKED: usize = 12;
/// A day in milliseconds.
const DAY: u64 = 86_400_000;
/// Routes that are shown.
const ROUTES: usize = 10;
/// Failures and slow lists that are shown.
const NOTABLE: usize = 8;
/// Changes that are shown.
const CHANGES: usize = 14;

/// The collections whose ids tell when a record was made; numbers do not.
pub(super) fn that_tell_growth(list: &[Collection]) -> Vec<CollectionName> {
    list.iter().filter(|one| one.ids == Ids::Uuid).map(|one| one.name.clone()).collect()
}

/// How many records each of these collections got in the last day.
pub(super) async fn growth(
    client: Client,
    names: Vec<CollectionName>,
) -> Result<Vec<(CollectionName, u64)>, CallError> {
    // Ids rise with the time of creation, so counting from one on reads no record.
    let since = now().saturating_sub(DAY);
    let id = format!("{:08x}-{:04x}-7000-8000-000000000000", since >> 16, since & 0xffff);
    let query = format!("id__gte={id}&page_size=1&fields=id");
    let query = ListQuery::from_pairs(decode(&query)).unwrap_or_default();
    let asked = names.into_iter().take(ASKED).map(|name| {
        let call = Call::<records::List>::new((name.clone(),), ()).query(query.clone());
        let client = client.clone();
        async move { client.send(call).await.map(|reply| (name, reply.body.count)) }
    });
    // Where one may not be counted, the others are told.
    Ok(join_all(asked).await.into_iter().flatten().collect())
}

/// The collections, the largest first.
pub(super) fn collections(list: &[Collection], growth: &[(CollectionName, u64)], caller: &Caller) -> Html {
    let rows = bars(list, |one| one.count.unwrap_or(0)).into_iter().map(|row| {
        let one = row.of;
        let grown = growth.iter().find(|(name, _)| *name == one.name).map(|(_, number)| *number).filter(|n| *n > 0);
        let (to, query) = table_locations::table(&one.name);
        html! {
            <li key={one.name.to_string()} class="stock">
                <Link {to} {query} row=true class="stock-name"><bdi>{ text::label(one.name.as_str()) }</bdi></Link>
                <span class="stock-grown">{ grown.map(words::grown) }</span>
                <span class="stock-count">{ one.count.map_or_else(|| all_words::NOT_SAID.to_owned(), text::thousands) }</span>
                { bar(row.part) }
            </li>
        }
    });
    html! {
        <section class="panel" aria-labelledby="panel-collections">
            <header class="panel-head">
                <h2 id="panel-collections">{ words::COLLECTIONS }</h2>
                <Link to={Route::Collections}>{ if caller.is_admin() { words::ALL_COLLECTIONS } else { words::COLLECTIONS } }</Link>
            </header>
            <ul class="stocks">{ for rows }</ul>
        </section>
    }
}

/// The newest changes.
pub(super) fn changes(feed: &Feed, is_silent: bool) -> Html {
    let lines: Vec<_> = feed.lines().take(CHANGES).collect();
    let rows = lines.iter().map(|(entry, text)| {
        html! {
            <li key={format!("{}{text}", entry.at)}>
                <time datetime={entry.at.clone()} title={entry.at.clone()}>{ clock(&entry.at) }</time>
                <span><bdi>{ text }</bdi></span>
            </li>
        }
    });
    html! {
        <section class={classes!("panel", is_silent.then_some("panel-old"))} aria-labelledby="panel-changes">
            <header class="panel-head"><h2 id="panel-changes">{ words::CHANGES }</h2><Link to={Route::Changes}>{ words::ALL_CHANGES }</Link></header>
            if lines.is_empty() {
                <p class="hint">{ words::NO_CHANGES }</p>
            } else {
                <ol class="feed">{ for rows }</ol>
            }
        </section>
    }
}

/// Requests that failed, and lists that took long.
pub(super) fn notable(history: &History, is_silent: bool) -> Html {
    let all = history.notable();
    let rows = all.iter().take(NOTABLE).map(|one| {
        let class = if one.has_failed { "some-failed" } else { "some-refused" };
        html! {
            <li key={format!("{}{}", one.at, one.text)}>
                <time datetime={one.at.clone()} title={one.at.clone()}>{ one.clock() }</time>
                <span class="notable">
                    <b {class}><bdi>{ &one.text }</bdi></b>
                    <small>{ &one.advice }{ one.request_id.as_ref().map(|id| html! { <>{ " " }<code>{ server_words::request(id) }</code></> }) }</small>
                </span>
            </li>
        }
    });
    html! {
        <section class={classes!("panel", is_silent.then_some("panel-old"))} aria-labelledby="panel-notable">
            <header class="panel-head">
                <h2 id="panel-notable">{ server_words::NOTABLE }</h2>
                <Link to={Route::Server { page: ServerPage::Log }}>{ server_words::LOG }</Link>
            </header>
            if all.is_empty() {
                <p class="hint">{ server_words::NOTHING_NOTABLE }</p>
            } else {
                <ol class="feed" tabindex="0" aria-label={server_words::NOTABLE}>{ for rows }</ol>
            }
        </section>
    }
}

/// Requests by route.
pub(super) fn routes(traffic: Option<&Traffic>, earlier: Option<&(Traffic, f64)>) -> Html {
    let routes = traffic.map(|traffic| traffic.routes(earlier.map(|(before, _)| before), ROUTES)).unwrap_or_default();
    let seconds = earlier.map_or(1.0, |(_, seconds)| *seconds);
    let milliseconds = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), number);
    #[allow(clippy::cast_precision_loss, reason = "requests of a few seconds")]
    let rows = routes.iter().map(|route| {
        let Requests { client_error, server_error, .. } = route.requests;
        let now = earlier.map_or_else(|| "–".to_owned(), |_| format!("{}/s", number(route.new as f64 / seconds)));
        html! {
            <tr key={format!("{} {}", route.method, route.path)}>
                <th scope="row"><b>{ &route.method }</b>{ " " }<code>{ &route.path }</code></th>
                <td>{ now }</td>
                <td>{ text::thousands(route.requests.total()) }</td>
                <td class={(client_error > 0).then_some("some-refused")}>{ text::thousands(client_error) }</td>
                <td class={(server_error > 0).then_some("some-failed")}>{ text::thousands(server_error) }</td>
                <td>{ milliseconds(route.p50_ms) }</td>
                <td>{ milliseconds(route.p99_ms) }</td>
            </tr>
        }
    });
    html! {
        <section class="panel" aria-labelledby="panel-routes">
            <header class="panel-head"><h2 id="panel-routes">{ words::ROUTES }</h2></header>
            if routes.is_empty() {
                <p class="hint">{ words::NO_ROUTES }</p>
            } else {
                <div class="panel-scroll" tabindex="0" role="group" aria-label={words::ROUTE}>
                    <table class="routes">
                        <thead><tr>
                            <th scope="col">{ words::ROUTE }</th><th scope="col">{ words::NOW }</th><th scope="col">{ words::REQUESTS }</th>
                            <th scope="col">{ "4xx" }</th><th scope="col">{ "5xx" }</th><th scope="col">{ "p50, ms" }</th><th scope="col">{ "p99, ms" }</th>
                        </tr></thead>
                        <tbody>{ for rows }</tbody>
                    </table>
                </div>
            }
        </section>
    }
}

/// Work in the background, the newest first.
pub(super) fn work(operations: Option<&[Operation]>) -> Html {
    let operations = operations.unwrap_or_default();
    let rows = operations.iter().map(|one| {
        #[allow(clippy::cast_precision_loss, reason = "a part of a bar")]
        let part = one.of.map_or(0.0, |of| one.done as f64 / of.max(1) as f64);
        let class = match one.state {
            OperationState::Running => "tag tag-good",
            OperationState::Failed | OperationState::Stopping => "tag tag-warn",
            _ => "tag",
        };
        html! {
            <li key={one.id.to_string()} class="stock">
                <span class="stock-name">{ words::work(one.kind) }{ " " }<span {class}>{ words::stands(one.state) }</span></span>
                <span class="stock-grown">{ clock(&one.started_at) }</span>
                <span class="stock-count">{ words::progress(one.done, one.of) }</span>
                if !one.state.is_over() {
                    { bar(part) }
                }
                if let Some(error) = &one.error {
                    <span class="stock-note" dir="auto">{ error }</span>
                }
            </li>
        }
    });
    html! {
        <section class="panel" aria-labelledby="panel-work">
            <header class="panel-head"><h2 id="panel-work">{ words::WORK }</h2></header>
            if operations.is_empty() {
                <p class="hint">{ words::NO_WORK }</p>
            } else {
                <ul class="stocks">{ for rows }</ul>
            }
        </section>
    }
}
