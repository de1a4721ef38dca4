//! What the server measured of itself in the last hour, a sample at a time.

use serde::{Deserialize, Serialize};

use crate::{
    answer::JsonAnswer,
    id::Revision,
    problem::FieldErrors,
    query::{Pairs, Query, unknown_parameter},
    reader::invalid,
    validate::canonical_datetime,
};

/// How many samples of a second are kept.
pub const SECONDS_KEPT: usize = 120;
/// How many samples of ten seconds are kept.
pub const TENS_KEPT: usize = 360;

/// The samples that are kept, oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metrics {
    /// One for each second of the last two minutes.
    pub seconds: Vec<Sample>,
    /// One for each ten seconds of the last hour.
    pub tens: Vec<Sample>,
    /// The newest commit: changes later than this one are those that are made from now on.
    pub revision: Revision,
    /// When the server's TLS certificate ends: RFC 3339, UTC; null where it has none.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub certificate_ends_at: Option<String>,
    /// The newest requests that were answered with 5xx, of those that the server remembers.
    #[serde(default)]
    pub failures: Vec<FailedRequest>,
    /// The newest lists that took long, of those that the server remembers.
    #[serde(default)]
    pub slow: Vec<SlowQuery>,
}

impl JsonAnswer for Metrics {}

/// How many failed requests, and how many slow queries, are remembered.
pub const NOTED: usize = 50;

/// A request that was answered with 5xx.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedRequest {
    /// When it ended: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// Its id, as the caller was told it and as the log has it.
    pub request_id: String,
    /// Its method.
    pub method: String,
    /// The path, with its parameters as in `/api/records/{collection}/`.
    pub route: String,
    /// The answer's status.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub milliseconds: f64,
    /// The name of who asked; null where nobody was signed in.
    pub user: Option<String>,
}

/// A list that took long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SlowQuery {
    /// When it ended: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// The id of its request; null where no request asked for it.
    pub request_id: Option<String>,
    /// The collection.
    pub collection: String,
    /// What it asked for, without the values.
    pub query: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// How many keys were read.
    pub keys_read: u64,
    /// How many records were tested.
    pub records_tested: u64,
    /// The fields of an index that would have left less to do.
    pub would_help: Option<Vec<String>>,
}

/// What was counted in a stretch of time, and what there was at its end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    /// The end of the stretch: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// How long the stretch was, in milliseconds.
    pub milliseconds: u64,
    /// Requests that ended in it.
    pub requests: Requests,
    /// Half of them took no longer than this, in milliseconds, read from buckets; streams of events are left out. Null where there was none.
    pub p50_ms: Option<f64>,
    /// The same for 99 of a hundred.
    pub p99_ms: Option<f64>,
    /// Commits.
    pub commits: u64,
    /// Groups of commits, one sync of the disk each.
    pub groups: u64,
    /// Sign-ins by what became of them.
    pub sign_ins: SignIns,
    /// Passwords that wait to be hashed.
    pub hashing_queue: u64,
    /// How long the last of them waits, in milliseconds, if each takes as long as they did so far; null where none was hashed yet.
    pub hashing_wait_ms: Option<f64>,
    /// Connections that are open.
    pub connections: u64,
    /// Streams of events that are open.
    pub event_streams: u64,
    /// Sessions that are open. Where there are many, they are counted less often. Null where they could not be.
    pub sessions: Option<u64>,
    /// Memory that is held for requests, in bytes.
    pub memory_held: u64,
    /// Memory that may be held for them, in bytes; null where there is no limit.
    pub memory_limit: Option<u64>,
    /// What the store's files take on the disk, in bytes; null where the system did not say.
    pub store_bytes: Option<u64>,
    /// What is free on that disk, in bytes; null where the system did not say.
    pub disk_free: Option<u64>,
    /// How large that disk is, in bytes; null where the system did not say.
    pub disk_size: Option<u64>,
}

/// Requests by the class of their answers' status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Requests {
    /// 2xx, and 1xx.
    #[serde(rename = "2xx")]
    pub success: u64,
    /// 3xx.
    #[serde(rename = "3xx")]
    pub redirection: u64,
    /// 4xx.
    #[serde(rename = "4xx")]
    pub client_error: u64,
    /// 5xx.
    #[serde(rename = "5xx")]
    pub server_error: u64,
    /// The client left before there was an answer.
    pub left: u64,
}

impl Requests {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.success + self.redirection + self.client_error + self.server_error + self.left
    }
}

/// Sign-ins by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignIns {
    /// A session began.
    pub good: u64,
    /// The name or the password was wrong.
    pub bad: u64,
    /// They were not looked at, since there had been too many wrong ones.
    pub locked: u64,
}

/// The parameters of the samples.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricsQuery {
    /// Only samples later than this moment.
    pub since: Option<String>,
}

impl Query for MetricsQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in pairs {
            match (name.as_str(), canonical_datetime(&value)) {
                ("since", Some(moment)) => query.since = Some(moment),
                ("since", None) => errors.push(name, invalid("This is not a moment, such as 2026-11-28T18:00:00Z.")),
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        self.since.iter().map(|since| ("since".to_owned(), since.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn the_query_reads_back_as_it_was_written() {
        let raw = "since=2026-11-28T18%3A00%3A00.250000Z";
        let query = MetricsQuery::from_pairs(decode(raw)).unwrap();
        assert_eq!(encode(&query.to_pairs()), raw);
        assert_eq!(MetricsQuery::from_pairs(decode("")).unwrap(), MetricsQuery::default());
        for bad in ["since=", "since=yesterday", "since=12", "until=2026-11-28T18:00:00Z"] {
            assert!(MetricsQuery::from_pairs(decode(bad)).is_err(), "{bad}");
        }
    }
}
