//! Measures live events: `events PROGRAM [SUBSCRIBERS] [COMMITS/S] [SECONDS]`, as `cargo xtask bench events` runs it.
//!
//! A server is started over an empty store. Writers alone come first; then subscribers of whom each commit concerns ten; then everything for
//! everybody. Processor time is told apart by process, since both share the machine.

#![allow(clippy::cast_precision_loss, reason = "figures are for people")]

use std::{
    collections::HashMap,
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
    time::sleep_until,
};

/// Whom one commit concerns.
const CONCERNED: usize = 10;
/// Subscribers who get everything.
const EVERYBODY: usize = 100;
const WRITERS: usize = 16;
const PASSWORD: &str = "seven otters mend a kite";

/// A server that is stopped with the value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// When events came, by revision: all that subscribers of one measurement saw.
#[derive(Default)]
struct Arrivals(Mutex<HashMap<u64, Vec<Instant>>>, AtomicU64);

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let program = args.next().context("events PROGRAM [SUBSCRIBERS] [COMMITS/S] [SECONDS]")?;
    let mut number = |otherwise: u64| args.next().map_or(Ok(otherwise), |text| text.parse::<u64>());
    let (subscribers, rate, seconds) = (usize::try_from(number(5000)?)?, number(500)?, number(8)?);
    let dir = tempfile::tempdir()?;
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--access-lifetime", "2h", "--rate-limit", "off"])
        .args(["--event-streams-per-user", "off", "--event-streams-per-address", "off"])
        .args(["--max-connections", "20000", "--max-connections-per-address", "20000"])
        .arg("--data")
        .arg(dir.path().join("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let said = BufReader::new(child.stdout.take().context("no stdout")?);
    let server = Server(child);
    let (mut address, mut code) = (None, None);
    for line in said.lines() {
        let line = line?;
        let Some((_, place)) = line.split_once("http://") else { continue };
        match place.trim().split_once("/setup?code=") {
            Some((_, found)) => code = Some(found.to_owned()),
            None => address = address.or_else(|| Some(place.trim().to_owned())),
        }
        if address.is_some() && code.is_some() {
            break;
        }
    }
    let address: Arc<str> = address.context("no address")?.into();
    let admin = json!({"username": "admin", "password": PASSWORD, "code": code});
    call(&address, "/api/setup/", "", &admin).await?;
    let tokens = call(&address, "/api/token/", "", &json!({"username": "admin", "password": PASSWORD})).await?;
    let token: Arc<str> = tokens["access"].as_str().context("no token")?.into();
    let fields = json!([{"name": "channel", "type": "integer"}, {"name": "text", "type": "text"}]);
    call(&address, "/api/collections/", &token, &json!({"name": "posts", "fields": fields})).await?;
    let pid = server.0.id();
    let channels = (subscribers / CONCERNED).max(1);

    let nobody = Arc::new(Arrivals::default());
    let alone = write(&address, &token, channels, Some(rate), seconds, &nobody, pid).await?;
    println!("writers alone, {rate}/s:       {alone}");
    let most_alone = write(&address, &token, channels, None, seconds, &nobody, pid).await?;
    println!("writers alone, all they can:  {most_alone}");

    let before = resident(pid)?;
    let arrivals = Arc::new(Arrivals::default());
    let mut streams = Vec::new();
    for n in 0..subscribers {
        let query = format!("collection=posts&filter=channel+%3D+{}", n % channels);
        streams.push(subscribe(&address, &token, &query, &arrivals).await?);
    }
    let after = resident(pid)?;
    let each = (after - before) / subscribers.max(1) as u64;
    println!("{subscribers} subscribers:           {each} B each ({} MB in all)", after >> 20);
    let beside = write(&address, &token, channels, Some(rate), seconds, &arrivals, pid).await?;
    println!("with subscribers, {rate}/s:    {beside}");
    let most_beside = write(&address, &token, channels, None, seconds, &arrivals, pid).await?;
    println!("with subscribers, all:        {most_beside}");
    println!("writers' rate with subscribers: {:.2} of alone", most_beside.rate / most_alone.rate);
    streams.iter().for_each(JoinHandle::abort);

    let arrivals = Arc::new(Arrivals::default());
    let mut streams = Vec::new();
    for _ in 0..EVERYBODY {
        streams.push(subscribe(&address, &token, "collection=posts", &arrivals).await?);
    }
    let all = write(&address, &token, channels, Some(rate), seconds, &arrivals, pid).await?;
    println!("everything for {EVERYBODY}, {rate}/s:   {all}");
    let most = write(&address, &token, channels, None, seconds, &arrivals, pid).await?;
    println!("everything for {EVERYBODY}, all:     {most}");
    let _ = std::io::stdout().flush();
    Ok(())
}

/// A commit's revision, when it was answered, and how long that took.
type Commit = (u64, Instant, Duration);

struct Outcome {
    rate: f64,
    written: Vec<Duration>,
    told: Vec<Duration>,
    missing: u64,
    seconds: f64,
    server: f64,
    client: f64,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |times: &[Duration], part: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
            let place = (times.len() as f64 * part) as usize;
            times.get(place.min(times.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        write!(
            f,
            "{:.0} commits/s, answer p50 {:.1} p99 {:.1} ms",
            self.rate,
            ms(&self.written, 0.5),
            ms(&self.written, 0.99)
        )?;
        if !self.told.is_empty() {
            let events = self.told.len() as f64 / self.seconds;
            write!(
                f,
                "; {events:.0} events/s, p50 {:.1} p99 {:.1} ms after the answer, {} missing",
                ms(&self.told, 0.5),
                ms(&self.told, 0.99),
                self.missing
            )?;
        }
        let cpu = |used: f64| used / self.seconds * 100.0;
        write!(f, "; CPU server {:.0} %, clients {:.0} %", cpu(self.server), cpu(self.client))
    }
}

/// Writes for some time: so many commits a second, or as many as the writers can.
async fn write(
    address: &Arc<str>,
    token: &Arc<str>,
    channels: usize,
    rate: Option<u64>,
    seconds: u64,
    arrivals: &Arc<Arrivals>,
    pid: u32,
) -> Result<Outcome> {
    let (begun, end) = (Instant::now(), Instant::now() + Duration::from_secs(seconds));
    let (server, client) = (processor(pid)?, processor(std::process::id())?);
    let next = Arc::new(AtomicU64::new(0));
    let seen_before = arrivals.1.load(Relaxed);
    let writers: Vec<JoinHandle<Result<Vec<Commit>>>> = (0..WRITERS)
        .map(|_| {
            let (address, token, next) = (Arc::clone(address), Arc::clone(token), Arc::clone(&next));
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(&*address).await?;
                stream.set_nodelay(true)?;
                let (mut answer, mut done) = (Vec::new(), Vec::new());
                loop {
                    let n = next.fetch_add(1, Relaxed);
                    if let Some(rate) = rate {
                        sleep_until((begun + Duration::from_nanos(n * 1_000_000_000 / rate)).into()).await;
                    }
                    if Instant::now() >= end {
                        return Ok(done);
                    }
                    let body =
                        json!({"channel": n % channels as u64, "text": "What there is to say about this."}).to_string();
                    let sent = Instant::now();
                    let request = request("POST", &address, "/api/records/posts/", &token, &body);
                    stream.write_all(request.as_bytes()).await?;
                    let revision =
                        read_answer(&mut stream, &mut answer).await?["revision"].as_u64().context("no revision")?;
                    done.push((revision, Instant::now(), sent.elapsed()));
                }
            })
        })
        .collect();
    let mut commits = Vec::new();
    for writer in writers {
        commits.extend(writer.await??);
    }
    let took = begun.elapsed().as_secs_f64();
    // What is on its way still counts.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (server, client) = (processor(pid)? - server, processor(std::process::id())? - client);
    let came = std::mem::take(&mut *arrivals.0.lock().map_err(|_| anyhow::anyhow!("a reader failed"))?);
    let (mut told, mut missing) = (Vec::new(), 0);
    let most = came.values().map(Vec::len).max().unwrap_or(0);
    for (revision, answered, _) in &commits {
        let came = came.get(revision).map_or(&[][..], Vec::as_slice);
        missing += (most - came.len()) as u64;
        told.extend(came.iter().map(|at| at.saturating_duration_since(*answered)));
    }
    ensure!(arrivals.1.load(Relaxed) - seen_before >= told.len() as u64, "events were counted that did not come");
    let mut written: Vec<Duration> = commits.iter().map(|(_, _, took)| *took).collect();
    written.sort_unstable();
    told.sort_unstable();
    Ok(Outcome { rate: commits.len() as f64 / took, written, told, missing, seconds: took, server, client })
}

