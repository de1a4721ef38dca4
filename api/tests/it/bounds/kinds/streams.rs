//! Answers that are made while they are sent, and what is left alone of them.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{status, tally};
use crate::{bounds::peaks::World, support::path};

const LINES: (&str, &str) = ("accept", "application/x-ndjson");

/// Many who ask for all rows, one a line, and take none.
pub(super) async fn lines_left_alone(world: &World) -> String {
    let taken = open(world, "/api/records/large/?fields=text,more,n", LINES).await;
    overwrite(world).await;
    sleep(world.how.left_alone).await;
    tally(taken.iter().map(|answer| answer.status().as_u16()))
}

/// All rows in an order that no index has.
pub(super) async fn lines_in_order(world: &World) -> String {
    let ask = || async {
        let request = world.admin.request(Method::GET, "/api/records/small/?ordering=text").header(LINES.0, LINES.1);
        match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                answer.bytes().await.map_or(0, |_| status)
            }
            Err(_) => 0,
        }
    };
    tally(join_all((0..world.how.callers).map(|_| ask())).await)
}

/// Streams that nobody reads on, while large records are written.
pub(super) async fn events_left_alone(world: &World) -> String {
    events(world, "/api/events/?collection=large").await
}

/// The same of streams that begin with all records.
pub(super) async fn events_with_a_snapshot(world: &World) -> String {
    events(world, "/api/events/?snapshot=true").await
}

/// The same of streams that begin with everything that ever happened.
pub(super) async fn events_of_the_past(world: &World) -> String {
    events(world, "/api/events/?since=0").await
}

async fn events(world: &World, path: &str) -> String {
    let taken = open(world, path, ("accept", "text/event-stream")).await;
    let statuses = tally(taken.iter().map(|answer| answer.status().as_u16()));
    overwrite(world).await;
    sleep(world.how.left_alone).await;
    // One that is read meanwhile is told of the rest, or that it was too slow.
    let Some(mut read) = taken.into_iter().find(|answer| answer.status() == 200) else { return statuses };
    let mut bytes = 0;
    while let Ok(Ok(Some(piece))) = timeout(Duration::from_millis(500), read.chunk()).await {
        bytes += piece.len();
    }
    format!("{statuses}, one read {} MB", bytes / 1_000_000)
}

/// Answers of which the head came.
async fn open(world: &World, path: &str, (name, value): (&str, &str)) -> Vec<Response> {
    let of = |n: usize| if n.is_multiple_of(2) { &world.admin } else { &world.other };
    let ask = |n| timeout(Duration::from_secs(20), of(n).request(Method::GET, path).header(name, value).send());
    join_all((0..world.how.callers).map(ask)).await.into_iter().flatten().flatten().collect()
}

/// Writes every large record anew.
async fn overwrite(world: &World) {
    let page = world.admin.request(Method::GET, "/api/records/large/?limit=200&fields=id").send().await;
    let Ok(page) = page else { return };
    let page: Value = serde_json::from_slice(&page.bytes().await.unwrap_or_default()).unwrap_or_default();
    for row in page["results"].as_array().into_iter().flatten() {
        let body = json!({"text": "q".repeat(100_000)}).to_string();
        status(&world.admin, Method::PATCH, &path("large", row), Some(body)).await;
    }
}
