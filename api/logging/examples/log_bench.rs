//! Measures the log beside `tracing-subscriber`'s own lines with `tracing-appender`'s writer: CPU time and system calls for a line at a
//! steady pace, lines per second at full speed and how many of them are lost, and what it costs to say which request a task works on.
//!
//!     cargo run --release -p coffer-logging --example log_bench
//!
//! Each is measured in a process of its own, since a process has one log. Lines go to `/dev/null`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

extern crate coffer_logging as logging;

use std::{
    fs::File,
    future::{Ready, ready},
    hint::black_box,
    io::{self, Write},
    pin::pin,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

use base::Clock;
use logging::{ACCESS, Format, Log, RequestId};
use rustix::time::{ClockId, clock_gettime};
use tracing::Instrument as _;
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::{EnvFilter, Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _};
use uuid::Uuid;

/// How long each is measured.
const TIME: Duration = Duration::from_secs(3);
/// Lines a second that a busy server writes.
const PACE: u64 = 20_000;
const THREADS: u64 = 2;
const REQUESTS: u32 = 1_000_000;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("ours") => {
            let out = Counted::default();
            let (log, guard) = Log::start(Format::Json, "info", Clock::system(), out.clone()).unwrap();
            measure("ours", &out, || log.lost(), || log.flush());
            drop(guard);
        }
        Some("appender") => {
            let out = Counted::default();
            let (writer, guard) = tracing_appender::non_blocking(out.clone());
            let lost = writer.error_counter();
            start(writer);
            measure(
                "tracing-appender",
                &out,
                || lost.dropped_lines() as u64,
                || thread::sleep(Duration::from_millis(300)),
            );
            drop(guard);
        }
        _ => {
            for which in ["ours", "appender"] {
                Command::new(std::env::current_exe().unwrap()).arg(which).status().unwrap();
            }
        }
    }
}

/// The library's JSON lines, its fields on one level as ours are, under the same filter.
fn start(writer: NonBlocking) {
    let (filter, _handle) = reload::Layer::new(EnvFilter::new("info"));
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(writer);
    Registry::default().with(filter).with(lines).init();
}

fn measure(name: &str, out: &Counted, lost: impl Fn() -> u64, flush: impl Fn()) {
    let (started, calls) = (cpu(), out.calls.load(Relaxed));
    let lines = at_pace();
    flush();
    let (time, calls) = (cpu().saturating_sub(started), out.calls.load(Relaxed) - calls);
    println!(
        "{name}: {PACE} lines/s: {:.2} µs of CPU a line, {:.3} writes a line",
        micros(time, lines),
        ratio(calls, lines)
    );

    let (started, before, written) = (cpu(), lost(), out.lines.load(Relaxed));
    let lines = at_full_speed();
    let time = cpu().saturating_sub(started);
    let dropped = lost() - before;
    flush();
    let written = out.lines.load(Relaxed) - written;
    println!(
        "{name}: full speed: {:.0} lines/s written, {:.1} % of {lines} lost, {:.2} µs of CPU a line",
        ratio(written, 1) / TIME.as_secs_f64(),
        100.0 * ratio(dropped, lines),
        micros(time, lines)
    );

    let id = RequestId::new(Uuid::from_u128(7));
    let cost = |work: &dyn Fn()| {
        let started = Instant::now();
        (0..REQUESTS).for_each(|_| work());
        started.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS)
    };
    let nothing = cost(&|| poll(black_box(request())));
    let task_local = cost(&|| poll(id.scope(black_box(request()))));
    let span =
        cost(&|| poll(black_box(request()).instrument(tracing::info_span!("request", request_id = id.as_str()))));
    println!(
        "{name}: a request that logs nothing: {:.0} ns for a task-local id, {:.0} ns for a span",
        task_local - nothing,
        span - nothing
    );
}

fn request() -> Ready<()> {
    ready(())
}

fn poll(future: impl Future<Output = ()>) {
    let _ = black_box(pin!(future).poll(&mut Context::from_waker(Waker::noop())));
}

/// The line that every request gets.
fn access(n: u64) {
    tracing::info!(
        target: ACCESS,
        request_id = "019acb1e-5c1e-7f3a-9d6a-0c5f8e0f7a11",
        method = "GET",
        route = "/api/records/{collection}/{id}/",
        status = 200_u16,
        user = "019acb1e-5c1e-7f3a-9d6a-0c5f8e0f7a12",
        name = "ada",
        client = "127.0.0.1",
        bytes = n,
        ms = 0.125,
    );
}

fn at_pace() -> u64 {
    let (started, mut lines) = (Instant::now(), 0);
    while started.elapsed() < TIME {
        (0..PACE / 1000).for_each(|_| access(lines));
        lines += PACE / 1000;
        thread::sleep((Duration::from_micros(lines * 1_000_000 / PACE)).saturating_sub(started.elapsed()));
    }
    lines
}

fn at_full_speed() -> u64 {
    let writers = (0..THREADS).map(|_| {
        thread::spawn(|| {
            let (started, mut lines) = (Instant::now(), 0);
            while started.elapsed() < TIME {
                (0..100).for_each(|_| access(lines));
                lines += 100;
            }
            lines
        })
    });
    let writers: Vec<_> = writers.collect();
    writers.into_iter().map(|writer| writer.join().unwrap()).sum()
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

fn micros(time: Duration, lines: u64) -> f64 {
    time.as_secs_f64() * 1e6 / ratio(lines, 1)
}

#[allow(clippy::cast_precision_loss, reason = "figures of a bench")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

/// `/dev/null`, and how much was written there.
#[derive(Clone)]
struct Counted {
    null: Arc<File>,
    calls: Arc<AtomicU64>,
    lines: Arc<AtomicU64>,
}

impl Default for Counted {
    fn default() -> Self {
        let null = File::options().write(true).open("/dev/null").unwrap();
        Self { null: null.into(), calls: Arc::default(), lines: Arc::default() }
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls.fetch_add(1, Relaxed);
        self.lines.fetch_add(bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum(), Relaxed);
        (&*self.null).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
