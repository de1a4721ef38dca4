//! `/api/`: what is here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::endpoint;
use crate::answer::JsonAnswer;

endpoint! {
    /// What is here: name, version, links, and whether set-up is still to be done.
    Get: GET "/api/",
    access Anyone, cost Reads(Address), errors Drf,
    body () as NOTHING,
    answer Root as OK
}

/// What is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Root {
    /// "Coffer".
    pub name: String,
    /// The server's version.
    pub version: String,
    /// No admin has been made yet.
    pub setup_required: bool,
    /// The least number of characters that a new password may have here, for forms to say so before it is sent.
    pub min_password_length: u64,
    /// Absolute addresses of the roots, by name.
    pub links: BTreeMap<String, String>,
}

impl JsonAnswer for Root {}
