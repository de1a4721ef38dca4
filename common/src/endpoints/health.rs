//! `/healthz` and `/readyz`: for supervisors and load balancers.

use serde::{Deserialize, Serialize};

use super::endpoint;
use crate::answer::JsonAnswer;

endpoint! {
    /// The process is alive.
    Healthy: GET "/healthz",
    access Supervisor, cost Free, errors Drf,
    body () as NOTHING,
    answer Health as OK
}

endpoint! {
    /// The server takes requests and its store takes writes; otherwise 503, or 507 where its disk is full.
    Ready: GET "/readyz",
    access Supervisor, cost Free, errors Drf,
    body () as NOTHING,
    answer Health as OK
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Health {
    /// "ok".
    pub status: String,
}

impl JsonAnswer for Health {}
