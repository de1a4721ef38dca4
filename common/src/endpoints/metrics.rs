//! `/metrics`: what the server counts, for Prometheus.

use super::endpoint;
use crate::endpoint::Empty;

endpoint! {
    /// What the server counts, in Prometheus' text format.
    Get: GET "/metrics", Admin, OK => Empty
}
