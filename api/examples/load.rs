//! The load generator of `cargo xtask bench`: one JSON job on stdin, one JSON answer on stdout.
//!
//! It speaks just enough HTTP/1.1 for answers with a `Content-Length`, and costs little beside the system calls, since it shares the
//! processor with the server that it measures. Every connection sends its next request when the last answer is there.
//! What is measured and compared is decided in `xtask/src/bench.rs`.

#[path = "load/connection.rs"]
mod connection;
#[path = "load/request.rs"]
mod request;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use connection::Line;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use request::{Template, Values};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    runtime,
    sync::Barrier,
    time::{sleep_until, timeout_at},
};

/// What to do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Job {
    /// One request; the answer's status and body.
    Call(Request),
    /// Requests for some time, on several connections.
    Load(Box<Load>),
}

#[derive(Deserialize)]
struct Load {
    /// What is measured.
    foreground: Stream,
    /// What goes on beside it.
    background: Option<Stream>,
    threads: usize,
    /// Processes whose processor time is counted.
    watch: Vec<u32>,
    /// Before anything is counted.
    warm_up: f64,
    seconds: f64,
}

/// The same kind of request on several connections.
#[derive(Deserialize)]
struct Stream {
    connections: usize,
    request: Request,
    /// `{pick}` is one of these, at random.
    #[serde(default)]
    picks: Vec<String>,
    /// Each request uses what the last answer gave.
    chain: Option<Chain>,
    /// Each connection begins a request so often in a second, and what waits is counted from when it was due; without it, as soon as
    /// the last answer is there.
    pace: Option<f64>,
}

/// In path, header lines and body, `{n}` is a number that was never used before, `{connection}` the connection's number, and
/// `{chain}` and `{pick}` are explained with [`Stream`].
#[derive(Deserialize)]
struct Request {
    address: String,
    method: String,
    path: String,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct Chain {
    /// The first of the chain.
    start: Request,
    /// The member of an answer that goes into the next request.
    take: String,
}

/// What came of a load.
#[derive(Default, Serialize)]
struct Outcome {
    requests: usize,
    per_second: f64,
    p50_us: u32,
    p99_us: u32,
    /// Bytes of one answer on the wire, on average.
    bytes: usize,
    errors: usize,
    /// How often which status came instead of a 2xx; 0 for a broken connection.
    statuses: BTreeMap<u16, usize>,
    first_error: String,
    /// Processor seconds per second that the watched processes took.
    server_cores: f64,
    /// The same of this process.
    own_cores: f64,
    #[serde(skip)]
    all_bytes: usize,
    #[serde(skip)]
    latencies_us: Vec<u32>,
}

fn main() -> Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let answer = match serde_json::from_str(&text).context("no job that can be understood on stdin")? {
        Job::Call(request) => runtime()?.block_on(call(&request))?,
        Job::Load(load) => run(&load)?,
    };
    println!("{answer}");
    Ok(())
}

fn runtime() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

async fn call(request: &Request) -> Result<Value> {
    let mut bytes = Vec::new();
    Template::new(request)?.fill(&Values::default(), &mut bytes);
    let mut line = Line::open(&request.address).await?;
    let status = line.exchange(&bytes).await?;
    Ok(json!({"status": status, "body": String::from_utf8_lossy(&line.body())}))
}

fn run(load: &Load) -> Result<Value> {
    let ready = Ready {
        all: Barrier::new(
            load.foreground.connections + load.background.as_ref().map_or(0, |stream| stream.connections) + 1,
        ),
        start: OnceLock::new(),
        warm_up: Duration::from_secs_f64(load.warm_up),
        length: Duration::from_secs_f64(load.seconds),
    };
    let own = [std::process::id()];
    let outcome = thread::scope(|scope| -> Result<Outcome> {
        let ready = &ready;
        let threads: Vec<_> = (0..load.threads)
            .map(|thread| scope.spawn(move || runtime()?.block_on(work(load, thread, ready))))
            .collect();
        let (warm, end) = runtime()?.block_on(ready.wait());
        thread::sleep(warm.saturating_duration_since(Instant::now()));
        let before = [cpu_seconds(&load.watch)?, cpu_seconds(&own)?];
        thread::sleep(end.saturating_duration_since(Instant::now()));
        let after = [cpu_seconds(&load.watch)?, cpu_seconds(&own)?];
        let [server_cores, own_cores] = [0, 1].map(|who| (after[who] - before[who]) / load.seconds);
        let mut all = Outcome { server_cores, own_cores, ..Outcome::default() };
        for thread in threads {
            all.add(thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??);
        }
        Ok(all)
    })?;
    Ok(serde_json::to_value(outcome.finish(load.seconds))?)
}

/// What processes took of the processors so far: `utime` and `stime` in `/proc/<pid>/stat`, which counts hundredths of a second.
fn cpu_seconds(processes: &[u32]) -> Result<f64> {
    let mut ticks = 0;
    for process in processes {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The second field is a name in brackets, which may hold spaces.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        ticks += fields.skip(11).take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
    }
    Ok(f64::from(ticks) / 100.0)
}

