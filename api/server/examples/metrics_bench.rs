//! Measures what counting one request costs, beside `prometheus-client`'s families with the same labels and buckets.
//!
//!     cargo run --release -p coffer-server --example metrics_bench

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on panics")]

use std::{
    hint::black_box,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use coffer_server::metrics::{Http, Outcome, Route};
use http::{Method, StatusCode};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

const REQUESTS: u32 = 2_000_000;
const TIME: Duration = Duration::from_micros(125);
const ROUTE: &str = "/api/records/{collection}/{id}/";

/// Our bounds, in seconds.
const BOUNDS: [f64; 15] = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

fn main() {
    for threads in [1, 2] {
        let ours = Arc::new(Http::default());
        let route = Route::of(ROUTE);
        let ours = measure(threads, move || {
            ours.begin();
            ours.end(Outcome { route, method: &Method::GET, status: Some(StatusCode::OK), time: TIME, bytes: 300 });
        });
        let library = Library::default();
        let library = measure(threads, move || {
            library.in_flight.inc();
            library.end(black_box(ROUTE), black_box("GET"), black_box("2xx"), 300);
        });
        println!("{threads} threads: {ours:.0} ns a request, prometheus-client {library:.0} ns");
    }
}

/// Nanoseconds of each call, while this many threads do the same.
fn measure(threads: u32, count: impl Fn() + Clone + Send + 'static) -> f64 {
    let started = Instant::now();
    let threads = (0..threads).map(|_| {
        let count = count.clone();
        thread::spawn(move || (0..REQUESTS).for_each(|_| count()))
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().unwrap();
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS)
}

/// The same numbers, kept by the library.
#[derive(Clone)]
struct Library {
    requests: Family<Request, Counter>,
    times: Family<Kind, Histogram>,
    in_flight: Gauge,
    sent: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: &'static str,
    method: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    route: &'static str,
    method: &'static str,
}

impl Default for Library {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            times: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            in_flight: Gauge::default(),
            sent: Counter::default(),
        }
    }
}

impl Library {
    fn end(&self, route: &'static str, method: &'static str, status: &'static str, bytes: u64) {
        self.in_flight.dec();
        self.sent.inc_by(bytes);
        self.requests.get_or_create(&Request { route, method, status }).inc();
        self.times.get_or_create(&Kind { route, method }).observe(TIME.as_secs_f64());
    }
}
