//! A large collection is redefined while others read and write it: how long it takes, what memory, and how long they wait. The tests run a
//! short form; `cargo xtask bench redefine` runs it over a million records, against a release (`REDEFINE_RECORDS`, `REDEFINE_BIN`), and draws
//! what is written to `REDEFINE_SECONDS`.

use std::{
    env, fs,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{
    Answer, Client,
    server::{Server, serve},
    text,
};

/// Clients that write and read one record after the other.
const CLIENTS: usize = 4;

/// A request: in which second it was sent, and how many microseconds it took.
type Took = (u64, u128);

/// How long requests took.
#[derive(Default)]
struct Times {
    reads: Vec<Took>,
    writes: Vec<Took>,
}

fn p99<'a>(times: impl Iterator<Item = &'a Took>) -> u128 {
    let mut times: Vec<u128> = times.map(|(_, micros)| *micros).collect();
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}

/// What was seen for some time.
#[derive(Default)]
struct Seen {
    times: Times,
    reads: u128,
    writes: u128,
}

impl Seen {
    fn of(times: Times) -> Self {
        Self { reads: p99(times.reads.iter()), writes: p99(times.writes.iter()), times }
    }

    fn count(&self) -> usize {
        self.times.reads.len() + self.times.writes.len()
    }

    /// A line a second: the second, and the p99 of what was read and written in it, in milliseconds.
    fn by_second(&self, from: u64) -> String {
        let all = || self.times.reads.iter().chain(&self.times.writes);
        let last = all().map(|(second, _)| *second).max().unwrap_or_default();
        let of = |times: &[Took], at: u64| ms(p99(times.iter().filter(|(second, _)| *second == at)));
        let line = |at| format!("{} {:.2} {:.2}\n", from + at, of(&self.times.reads, at), of(&self.times.writes, at));
        (0..=last).map(line).collect()
    }
}

/// Reads and writes records until it is told to stop. No write may be refused.
async fn ask(admin: Client, ids: Arc<Vec<String>>, start: usize, stop: Arc<AtomicBool>) -> Times {
    let (mut times, beginning) = (Times::default(), Instant::now());
    let took = |begun: Instant| ((begun - beginning).as_secs(), begun.elapsed().as_micros());
    let mut at = start;
    while !stop.load(Ordering::Relaxed) {
        at = (at + 7919) % ids.len();
        let address = format!("/api/records/rows/{}/", ids[at]);
        let begun = Instant::now();
        admin.get(&address).await.is(200);
        times.reads.push(took(begun));
        let begun = Instant::now();
        admin.patch(&address, &json!({"note": format!("note {at}")})).await.is(200);
        times.writes.push(took(begun));
    }
    times
}

/// What clients see while `during` comes to its end.
async fn seen<T>(admin: &Client, ids: &Arc<Vec<String>>, during: impl Future<Output = T>) -> (T, Seen) {
    let stop = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..CLIENTS)
        .map(|n| tokio::spawn(ask(admin.clone(), Arc::clone(ids), n * 104_729, Arc::clone(&stop))))
        .collect();
    let outcome = during.await;
    stop.store(true, Ordering::Relaxed);
    let mut all = Times::default();
    for one in asking {
        let Times { reads, writes } = one.await.expect("every request is answered well");
        all.reads.extend(reads);
        all.writes.extend(writes);
    }
    (outcome, Seen::of(all))
}

/// The resident memory of a process, in megabytes.
fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// Waits for an operation; gives when it had taken effect, when it was over, and the most memory that was seen.
async fn follow(admin: &Client, location: &str, process: u32) -> (Duration, Duration, u64) {
    let (begun, mut in_force, mut peak) = (Instant::now(), None, 0);
    loop {
        peak = peak.max(resident(process));
        if in_force.is_none() && admin.get("/api/collections/rows/").await.is(200)["fields"][0]["type"] == "text" {
            in_force = Some(begun.elapsed());
        }
        let seen = admin.get(location).await.is(200);
        match text(&seen, "state").as_str() {
            "done" => return (in_force.unwrap_or_else(|| begun.elapsed()), begun.elapsed(), peak),
            "failed" | "stopped" => panic!("{seen}"),
            _ => sleep(Duration::from_millis(100)).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_is_redefined_while_others_work_in_it() {
    let records = env::var("REDEFINE_RECORDS").ok().and_then(|count| count.parse().ok()).unwrap_or(3000);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut command = serve(
        &data,
        &["--rate-limit", "off", "--quota-bytes", "off", "--log-level", "warn", "--access-lifetime", "2h"],
    );
    if let Some(program) = env::var_os("REDEFINE_BIN") {
        let mut release = Command::new(program);
        release.args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::piped());
        command = release;
    }
    let mut server = Server::spawn(&data, &mut command);
    let admin = server.set_up().await;
    let fields = json!([{"name": "n", "type": "integer", "indexed": true}, {"name": "note", "type": "text"}]);
    admin.collection("rows", fields).await;
    let mut ids = Vec::with_capacity(records);
    for start in (0..records).step_by(1000) {
        let rows: Vec<Value> = (start..records.min(start + 1000))
            .map(|n| json!({"n": n, "note": format!("a note of about forty letters, {n}")}))
            .collect();
        let made = admin.post("/api/records/rows/", &json!(rows)).await.is(201);
        ids.extend(made.as_array().unwrap().iter().map(|record| text(record, "id")));
    }
    let ids = Arc::new(ids);
    let process = server.child.id();
    let quiet = Duration::from_millis(if records > 10_000 { 5000 } else { 300 });
    let ((), alone) = seen(&admin, &ids, sleep(quiet)).await;
    let before = resident(process);

    let change = json!({"type": "text", "indexed": true}).to_string();
    let request = admin.request(Method::PATCH, "/api/collections/rows/fields/n/").header("prefer", "respond-async");
    let begun = Answer::of(request.header("content-type", "application/json").body(change)).await;
    begun.is(202);
    let location = begun.header("location").strip_prefix(&admin.base).unwrap().to_owned();
    let ((in_force, over, peak), under) = seen(&admin, &ids, follow(&admin, &location, process)).await;
    if let Some(file) = env::var_os("REDEFINE_SECONDS") {
        let begins = quiet.as_secs();
        let events = format!("{begins} {} {}\n", begins + in_force.as_secs(), begins + over.as_secs());
        fs::write(file, events + &alone.by_second(0) + &under.by_second(begins)).unwrap();
    }
    let answer = admin.get("/api/records/rows/?n=7&count=false").await.is(200);
    assert_eq!(answer["results"][0]["n"], "7");
    eprintln!(
        "redefined: {records} records, in force after {:.1} s, written anew after {:.1} s, memory {before} MB before and {peak} MB at most; \
         p99 of reads {:.1} ms, {:.1} ms meanwhile; of writes {:.1} ms, {:.1} ms meanwhile; {} requests meanwhile, none refused",
        in_force.as_secs_f64(),
        over.as_secs_f64(),
        ms(alone.reads),
        ms(under.reads),
        ms(alone.writes),
        ms(under.writes),
        under.count()
    );
    server.stop();
}

fn ms(micros: u128) -> f64 {
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)).as_secs_f64() * 1000.0
}
