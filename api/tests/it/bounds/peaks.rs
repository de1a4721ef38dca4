//! The kinds of requests that once took gigabytes, one after another, with the server's memory watched and a healthy client beside each. `cargo xtask bounds` runs it in full against a
//! release; here it is short, and looks at memory only, since a busy machine is slow at everything.

use std::{
    env, fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::kinds;
use crate::support::{
    ADMIN, Client, path,
    server::{Server, serve},
};

/// What the table is about.
pub(super) struct World {
    pub server: Server,
    pub admin: Client,
    /// Another user, for what is fair between two.
    pub other: Client,
    pub how: Size,
    /// A record with a long history.
    pub record: Value,
    /// A record that many refer to.
    pub referred: Value,
    /// One with a long list of references.
    pub hub: Value,
    /// An operation that made 8 MB of records.
    pub operation: String,
    /// Others, who are no admins.
    pub users: Vec<Client>,
}

/// How much of it.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub records: usize,
    pub large: usize,
    pub callers: usize,
    /// How long answers are left alone.
    pub left_alone: Duration,
    pub is_full: bool,
}

/// RSS at most, for a budget of 256 MB.
const MOST: u64 = 512_000_000;
/// What a healthy client is answered within, 99 times of 100.
const HEALTHY: Duration = Duration::from_millis(250);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m1_no_kind_of_request_takes_more_than_twice_the_budget() {
    let world = furnish().await;
    println!("| kind | before | peak | p99 beside | answers |\n|---|---:|---:|---:|---|");
    let mut failures: Vec<String> = Vec::new();
    let only = env::var("BOUNDS_ONLY").unwrap_or_default();
    for (name, kind) in kinds::all().into_iter().filter(|(name, _)| name.contains(&only)) {
        let (before, told, p99) = watched(&world, kind).await;
        let peak = memory(&world.server, "VmHWM:");
        let (mb, ms) = (|bytes: u64| format!("{} MB", bytes / 1_000_000), p99.as_millis());
        println!("| {name} | {} | {} | {ms} ms | {told} |", mb(before), mb(peak));
        if peak > MOST {
            failures.push(format!("{name}: {}", mb(peak)));
        }
        if world.how.is_full && p99 > HEALTHY {
            failures.push(format!("{name}: {ms} ms"));
        }
    }
    for (line, is_fair) in kinds::fairness(&world).await {
        println!("{line}");
        if world.how.is_full && !is_fair {
            failures.push(line);
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

async fn furnish() -> World {
    let is_full = env::var_os("BOUNDS_RECORDS").is_some();
    let records = env::var("BOUNDS_RECORDS").map_or(2_000, |count| count.parse().unwrap());
    let (large, callers, seconds) = if is_full { (400, 100, 3) } else { (100, 20, 1) };
    let how = Size { records, large, callers, left_alone: Duration::from_secs(seconds), is_full };
    let data = env::temp_dir().join(format!("coffer-bounds-{}", std::process::id()));
    let options = ["--memory", "256MB", "--rate-limit", "off", "--quota-bytes", "off", "--log-level", "warn"];
    let more = ["--sign-up", "open", "--max-connections-per-address", "1000"];
    let mut command = serve(&data, &[&options[..], &more].concat());
    if let Some(program) = env::var_os("BOUNDS_BIN") {
        let mut release = std::process::Command::new(program);
        release.args(command.get_args()).stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
        command = release;
    }
    let mut server = Server::spawn(&data, &mut command);
    let admin = server.set_up().await;
    let access = json!({"list": ["anyone"], "view": ["anyone"], "create": ["signed_in"], "update": ["signed_in"], "delete": ["signed_in"]});
    let make = async |name: &str, fields: Value| {
        let body = json!({"name": name, "fields": fields, "access": access});
        admin.post("/api/collections/", &body).await.is(201);
    };
    make("small", json!([{"name": "text", "type": "text"}, {"name": "n", "type": "integer"}])).await;
    make("large", json!([{"name": "text", "type": "text", "max_length": 100_000}, {"name": "more", "type": "text", "max_length": 100_000}, {"name": "n", "type": "integer"}])).await;
    make(
        "evil",
        json!([{"name": "text", "type": "text", "max_length": 10_000, "pattern": "([a-z]?[a-y]?[a-x]?){60}!"}]),
    )
    .await;
    make("target", json!([{"name": "n", "type": "integer"}])).await;
    make("refers", json!([{"name": "of", "type": "reference", "collection": "target", "on_delete": "cascade", "nullable": true}, {"name": "text", "type": "text", "max_length": 100_000}])).await;
    for start in (0..how.records).step_by(1000) {
        let rows: Vec<Value> = (start..how.records.min(start + 1000))
            .map(|n| json!({"text": format!("{} {n}", "words of text ".repeat(7)), "n": n}))
            .collect();
        admin.post("/api/records/small/", &json!(rows)).await.is(201);
    }
    let text = "x".repeat(100_000);
    for start in (0..how.large).step_by(40) {
        let rows: Vec<Value> =
            (start..how.large.min(start + 40)).map(|n| json!({"text": text, "more": text, "n": n})).collect();
        admin.post("/api/records/large/", &json!(rows)).await.is(201);
    }
    let referred = admin.record("target", json!({"n": 1})).await;
    for _ in 0..how.large / 40 {
        let rows: Vec<Value> = (0..80).map(|_| json!({"of": referred["id"], "text": text})).collect();
        admin.post("/api/records/refers/", &json!(rows)).await.is(201);
    }
    make("parts", json!([{"name": "text", "type": "text", "max_length": 100_000}, {"name": "more", "type": "text", "max_length": 100_000}])).await;
    make("hubs", json!([{"name": "parts", "type": "reference", "collection": "parts", "many": true}, {"name": "n", "type": "integer"}])).await;
    let mut parts = Vec::new();
    for _ in 0..how.large / 40 {
        let rows: Vec<Value> = (0..20).map(|_| json!({"text": text, "more": text})).collect();
        let sent = admin.post("/api/records/parts/", &json!(rows)).await.is(201);
        parts.extend(sent.as_array().unwrap().iter().map(|part| part["id"].clone()));
    }
    let hubs: Vec<Value> = (0..20).map(|n| json!({"parts": parts, "n": n})).collect();
    let hub = admin.post("/api/records/hubs/", &json!(hubs)).await.is(201)[0].clone();
    let record = admin.record("large", json!({"text": text, "more": text, "n": 0})).await;
    for n in 0..how.large / 2 {
        admin.patch(&path("large", &record), &json!({"text": format!("{n}{}", &text[10..])})).await.is(200);
    }
    let rows: Vec<Value> = (0..900).map(|n| json!({"text": "u".repeat(9_000), "n": -n})).collect();
    let undone = admin.post("/api/records/small/", &json!(rows)).await.is(201);
    let history = admin.get(&format!("{}history/", path("small", &undone[0]))).await.is(200);
    let operation = history["results"][0]["operation"].as_str().unwrap().to_owned();
    let published = json!({"path": "/api/v1/large/", "collection": "large", "list": "array", "limit": 1000, "members": ["id", "text", {"others": "more"}, "n"]});
    admin.post("/api/paths/", &published).await.is(201);
    let mut users = Vec::new();
    for n in 0..5 {
        let name = format!("grace{n}");
        admin.post("/api/users/", &json!({"username": name, "password": crate::support::PASSWORD})).await.is(201);
        users.push(server.sign_in(&name).await);
    }
    let admin = server.sign_in(ADMIN).await;
    let other = users.pop().unwrap();
    World { server, admin, other, how, record, referred, hub, operation, users }
}

/// Memory before, what a kind was answered, and how long a healthy client waited beside it.
async fn watched(world: &World, kind: kinds::Kind) -> (u64, String, Duration) {
    // Forgets the peak so far (proc_pid_clear_refs(5)).
    fs::write(format!("/proc/{}/clear_refs", world.server.child.id()), "5").unwrap();
    let before = memory(&world.server, "VmRSS:");
    let ends = Arc::new(AtomicBool::new(false));
    let healthy = tokio::spawn(healthy(world.other.clone(), path("target", &world.referred), Arc::clone(&ends)));
    let told = kind(world).await;
    ends.store(true, Relaxed);
    let mut times = healthy.await.unwrap();
    times.sort_unstable();
    (before, told, times.get(times.len() * 99 / 100).copied().unwrap_or_default())
}

/// One small read after another.
async fn healthy(client: Client, path: String, ends: Arc<AtomicBool>) -> Vec<Duration> {
    let mut times = Vec::new();
    while !ends.load(Relaxed) {
        let began = Instant::now();
        let answer = client.request(reqwest::Method::GET, &path).send().await;
        assert!(
            answer.is_ok_and(|answer| answer.status() == 200 || answer.status() == 404),
            "a healthy client is answered"
        );
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times
}

pub(super) fn memory(server: &Server, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let found = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    found.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() * 1024
}
