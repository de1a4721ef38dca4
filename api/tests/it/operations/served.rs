//! Work in the background of the real server: after a kill, beside requests, and begun by a command.

use std::{
    env,
    io::Write as _,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use store::{Batch, Options, Store, journal};

use super::{age, aged_entry};
use crate::{
    kill::assert_sound,
    support::{
        ADMIN, Client, PASSWORD, command,
        server::{Server, coffer, said, store_dir},
    },
};

/// A server over a store whose journal has so many entries of long ago, and its admin.
async fn serve(data: &Path, entries: usize) -> (Server, Client) {
    let mut server = Server::start(data, &[]);
    let admin = server.set_up().await;
    admin.collection("words", json!([{"name": "word", "type": "text"}])).await;
    server.stop();
    let store = Store::open(Options::sled(store_dir(data))).unwrap();
    let mut recent = 0;
    let mut batch = Batch::new();
    for (key, entry) in store.scan(journal::blocks()).await.unwrap() {
        let mut entries = journal::unpack(&entry.value).unwrap();
        for entry in &mut entries {
            entry.bytes = aged_entry().into();
        }
        recent += entries.len();
        batch.put(key, journal::pack(&entries));
    }
    store.commit(batch).await.unwrap();
    age(&store, entries - recent).await;
    store.close().await;
    drop(store);
    let server = Server::start(data, &[]);
    let admin = server.sign_in(ADMIN).await;
    (server, admin)
}

/// Asks until an operation is as it should be.
async fn until(client: &Client, address: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let operation = client.get(address).await.is(200);
        if is_so(&operation) {
            return operation;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{address} is not as it should be after a minute")
}

#[tokio::test]
async fn a_killed_server_goes_on_and_writers_are_let_in_meanwhile() {
    const ENTRIES: usize = 12_000;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (server, admin) = serve(&data, ENTRIES).await;
    let begun = admin.post("/api/changes/trim/", &json!({"older_than": "90d"})).await;
    let id = begun.is(202)["id"].as_str().unwrap().to_owned();
    let address = format!("/api/operations/{id}/");
    assert_eq!(begun.header("location"), format!("{}{address}", admin.base));
    let seen = until(&admin, &address, |operation| operation["done"].as_u64() > Some(0)).await;
    assert_eq!((&seen["kind"], &seen["by"]), (&json!("trim_changes"), &json!(admin.id)));
    assert!(seen["of"].as_u64() >= Some(ENTRIES as u64 * 9 / 10), "{seen}");
    drop(server); // SIGKILL

    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    let seen = admin.get(&address).await.is(200);
    assert!(seen["done"].as_u64() < Some(ENTRIES as u64), "it was killed in the middle: {seen}");
    let writers = (0..8).map(|n| {
        let admin = admin.clone();
        async move {
            for m in 0..25 {
                admin.post("/api/records/words/", &json!({"word": format!("{n}-{m}")})).await.is(201);
            }
        }
    });
    futures_util::future::join_all(writers).await;
    let ended = until(&admin, &address, |operation| {
        !["running", "waiting", "stopping"].contains(&operation["state"].as_str().unwrap())
    })
    .await;
    assert_eq!((&ended["state"], &ended["done"], &ended["error"]), (&json!("done"), &json!(ENTRIES), &Value::Null));
    let listed = admin.get("/api/operations/?state=done").await.is(200);
    assert_eq!((&listed["count"], &listed["results"][0]), (&json!(1), &ended));
    admin.delete(&address).await.is(204);
    assert_eq!(admin.get(&address).await.is(200), ended, "what is over is not stopped");
    let changes = admin.get("/api/changes/").await.is(200);
    let first = &changes["results"][0];
    assert!(first["at"].as_str().unwrap() > "2026", "{first}");
    let begun = changes["results"].as_array().unwrap().iter().find(|change| change["subject"] == "operation").unwrap();
    assert_eq!((&begun["action"], &begun["id"], &begun["by"]), (&json!("start"), &json!(id), &json!(admin.id)));
    server.stop();
    assert_sound(&data);
}

/// `coffer journal trim` of a running server.
fn trim_by_command(server: &str) -> Child {
    let args = ["journal", "trim", "--older-than", "90d", "--server", server, "--user", ADMIN, "--password-stdin"];
    let mut command = command();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    child
}

#[tokio::test]
async fn a_command_whose_server_dies_says_that_the_trim_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (server, admin) = serve(&data, 6_000).await;
    let child = trim_by_command(&server.base);
    let list = "/api/operations/";
    let seen = until(&admin, list, |list| list["results"][0]["done"].as_u64() > Some(0)).await;
    let id = seen["results"][0]["id"].as_str().unwrap();
    drop(server); // SIGKILL
    let told = said(&tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap());
    assert!(told.starts_with("1: ") && told.contains("goes on") && told.contains(&format!("{list}{id}/")), "{told}");
    let server = Server::start(&data, &[]);
    let admin = server.sign_in(ADMIN).await;
    until(&admin, &format!("{list}{id}/"), |operation| operation["state"] == "done").await;
    server.stop();
}

#[tokio::test]
async fn the_command_has_a_running_server_do_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (server, admin) = serve(&data, 700).await;
    let child = trim_by_command(&server.base);
    let told = said(&tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap());
    assert!(told.contains("\nForgot 700 changes from before "), "{told}");
    assert_eq!(admin.get("/api/operations/").await.is(200)["results"][0]["done"], 700);
    let bad = admin.post("/api/changes/trim/", &json!({"older_than": "90"})).await;
    assert_eq!(bad.faults(), ["older_than: Add the unit: 90s for seconds, 90m minutes, 90h hours, 90d days."]);
    // The store is the server's.
    let here = said(&coffer(&["journal", "trim", "--older-than", "90d"], &data));
    assert!(here.starts_with("3: "), "{here}");
    server.stop();
}

