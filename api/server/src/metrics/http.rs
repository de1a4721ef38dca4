//! Requests and connections, counted.

use std::{
    array,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use base::{
    Newest,
    histogram::{Histogram, SECONDS},
};
use common::metrics::NOTED;
use http::{Method, StatusCode};

use super::{
    failed::Failed,
    route::{Route, routes},
    text::{Kind, Text},
};

/// The last stands for all others.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
/// The last stands for a client that left before there was an answer.
const OUTCOMES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "left"];

/// What became of one request.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// Where it went.
    pub route: Route,
    /// Its method.
    pub method: &'a Method,
    /// The answer's status, if there was an answer.
    pub status: Option<StatusCode>,
    /// From its head to the last byte of its answer.
    pub time: Duration,
    /// Bytes of the answer's body.
    pub bytes: u64,
}

/// What the accept loop counts.
#[derive(Debug)]
pub struct Http {
    /// One for each route and method, made when it is first asked for.
    series: Box<[OnceLock<Series>]>,
    in_flight: AtomicU64,
    sent: AtomicU64,
    accepted: AtomicU64,
    open: AtomicU64,
    flooding: AtomicU64,
    failed: Newest<Failed>,
}

#[derive(Debug)]
struct Series {
    outcomes: [AtomicU64; OUTCOMES.len()],
    time: Histogram,
}

/// What was counted up to a moment, over all routes and methods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Requests by class of status from 1xx to 5xx, and those whose clients left before there was an answer.
    pub outcomes: [u64; OUTCOMES.len()],
    /// How many requests took at most so many nanoseconds, streams of events left out, which end when their clients like.
    pub times: Vec<(u64, u64)>,
    /// How many there are in those, and above.
    pub timed: u64,
    /// Connections that are open.
    pub connections: u64,
}

/// A connection that is open. Dropping it closes it, as far as the numbers go.
#[derive(Debug)]
pub struct Connected(Arc<Http>);

impl Default for Http {
    fn default() -> Self {
        let series = (0..routes() * METHODS.len()).map(|_| OnceLock::new()).collect();
        let [in_flight, sent, accepted, open, flooding] = array::from_fn(|_| AtomicU64::new(0));
        Self { series, in_flight, sent, accepted, open, flooding, failed: Newest::new(NOTED) }
    }
}

impl Http {
    /// Counts a connection as long as the value lives.
    pub fn connected(self: &Arc<Self>) -> Connected {
        self.accepted.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        Connected(self.clone())
    }

    /// A connection was ended that sent frames for nothing.
    pub(crate) fn flooded(&self) {
        self.flooding.fetch_add(1, Relaxed);
    }

    /// A request has begun.
    pub fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// A request has ended, one way or another.
    pub fn end(&self, outcome: Outcome<'_>) {
        self.in_flight.fetch_sub(1, Relaxed);
        self.sent.fetch_add(outcome.bytes, Relaxed);
        let others = METHODS.len() - 1;
        let method = METHODS.iter().position(|known| *known == outcome.method.as_str()).unwrap_or(others);
        let Some(series) = self.series.get(usize::from(outcome.route.0) * METHODS.len() + method) else { return };
        let series = series
            .get_or_init(|| Series { outcomes: array::from_fn(|_| AtomicU64::new(0)), time: Histogram::new(SECONDS) });
        let class = outcome.status.map_or(OUTCOMES.len() - 1, |status| usize::from(status.as_u16() / 100 - 1));
        if let Some(count) = series.outcomes.get(class) {
            count.fetch_add(1, Relaxed);
        }
        series.time.observe_time(outcome.time);
    }

    /// Remembers a request that failed.
    pub(crate) fn remember(&self, failed: Failed) {
        self.failed.push(failed);
    }

    /// The newest requests that failed, the oldest of them first.
    pub fn failures(&self) -> Vec<Failed> {
        self.failed.all()
    }