/// Opens a stream and waits until it is there.
async fn subscribe(address: &Arc<str>, token: &str, query: &str, arrivals: &Arc<Arrivals>) -> Result<JoinHandle<()>> {
    let mut stream = TcpStream::connect(&**address).await?;
    let head = request("GET", address, &format!("/api/events/?{query}"), token, "");
    stream.write_all(head.as_bytes()).await?;
    let mut buffer = vec![0; 4096];
    let mut begin = Vec::new();
    while !begin.windows(11).any(|part| part == b"event: open") {
        let read = stream.read(&mut buffer).await?;
        ensure!(read > 0, "refused: {}", String::from_utf8_lossy(&begin));
        begin.extend_from_slice(&buffer[..read]);
    }
    let arrivals = Arc::clone(arrivals);
    let is_ended = AtomicBool::new(false);
    Ok(tokio::spawn(async move {
        let mut rest = Vec::new();
        while !is_ended.load(Relaxed) {
            let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
            let now = Instant::now();
            rest.extend_from_slice(&buffer[..read]);
            let mut at = 0;
            let mut revisions = Vec::new();
            // An id and the name of its event stand together.
            while let Some(found) = rest[at..].windows(15).position(|part| part == b"\nevent: create\n") {
                let line = rest[at..at + found].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
                let id = line.strip_prefix(b"id: ").and_then(|id| std::str::from_utf8(id).ok());
                revisions.extend(id.and_then(|id| id.split('.').next()?.parse::<u64>().ok()));
                at += found + 15;
            }
            rest.drain(..at.max(rest.len().saturating_sub(64)));
            arrivals.1.fetch_add(revisions.len() as u64, Relaxed);
            if let Ok(mut all) = arrivals.0.lock() {
                for revision in revisions {
                    all.entry(revision).or_default().push(now);
                }
            }
        }
    }))
}

fn request(method: &str, address: &str, path: &str, token: &str, body: &str) -> String {
    let bearer = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{bearer}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn call(address: &str, path: &str, token: &str, body: &Value) -> Result<Value> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request("POST", address, path, token, &body.to_string()).as_bytes()).await?;
    read_answer(&mut stream, &mut Vec::new()).await
}

/// Reads an answer with a `Content-Length`, which must be a success.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<Value> {
    answer.clear();
    loop {
        ensure!(stream.read_buf(answer).await? > 0, "the server closed the connection");
        let Some(head) = answer.windows(4).position(|part| part == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).context("no length")?;
        let end = head + 4 + length.trim().parse::<usize>()?;
        if answer.len() >= end {
            ensure!(text.starts_with("http/1.1 2"), "{}", String::from_utf8_lossy(answer));
            return Ok(serde_json::from_slice(&answer[head + 4..end])?);
        }
    }
}

/// Seconds of processor time that a process has used (`proc_pid_stat(5)`).
fn processor(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = text.rsplit_once(')').context("no name")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(ticks as f64 / 100.0)
}

/// Bytes that a process holds in memory.
fn resident(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1024)
}