/// Lets all connections begin at once, when the last of them is there.
struct Ready {
    all: Barrier,
    start: OnceLock<Instant>,
    warm_up: Duration,
    length: Duration,
}

impl Ready {
    /// When counting begins, and when it ends.
    async fn wait(&self) -> (Instant, Instant) {
        self.all.wait().await;
        let warm = *self.start.get_or_init(Instant::now) + self.warm_up;
        (warm, warm + self.length)
    }
}

/// One thread's share of the connections.
async fn work(load: &Load, thread: usize, ready: &Ready) -> Result<Outcome> {
    let mut connections = FuturesUnordered::new();
    for (stream, counts) in [(Some(&load.foreground), true), (load.background.as_ref(), false)] {
        let Some(stream) = stream else { continue };
        for connection in (thread..stream.connections).step_by(load.threads) {
            connections.push(async move {
                let outcome = send(stream, connection, ready).await?;
                // Of what goes on beside, only the errors matter.
                Ok(if counts { outcome } else { Outcome { latencies_us: Vec::new(), all_bytes: 0, ..outcome } })
            });
        }
    }
    let mut all = Outcome::default();
    while let Some(done) = connections.next().await {
        let done: Result<Outcome> = done;
        all.add(done?);
    }
    Ok(all)
}

/// One connection's requests.
async fn send(stream: &Stream, connection: usize, ready: &Ready) -> Result<Outcome> {
    let template = Template::new(&stream.request)?;
    let mut outcome = Outcome::default();
    let mut values = Values { connection, picks: &stream.picks, ..Values::new(connection)? };
    let mut bytes = Vec::new();
    let begun = begin(stream, &values).await;
    // Also where it failed: the others wait for all.
    let (warm, end) = ready.wait().await;
    let (mut line, chain) = begun?;
    values.chain = chain;
    let pause = stream.pace.map(|pace| Duration::from_secs_f64(1.0 / pace));
    let mut due = Instant::now() + pause.map_or(Duration::ZERO, |pause| pause.mul_f64(values.random_share()));
    loop {
        match pause {
            Some(pause) => {
                due += pause;
                sleep_until(due.into()).await;
            }
            None => due = Instant::now(),
        }
        if due >= end {
            return Ok(outcome);
        }
        values.next();
        template.fill(&values, &mut bytes);
        let Ok(answered) = timeout_at(end.into(), line.exchange(&bytes)).await else { return Ok(outcome) };
        let status = match answered {
            Ok(status) => status,
            Err(error) => {
                outcome.fail(0, &format!("{error:#}"));
                line = Line::open(&stream.request.address).await?;
                continue;
            }
        };
        if !(200..300).contains(&status) {
            outcome.fail(status, &line.text());
        } else if due >= warm {
            outcome.latencies_us.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
            outcome.all_bytes += line.length;
        }
        if let Some(chain) = &stream.chain {
            values.chain = take(&line.body(), &chain.take)?;
        }
    }
}

/// Opens a connection and begins its chain, if there is one.
async fn begin(stream: &Stream, values: &Values<'_>) -> Result<(Line, String)> {
    let mut line = Line::open(&stream.request.address).await?;
    let Some(chain) = &stream.chain else { return Ok((line, String::new())) };
    let mut bytes = Vec::new();
    Template::new(&chain.start)?.fill(values, &mut bytes);
    let status = line.exchange(&bytes).await?;
    ensure!((200..300).contains(&status), "a chain could not begin: {}", line.text());
    let first = take(&line.body(), &chain.take)?;
    Ok((line, first))
}

fn take(body: &[u8], member: &str) -> Result<String> {
    let answer: Value = serde_json::from_slice(body).context("an answer is no JSON")?;
    let text = answer.get(member).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("an answer has no {member}: {answer}"))
}

impl Outcome {
    fn fail(&mut self, status: u16, what: &str) {
        self.errors += 1;
        *self.statuses.entry(status).or_default() += 1;
        if self.first_error.is_empty() {
            what.clone_into(&mut self.first_error);
        }
    }

    fn add(&mut self, other: Self) {
        self.latencies_us.extend(other.latencies_us);
        self.all_bytes += other.all_bytes;
        self.errors += other.errors;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        if self.first_error.is_empty() {
            self.first_error = other.first_error;
        }
    }

    #[allow(clippy::cast_precision_loss)] // Counts of requests are far below 2^52.
    fn finish(mut self, seconds: f64) -> Self {
        self.latencies_us.sort_unstable();
        let count = self.latencies_us.len();
        let at = |percent: usize| self.latencies_us.get(count * percent / 100).copied().unwrap_or_default();
        (self.p50_us, self.p99_us) = (at(50), at(99));
        (self.requests, self.per_second) = (count, count as f64 / seconds);
        self.bytes = self.all_bytes.checked_div(count).unwrap_or_default();
        self
    }
}