    /// What was counted up to now.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals {
            times: SECONDS.iter().map(|bound| (*bound, 0)).collect(),
            connections: self.open.load(Relaxed),
            ..Totals::default()
        };
        for (i, series) in self.series.iter().enumerate() {
            let Some(series) = series.get() else { continue };
            for (total, count) in totals.outcomes.iter_mut().zip(&series.outcomes) {
                *total += count.load(Relaxed);
            }
            // How long a stream of events was open says nothing of how fast the server is.
            if Route::is_events(i / METHODS.len()) {
                continue;
            }
            let (times, all) = series.time.cumulative();
            for (total, (_, count)) in totals.times.iter_mut().zip(times) {
                total.1 += count;
            }
            totals.timed += all;
        }
        totals
    }

    /// All of it as Prometheus reads it.
    pub fn write(&self, text: &mut Text) {
        let known = || {
            self.series.iter().enumerate().filter_map(|(i, series)| {
                let route = u8::try_from(i / METHODS.len()).map_or(Route::NONE, Route);
                Some((route.template(), METHODS[i % METHODS.len()], series.get()?))
            })
        };
        text.family(
            "coffer_http_requests_total",
            Kind::Counter,
            "Requests by route template, method and class of status.",
        );
        for (route, method, series) in known() {
            for (outcome, count) in OUTCOMES.iter().zip(&series.outcomes) {
                let count = count.load(Relaxed);
                if count > 0 {
                    text.sample("", &[("route", route), ("method", method), ("status", outcome)], count);
                }
            }
        }
        text.family(
            "coffer_http_request_duration_seconds",
            Kind::Histogram,
            "From a request's head to the last byte of its answer.",
        );
        for (route, method, series) in known() {
            text.seconds(&[("route", route), ("method", method)], &series.time);
        }
        text.single("coffer_http_requests_in_flight", Kind::Gauge, "Requests under way.", self.in_flight.load(Relaxed));
        let sent = self.sent.load(Relaxed);
        text.single("coffer_http_response_body_bytes_total", Kind::Counter, "Bytes of answers' bodies.", sent);
        text.single("coffer_http_connections", Kind::Gauge, "Connections that are open.", self.open.load(Relaxed));
        let accepted = self.accepted.load(Relaxed);
        text.single(
            "coffer_http_connections_accepted_total",
            Kind::Counter,
            "Connections that were accepted.",
            accepted,
        );
        text.single(
            "coffer_http_connections_flooding_total",
            Kind::Counter,
            "Connections of HTTP/2 that were ended, since they sent frames much faster than their requests need.",
            self.flooding.load(Relaxed),
        );
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use common::{Endpoint as _, endpoints::events};

    use super::*;

    #[test]
    fn totals_are_over_all_routes_and_time_no_streams() {
        let http = Http::default();
        for (path, status, millis) in
            [("/api/", 200, 3), ("/api/changes/", 503, 40), (events::Stream::PATH, 200, 60_000), ("/x", 404, 20_000)]
        {
            http.begin();
            http.end(Outcome {
                route: Route::of(path),
                method: &Method::GET,
                status: StatusCode::from_u16(status).ok(),
                time: Duration::from_millis(millis),
                bytes: 1,
            });
        }
        let totals = http.totals();
        assert_eq!(totals.outcomes, [0, 2, 0, 1, 1, 0]);
        assert_eq!(totals.timed, 3);
        let at_most = |millis: u64| totals.times.iter().find(|(bound, _)| *bound == millis * 1_000_000).unwrap().1;
        assert_eq!([at_most(1), at_most(5), at_most(50), at_most(10_000)], [0, 1, 2, 2]);
    }

    #[test]
    fn requests_are_told_apart_by_what_is_fixed_and_by_nothing_else() {
        let http = Http::default();
        let route = Route::of("/api/records/{collection}/{id}/");
        assert_ne!(route, Route::NONE);
        let ask = |route, method: &str, status: Option<u16>| {
            http.begin();
            http.end(Outcome {
                route,
                method: &method.parse().unwrap(),
                status: status.map(|status| StatusCode::from_u16(status).unwrap()),
                time: Duration::from_millis(3),
                bytes: 10,
            });
        };
        for (route, method, status) in [
            (route, "GET", Some(200)),
            (route, "GET", Some(204)),
            (route, "GET", Some(999)),
            (route, "X-ODD", Some(405)),
            (route, "X-ODDER", Some(405)),
            (Route::of("/api/records/secret/"), "DELETE", None),
        ] {
            ask(route, method, status);
        }
        http.begin();
        let mut text = Text::default();
        http.write(&mut text);
        let text = text.finish();
        let requests: Vec<&str> = text.lines().filter(|line| line.starts_with("coffer_http_requests_total{")).collect();
        assert_eq!(
            requests,
            [
                r#"coffer_http_requests_total{route="none",method="DELETE",status="left"} 1"#,
                r#"coffer_http_requests_total{route="/api/records/{collection}/{id}/",method="GET",status="2xx"} 2"#,
                r#"coffer_http_requests_total{route="/api/records/{collection}/{id}/",method="other",status="4xx"} 2"#,
            ]
        );
        assert!(text.contains("\ncoffer_http_requests_in_flight 1\n"), "{text}");
        assert!(text.contains(r#"{route="none",method="DELETE",le="0.005"} 1"#), "{text}");
    }
}
