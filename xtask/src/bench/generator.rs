//! The load generator's other end: hands `api/examples/load.rs` its jobs and reads what came of them.

use std::{
    collections::BTreeMap,
    fmt,
    io::Write as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::process::Process;
use crate::workspace;

/// As many as keep a server of two cores busy, and no more: they take from the same processor.
const THREADS: usize = 2;

/// Sends requests.
pub(crate) struct Generator(std::path::PathBuf);

/// What one load came to.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Measured {
    /// Requests that were answered well, per second.
    pub per_second: f64,
    /// Half of the answers took at most this many microseconds.
    pub p50_us: f64,
    /// 99 of 100 did.
    pub p99_us: f64,
    /// Bytes of one answer, on average.
    pub bytes: u64,
    /// Answers that were no success, and connections that broke.
    pub errors: usize,
    /// Those by status.
    pub statuses: BTreeMap<u16, usize>,
    /// The first of them.
    pub first_error: String,
    /// Processors that the server kept busy.
    pub server_cores: f64,
    /// Processors that the generator kept busy.
    pub own_cores: f64,
}

impl Measured {
    /// Microseconds of processor time that the server took for one request.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.server_cores / self.per_second * 1e6
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99) = (self.p50_us / 1000.0, self.p99_us / 1000.0);
        let Self { per_second, server_cores, own_cores, bytes, .. } = self;
        let cpu = self.cpu_us();
        write!(f, "{per_second:>9.1}/s  p50 {p50:>8.2} ms  p99 {p99:>8.2} ms  {cpu:>8.1} µs of processor each, ")?;
        write!(f, "cores: server {server_cores:.2}, generator {own_cores:.2}, {bytes} bytes")
    }
}

impl Generator {
    /// The one that was just built.
    pub(crate) fn new() -> Self {
        Self(workspace::release("examples/load"))
    }

    /// One request; its status and body.
    pub(crate) fn call(&self, request: &Value) -> Result<(u64, Value)> {
        let answer = self.run(&json!({"call": request}))?;
        let body = answer["body"].as_str().unwrap_or_default();
        Ok((answer["status"].as_u64().unwrap_or_default(), serde_json::from_str(body).unwrap_or_default()))
    }

    /// One JSON request that must succeed; its body.
    pub(crate) fn post(&self, address: &str, path: &str, token: &str, body: &Value) -> Result<Value> {
        let mut headers = vec!["content-type: application/json".to_owned()];
        if !token.is_empty() {
            headers.push(format!("authorization: Bearer {token}"));
        }
        let request =
            json!({"address": address, "method": "POST", "path": path, "headers": headers, "body": body.to_string()});
        let (status, answer) = self.call(&request)?;
        ensure!((200..300).contains(&status), "POST {path} was answered with {status}: {answer}");
        Ok(answer)
    }

    /// Asks until there is an answer of 200.
    pub(crate) fn wait_for(&self, address: &str, path: &str, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let request = json!({"address": address, "method": "GET", "path": path});
        while Instant::now() < deadline {
            if matches!(self.call(&request), Ok((200, _))) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("no answer from {address}{path} within {} s", limit.as_secs())
    }

    /// Loads a server for some time.
    pub(crate) fn load(&self, server: &Process, streams: &Value, warm_up: f64, seconds: f64) -> Result<Measured> {
        let mut job = streams.clone();
        job["threads"] = THREADS.into();
        job["watch"] = server.ids()?.into();
        job["warm_up"] = warm_up.into();
        job["seconds"] = seconds.into();
        Ok(serde_json::from_value(self.run(&json!({"load": job}))?)?)
    }

    fn run(&self, job: &Value) -> Result<Value> {
        let mut child = Command::new(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.0.display()))?;
        // Dropped at once: the job ends with the end of its input.
        child.stdin.take().context("no stdin")?.write_all(job.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "the load generator: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
