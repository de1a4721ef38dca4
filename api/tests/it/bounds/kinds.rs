//! What is asked of the server whose memory is watched.

mod beside;
mod gathered;
mod streams;
mod wide;

use std::{
    collections::BTreeMap,
    pin::Pin,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::peaks::World;
use crate::{
    server::http2::{HEADERS, PREFACE, SETTINGS, WINDOW_UPDATE, frame},
    support::{Client, path},
};

/// Asks, and says what came.
pub(super) type Kind = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = String> + 'a>>;

const LARGE: &str = "/api/records/large/?limit=200";

/// All of them, by name.
pub(super) fn all() -> Vec<(&'static str, Kind)> {
    vec![
        ("HTTP/2, no window, 200 large records", |world| Box::pin(one_connection(world, LARGE, 0))),
        ("HTTP/1.1, answers left alone", |world| Box::pin(left_alone(world, LARGE, world.how.callers))),
        ("refused arrays of 4 MB", |world| Box::pin(refused_arrays(world))),
        ("accepted arrays of 8 MB", |world| Box::pin(arrays(world))),
        ("arrays of small numbers in one value", |world| Box::pin(small_values(world))),
        ("deletions that many refer to", |world| Box::pin(deletions(world))),
        ("histories", |world| Box::pin(histories(world))),
        ("histories by HTTP/2, wide windows", |world| Box::pin(gathered::histories_in_one_connection(world))),
        ("histories left alone by many", |world| Box::pin(gathered::histories_left_alone(world))),
        ("the journal", |world| Box::pin(many(world, "/api/changes/"))),
        ("sorted by what has no index", |world| Box::pin(many(world, "/api/records/large/?ordering=more&limit=200"))),
        ("joined", |world| Box::pin(many(world, "/api/records/large/?left_join=large:n=n&limit=200"))),
        ("expanded", |world| Box::pin(many(world, "/api/records/refers/?expand=of&limit=200"))),
        ("lists of references expanded", |world| Box::pin(gathered::lists(world))),
        ("one list of references expanded", |world| Box::pin(gathered::one_list(world))),
        ("filtered through lists of references", |world| Box::pin(gathered::filtered(world))),
        ("exported with lists of references", |world| Box::pin(gathered::exported(world))),
        ("grouped through lists of references", |world| Box::pin(gathered::grouped(world))),
        ("imports of large rows", |world| Box::pin(gathered::imports(world))),
        ("searched", |world| Box::pin(many(world, "/api/records/small/?text__contains=zz"))),
        ("patterns in definitions", |world| Box::pin(patterns(world))),
        ("refused sign-ins", |world| Box::pin(sign_ins(world))),
        ("sign-ins with large bodies", |world| Box::pin(gathered::sign_ins_with_large_bodies(world))),
        ("backups left alone beside writers", |world| Box::pin(backups(world))),
        ("lines, left alone beside writers", |world| Box::pin(streams::lines_left_alone(world))),
        ("lines, in an order without an index", |world| Box::pin(streams::lines_in_order(world))),
        ("expanded backward", |world| Box::pin(many(world, "/api/records/target/?expand=refers_via_of&limit=200"))),
        ("groups with large texts", |world| {
            Box::pin(many(world, "/api/records/large/aggregate/?group_by=n&max=text,more&limit=10000"))
        }),
        ("10,000 groups", |world| {
            Box::pin(many(world, "/api/records/small/aggregate/?group_by=n&distinct=text&n__lt=10000&limit=10000"))
        }),
        ("facets of many values", |world| Box::pin(many(world, "/api/records/small/?n__lt=9000&facets=n,text"))),
        ("a published array", |world| Box::pin(many(world, "/api/v1/large/?limit=40"))),
        ("a published array that is too large", |world| Box::pin(many(world, "/api/v1/large/"))),
        ("event streams, left alone", |world| Box::pin(streams::events_left_alone(world))),
        ("event streams with a snapshot", |world| Box::pin(streams::events_with_a_snapshot(world))),
        ("event streams of the past", |world| Box::pin(streams::events_of_the_past(world))),
        ("files with many columns", |world| Box::pin(wide::columns(world))),
        ("arrays and batches with many words", |world| Box::pin(wide::words(world))),
        ("changes of many, tried and done", |world| Box::pin(wide::changes(world))),
        ("sign-ups", |world| Box::pin(beside::sign_ups(world))),
        ("an undo of 8 MB", |world| Box::pin(beside::undo(world))),
        ("work in the background", |world| Box::pin(beside::background(world))),
        ("the server's own lists", |world| Box::pin(beside::own_lists(world))),
        // These stay, and so they come last.
        ("many definitions with many fields", |world| Box::pin(wide::definitions(world))),
    ]
}

fn tally(statuses: impl IntoIterator<Item = u16>) -> String {
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(status).or_insert(0) += 1;
    }
    format!("{counts:?}")
}

