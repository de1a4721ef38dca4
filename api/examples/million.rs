//! What a collection of a million small records costs: loading it, opening the store, memory, and pages of its list.
//!
//!     cargo run --release -p coffer --example million [-- RECORDS]
//!
//! Everything goes over HTTP to a server in a process of its own, so that its memory is a server's. It works in a directory under
//! `COFFER_BENCH_DIR` or the system's temporary one: put that on the disk in question. Allow a minute, and 2 GB of disk.

#[path = "shared/figures.rs"]
mod figures;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use common::problem::Problem;
use figures::{median, memory, used};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;

// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PASSWORD: &str = "grows seven quinces a year";
/// Records of one request, and of the small collection.
const TOGETHER: u64 = 1000;
const PAGE_SIZE: u64 = 20;
/// Readers at once, and what each reads.
const READERS: u64 = 16;
const READS: u64 = 2000;

fn main() -> Result<ExitCode> {
    // The server is this very program, started again.
    if env::args().nth(1).is_some_and(|word| ["serve", "user"].contains(&word.as_str())) {
        return Ok(coffer::cli::run());
    }
    let records = env::args().nth(1).map_or(Ok(1_000_000), |number| number.parse())?;
    let place = env::var_os("COFFER_BENCH_DIR").map_or_else(env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(&dir.path().join("data"), records))?;
    Ok(ExitCode::SUCCESS)
}

async fn measure(data: &Path, records: u64) -> Result<()> {
    make_admin(data)?;
    let server = Server::start(data).await?;
    let fields = json!([{"name": "title", "type": "text", "required": true}, {"name": "amount", "type": "integer"}]);
    for name in ["small", "large"] {
        server.call(Method::POST, "/api/collections/", Some(&json!({"name": name, "fields": fields}))).await?;
    }
    server.load("small", 0).await?;
    let started = Instant::now();
    for n in 0..records / TOGETHER {
        server.load("large", n * TOGETHER).await?;
    }
    let loaded = started.elapsed();
    row("records", records);
    row("loading, in requests of 1,000", format!("{loaded:.1?}"));
    row("memory after it, MiB", server.memory("VmRSS")?);
    row("memory at its highest, MiB", server.memory("VmHWM")?);
    server.stop()?;
    row("on disk, MiB", used(data)? >> 20);

    for what in ["first", "second"] {
        let server = Server::start(data).await?;
        row(&format!("{what} opening"), format!("{:.2?}", server.opened_in));
        row("memory after it, MiB", server.memory("VmRSS")?);
        server.read(records).await?;
        row(&format!("memory after {} reads, MiB", READERS * READS), server.memory("VmRSS")?);
        server.stop()?;
    }

    let server = Server::start(data).await?;
    let pages = records / PAGE_SIZE;
    println!();
    row("a page of 20, its total included", format!("{:>12}{:>12}", "of 1,000", format!("of {records}")));
    for (what, part) in [("first", 0), ("at a quarter", 25), ("in the middle", 50), ("last", 100)] {
        let small = server.list("small", TOGETHER / PAGE_SIZE * part / 100).await?;
        let large = server.list("large", pages * part / 100).await?;
        row(what, format!("{:>12}{:>12}", format!("{small:.0?}"), format!("{large:.0?}")));
    }
    server.stop()
}

fn row(what: &str, figure: impl std::fmt::Display) {
    println!("{what:<40}{figure:>12}");
}

fn myself() -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COFFER_")) {
        command.env_remove(name);
    }
    Ok(command)
}

fn make_admin(data: &Path) -> Result<()> {
    let mut command = myself()?;
    command.args(["user", "add", "ada", "--admin", "--password-stdin", "--data"]).arg(data);
    let mut adding = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    adding.stdin.take().context("no stdin")?.write_all(PASSWORD.as_bytes())?;
    ensure!(adding.wait()?.success(), "the admin could not be made");
    Ok(())
}

/// A server that is up, and a signed-in client of it.
struct Server {
    process: Child,
    /// From the start of the process until it listens.
    opened_in: Duration,
    base: String,
    client: Client,
    access: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to end where it was stopped.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    async fn start(data: &Path) -> Result<Server> {
        let started = Instant::now();
        let mut command = myself()?;
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--log-level",
            "error",
            "--access-lifetime",
            "1d",
            "--rate-limit",
            "off",
        ]);
        let mut process = command.arg("--data").arg(data).stdout(Stdio::piped()).spawn()?;
        let mut greeting = BufReader::new(process.stdout.take().context("no stdout")?).lines();
        let line = greeting.next().context("the server did not start")??;
        let opened_in = started.elapsed();
        let base = line.split_whitespace().last().context("no address")?.to_owned();
        let client = Client::builder().no_proxy().build()?;
        let mut server = Server { process, opened_in, base, client, access: String::new() };
        let credentials = json!({"username": "ada", "password": PASSWORD});
        let tokens = server.call(Method::POST, "/api/token/", Some(&credentials)).await?;
        tokens["access"].as_str().context("no token")?.clone_into(&mut server.access);
        Ok(server)
    }

    /// Ends the server as an operator does.
    fn stop(mut self) -> Result<()> {
        let process = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
        ensure!(self.process.wait()?.success(), "the server ended badly");
        Ok(())
    }

    fn memory(&self, name: &str) -> Result<u64> {
        memory(self.process.id(), name)
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !self.access.is_empty() {
            request = request.bearer_auth(&self.access);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&bytes)?);
        }
        let problem: Problem = serde_json::from_slice(&bytes)?;
        anyhow::bail!("{path} was answered with {status}: {}", problem.detail)
    }

    /// Makes 1,000 records.
    async fn load(&self, collection: &str, from: u64) -> Result<()> {
        let records = (from..from + TOGETHER).map(|n| json!({"title": format!("Number {n}"), "amount": n}));
        let records = Value::Array(records.collect());
        self.call(Method::POST, &format!("/api/records/{collection}/"), Some(&records)).await?;
        Ok(())
    }

    /// Reads pages near the ends of the list and single records of them, by many at once.
    async fn read(&self, records: u64) -> Result<()> {
        let mut readers = JoinSet::new();
        for reader in 0..READERS {
            let (client, base, access) = (self.client.clone(), self.base.clone(), self.access.clone());
            let pages = records / PAGE_SIZE;
            readers.spawn(async move {
                for n in 0..READS {
                    let page = 1 + (reader * READS + n) * 7919 % pages.min(1000);
                    let page = if n % 2 == 0 { page } else { pages + 1 - page };
                    let get = client.get(format!("{base}/api/records/large/?page={page}")).bearer_auth(&access);
                    get.send().await?.error_for_status()?.bytes().await?;
                }
                Ok::<_, anyhow::Error>(())
            });
        }
        while let Some(reader) = readers.join_next().await {
            reader??;
        }
        Ok(())
    }

    /// How long a page takes, the middle one of many times.
    async fn list(&self, collection: &str, page: u64) -> Result<Duration> {
        let path = format!("/api/records/{collection}/?page={}", page.max(1));
        median(21, async || self.call(Method::GET, &path, None).await.map(drop)).await
    }
}
