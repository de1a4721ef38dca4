//! `/metrics`: what the server counts, for Prometheus; `/api/metrics/`: the same of the last hour, for people's screens.

use super::endpoint;
use crate::{
    answer::{Answer, AnswerKind},
    metrics::{Metrics, MetricsQuery},
};

endpoint! {
    /// The last hour of this server in numbers, a sample for each of the last 120 seconds and one for each ten seconds of the hour.
    Recent: GET "/api/metrics/",
    access Admin, cost Reads(User), errors Drf,
    query MetricsQuery,
    body () as NOTHING,
    answer Metrics as OK
}

endpoint! {
    /// What the server counts, in Prometheus' text format.
    Get: GET "/metrics",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Exposition as OK
}

/// Prometheus' text format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposition(pub String);

impl Answer for Exposition {
    const KIND: AnswerKind = AnswerKind::Text;
    const MEDIA_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        Ok(Self(String::from_utf8_lossy(bytes).into_owned()))
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut schemars::SchemaGenerator) -> Option<schemars::Schema> {
        Some(schemars::json_schema!({"type": "string"}))
    }
}