async fn status(client: &Client, method: Method, path: &str, body: Option<String>) -> u16 {
    let mut request = client.request(method, path);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body);
    }
    match request.send().await {
        // A body that breaks off is 0.
        Ok(answer) => {
            let status = answer.status().as_u16();
            answer.bytes().await.map_or(0, |_| status)
        }
        Err(_) => 0,
    }
}

async fn many(world: &World, path: &str) -> String {
    tally(join_all((0..world.how.callers).map(|_| status(&world.admin, Method::GET, path, None))).await)
}

async fn histories(world: &World) -> String {
    many(world, &format!("{}history/", path("large", &world.record))).await
}

/// One connection that asks for much and takes nothing: it gives the answers no window, or one that holds all of them.
async fn one_connection(world: &World, path: &str, window: u32) -> String {
    let mut stream = TcpStream::connect(world.server.authority()).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    let setting = [&[0, 4][..], &window.to_be_bytes()].concat();
    stream.write_all(&frame(SETTINGS, 0, 0, &setting)).await.unwrap();
    if window > 0 {
        let more = i32::MAX.unsigned_abs() - 65_535;
        stream.write_all(&frame(WINDOW_UPDATE, 0, 0, &more.to_be_bytes())).await.unwrap();
    }
    for n in 0..u32::try_from(world.how.callers).unwrap() {
        let authority = world.server.authority().as_bytes();
        let length = |text: &[u8]| u8::try_from(text.len()).unwrap();
        let path = path.as_bytes();
        let head = [&[0x82, 0x86, 0x04, length(path)][..], path, &[0x01, length(authority)], authority].concat();
        stream.write_all(&frame(HEADERS, 0x5, 2 * n + 1, &head)).await.unwrap();
    }
    if window > 0 {
        tokio::time::sleep(world.how.left_alone).await;
    }
    let mut read = vec![0; 1 << 20];
    let mut bytes = 0;
    while let Ok(Ok(count @ 1..)) = timeout(world.how.left_alone, stream.read(&mut read)).await {
        bytes += count;
    }
    format!("{bytes} bytes")
}

/// Many connections, each with an answer that nobody reads.
async fn left_alone(world: &World, path: &str, count: usize) -> String {
    let connections = (0..count).map(|_| async {
        let mut stream = TcpStream::connect(world.server.authority()).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", world.server.authority());
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut line = [0; 12];
        stream.read_exact(&mut line).await.unwrap();
        let status: u16 = std::str::from_utf8(&line[9..]).unwrap().parse().unwrap();
        (stream, status)
    });
    let (streams, statuses): (Vec<_>, Vec<u16>) = join_all(connections).await.into_iter().unzip();
    tokio::time::sleep(world.how.left_alone).await;
    drop(streams);
    tally(statuses)
}

async fn refused_arrays(world: &World) -> String {
    let row: serde_json::Map<String, Value> = (0..498).map(|n| (format!("u{n:03}"), json!(1))).collect();
    let body = json!(vec![row; 1000]).to_string();
    posts(world, "small", &body, 12).await
}

async fn arrays(world: &World) -> String {
    let rows: Vec<Value> = (0..900).map(|n| json!({"text": "y".repeat(9_000), "n": n})).collect();
    posts(world, "small", &json!(rows).to_string(), 12).await
}

