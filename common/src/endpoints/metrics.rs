//! `/metrics`: what the server counts, for Prometheus.

use super::endpoint;
use crate::answer::{Answer, AnswerKind};

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
