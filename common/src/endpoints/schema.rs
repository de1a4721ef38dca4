//! `/api/schema/`: what the server answers, for programs that write clients.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint;
use crate::{Object, answer::JsonAnswer};

endpoint! {
    /// This server as an OpenAPI 3.1 document, as far as you may see it.
    Get: GET "/api/schema/",
    access SignedIn, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer OpenApi as OK
}

/// An OpenAPI document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenApi(pub Object);

impl OpenApi {
    /// The document that is this object; an empty one for anything else.
    pub fn of(document: Value) -> Self {
        match document {
            Value::Object(members) => Self(members),
            _ => Self(Object::new()),
        }
    }
}

impl JsonAnswer for OpenApi {}