async fn small_values(world: &World) -> String {
    let body = format!("[{}]", vec!["{\"text\": [1,1,1,1,1,1,1,1,1,1]}"; 40_000].join(","));
    posts(world, "small", &body, 12).await
}

async fn patterns(world: &World) -> String {
    let rows: Vec<Value> = (0..900).map(|_| json!({"text": "a".repeat(10_000)})).collect();
    let began = Instant::now();
    let told = posts(world, "evil", &json!(rows).to_string(), 2).await;
    format!("{told} in {} ms", began.elapsed().as_millis())
}

async fn posts(world: &World, collection: &str, body: &str, count: usize) -> String {
    let path = format!("/api/records/{collection}/");
    tally(join_all((0..count).map(|_| status(&world.admin, Method::POST, &path, Some(body.to_owned())))).await)
}

async fn deletions(world: &World) -> String {
    let path = path("target", &world.referred);
    tally(join_all((0..world.how.callers).map(|_| status(&world.admin, Method::DELETE, &path, None))).await)
}

async fn sign_ins(world: &World) -> String {
    let stranger = world.server.stranger();
    let tries = (0..3 * world.how.callers).map(|n| {
        let body = json!({"username": format!("nobody{n}"), "password": "not the password of anybody"});
        let stranger = stranger.clone();
        async move { status(&stranger, Method::POST, "/api/token/", Some(body.to_string())).await }
    });
    tally(join_all(tries).await)
}

/// Backups that nobody reads on, while everything is overwritten.
async fn backups(world: &World) -> String {
    let take = (0..world.how.callers / 5).map(|_| world.admin.request(Method::GET, "/api/backup/").send());
    let mut taken: Vec<_> = join_all(take).await.into_iter().flatten().collect();
    for start in (0..world.how.large).step_by(40) {
        let rows: Vec<Value> = (0..40)
            .map(|n| json!({"text": "z".repeat(100_000), "more": "z".repeat(100_000), "n": start + n}))
            .collect();
        status(&world.admin, Method::POST, "/api/records/large/", Some(json!(rows).to_string())).await;
    }
    let page = world.admin.request(Method::GET, "/api/records/large/?limit=200&fields=id").send().await.unwrap();
    let page: Value = serde_json::from_slice(&page.bytes().await.unwrap()).unwrap();
    for row in page["results"].as_array().into_iter().flatten() {
        let body = json!({"text": "q".repeat(100_000)}).to_string();
        status(&world.admin, Method::PATCH, &path("large", row), Some(body)).await;
    }
    let mut ends = BTreeMap::new();
    for answer in &mut taken {
        let end = loop {
            match answer.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => break "whole",
                Err(_) => break "broken off",
            }
        };
        *ends.entry(end).or_insert(0) += 1;
    }
    format!("{ends:?}")
}

/// One search of a user alone, beside another's many, and beside one of each of several users; with whether it took longer than is fair: `(n + 2)` times
/// what it takes alone beside `n` other callers.
pub(super) async fn fairness(world: &World) -> Vec<(String, bool)> {
    let path = "/api/records/small/?text__contains=zz";
    let search = async || {
        let began = Instant::now();
        assert_eq!(status(&world.other, Method::GET, path, None).await, 200, "the one search is answered");
        began.elapsed()
    };
    search().await;
    let alone = search().await.min(search().await);
    let mut told = Vec::new();
    for users in [1, world.users.len()] {
        let callers = world.how.callers;
        let flood = join_all((0..callers).map(|n| status(&world.users[n % users], Method::GET, path, None)));
        let beside = async {
            // The others are under way by then.
            tokio::time::sleep(Duration::from_millis(50)).await;
            search().await
        };
        let (answers, beside) = tokio::join!(flood, beside);
        let most = alone * (u32::try_from(users).unwrap() + 2);
        let line = format!(
            "a search takes {} ms alone, and {} ms beside {callers} of {users} other users, who got {}",
            alone.as_millis(),
            beside.as_millis(),
            tally(answers)
        );
        told.push((line, beside <= most));
    }
    told
}
