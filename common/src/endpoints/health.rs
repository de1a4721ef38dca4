//! `/healthz` and `/readyz`: for supervisors and load balancers.

use serde::{Deserialize, Serialize};

use super::endpoint;

endpoint! {
    /// The process is alive.
    Healthy: GET "/healthz", Anyone, OK => Health
}

endpoint! {
    /// The server takes requests and its store takes writes; otherwise 503.
    Ready: GET "/readyz", Anyone, OK => Health
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// "ok".
    pub status: String,
}
