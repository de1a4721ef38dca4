//! What a dashboard points at: requests that failed, and lists that took long, each with the id by which the log has it.

use std::cmp::Reverse;

use super::{History, clock, number};
use crate::{
    metrics::{FailedRequest, NOTED, SlowQuery},
    text::{single_line, thousands},
};

/// A request that is worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notable {
    /// When it ended: RFC 3339, UTC.
    pub at: String,
    /// It was answered with 5xx; otherwise it took long.
    pub has_failed: bool,
    /// What it was, in a line; safe to show.
    pub text: String,
    /// What to do about it; empty where there is nothing to say.
    pub advice: String,
    /// Its id, as the log has it.
    pub request_id: Option<String>,
}

impl Notable {
    fn failed(request: &FailedRequest) -> Self {
        let FailedRequest { at, request_id, method, route, status, milliseconds, user } = request;
        let by = user.as_ref().map(|user| format!(", {}", single_line(user))).unwrap_or_default();
        Self {
            at: at.clone(),
            has_failed: true,
            text: format!("{status} {method} {route} after {} ms{by}", number(*milliseconds)),
            advice: "The log has the reason under this id.".to_owned(),
            request_id: Some(request_id.clone()),
        }
    }

    fn slow(query: &SlowQuery) -> Self {
        let SlowQuery { at, request_id, collection, query, milliseconds, records_tested, would_help, .. } = query;
        let query = if query.is_empty() { String::new() } else { format!("?{}", single_line(query)) };
        Self {
            at: at.clone(),
            has_failed: false,
            text: format!(
                "{} ms: {collection}{query}, {} records tested",
                thousands(*milliseconds),
                thousands(*records_tested)
            ),
            advice: match would_help {
                Some(fields) => format!("An index over ({}) would leave less to do.", fields.join(", ")),
                None => "No index would leave less to do; a narrower filter would.".to_owned(),
            },
            request_id: request_id.clone(),
        }
    }

    /// The time of day when it ended, in UTC.
    pub fn clock(&self) -> String {
        clock(&self.at)
    }
}

/// What the server remembers of both kinds, as far as it was told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Noted {
    failures: Vec<FailedRequest>,
    slow: Vec<SlowQuery>,
}

impl Noted {
    /// Takes what is new; what was told before is told once more now and then.
    pub(super) fn take(&mut self, failures: Vec<FailedRequest>, slow: Vec<SlowQuery>) {
        for failed in failures {
            if !self.failures.contains(&failed) {
                self.failures.push(failed);
            }
        }
        for query in slow {
            if !self.slow.contains(&query) {
                self.slow.push(query);
            }
        }
        self.failures.drain(..self.failures.len().saturating_sub(NOTED));
        self.slow.drain(..self.slow.len().saturating_sub(NOTED));
    }
}

impl History {
    /// Requests that failed and lists that took long, the newest first.
    pub fn notable(&self) -> Vec<Notable> {
        let mut all: Vec<Notable> = self.noted.failures.iter().map(Notable::failed).collect();
        all.extend(self.noted.slow.iter().map(Notable::slow));
        all.sort_by_key(|one| Reverse(one.at.clone()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn failed(at: &str) -> FailedRequest {
        FailedRequest {
            at: at.to_owned(),
            request_id: "0192".to_owned(),
            method: "GET".to_owned(),
            route: "/metrics".to_owned(),
            status: 500,
            milliseconds: 3.25,
            user: Some("ada\u{1b}".to_owned()),
        }
    }

    #[test]
    fn what_failed_and_what_was_slow_stand_by_their_moments_and_once() {
        let mut history = History::default();
        let slow = SlowQuery {
            at: "2026-11-28T08:00:02.5Z".to_owned(),
            request_id: None,
            collection: "snacks".to_owned(),
            query: "price__gte&ordering=-title".to_owned(),
            milliseconds: 1234,
            keys_read: 7,
            records_tested: 100_000,
            would_help: Some(vec!["kind".to_owned(), "-price".to_owned()]),
        };
        let metrics = || Metrics {
            failures: vec![failed("2026-11-28T08:00:01Z"), failed("2026-11-28T08:00:03Z")],
            slow: vec![slow.clone()],
            ..Metrics::default()
        };
        history.take(metrics());
        history.take(metrics());
        let lines: Vec<String> = history.notable().iter().map(|one| format!("{} {}", one.clock(), one.text)).collect();
        assert_eq!(
            lines,
            [
                "08:00:03 500 GET /metrics after 3.25 ms, ada\u{fffd}",
                "08:00:02 1\u{202f}234 ms: snacks?price__gte&ordering=-title, 100\u{202f}000 records tested",
                "08:00:01 500 GET /metrics after 3.25 ms, ada\u{fffd}",
            ]
        );
        assert_eq!(history.notable()[1].advice, "An index over (kind, -price) would leave less to do.");
        history.take(Metrics {
            failures: (10..60).map(|n| failed(&format!("2026-11-28T09:00:{n}Z"))).collect(),
            ..Metrics::default()
        });
        assert_eq!(history.notable().len(), NOTED + 1);
    }
}