/// Half and nearly all of what was measured.
fn percentiles(mut times: Vec<Duration>) -> [Duration; 2] {
    times.sort_unstable();
    [50, 99].map(|percent| times[(times.len() - 1) * percent / 100])
}

/// How long a look at a record and a create take, one after another, for as long as `goes_on` says.
async fn times(admin: &Client, record: &str, goes_on: impl AsyncFn(usize) -> bool) -> [Vec<Duration>; 2] {
    let (mut gets, mut creates) = (Vec::new(), Vec::new());
    while goes_on(gets.len()).await {
        let began = Instant::now();
        admin.get(record).await.is(200);
        gets.push(began.elapsed());
        let began = Instant::now();
        admin.post("/api/records/words/", &json!({"word": "quince"})).await.is(201);
        creates.push(began.elapsed());
    }
    [gets, creates]
}

/// `COFFER_TRIM_ENTRIES=100000` makes a measurement of it: `cargo nextest run … -E 'test(beside_a_trim)' --no-capture`.
#[tokio::test]
async fn requests_beside_a_trim_are_answered_as_without_one_or_nearly() {
    let entries = env::var("COFFER_TRIM_ENTRIES").ok().and_then(|entries| entries.parse().ok()).unwrap_or(5_000);
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = serve(&dir.path().join("data"), entries).await;
    let admin = Client { http: reqwest::Client::new(), ..server.sign_in(ADMIN).await };
    let record = crate::support::path("words", &admin.record("words", json!({"word": "quince"})).await);
    let rounds = if entries > 5_000 { 1_000 } else { 100 };
    let without = times(&admin, &record, async |done| done < rounds).await;
    let begun = admin.post("/api/changes/trim/", &json!({"older_than": "90d"})).await.is(202);
    let address = format!("/api/operations/{}/", begun["id"].as_str().unwrap());
    let start = Instant::now();
    // To its end, but looked at now and then only, so that it is not measured by being asked.
    let beside = times(&admin, &record, async |done| {
        done % 20 != 0 || admin.get(&address).await.is(200)["state"] != "done" && done < 50 * rounds
    })
    .await;
    let took = start.elapsed();
    let done = admin.get(&address).await.is(200);
    let [without, beside] = [without, beside].map(|kinds| kinds.map(|times| (times.len(), percentiles(times))));
    println!("{entries} entries, {took:?} for {} of them", done["done"]);
    for (what, without, beside) in [("get", without[0], beside[0]), ("create", without[1], beside[1])] {
        println!("{what}: without {without:?}, beside {beside:?} (requests, [p50, p99])");
        let (half, half_beside) = (without.1[0], beside.1[0]);
        // A piece is planned for 20 ms at most, and three times as long belongs to requests.
        assert!(half_beside < half * 5 + Duration::from_millis(100), "{what}: {half:?} became {half_beside:?}");
    }
    assert!(beside[0].0 > 20, "it ran beside requests");
}
