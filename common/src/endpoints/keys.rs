//! `/api/keys/`: the keys that tokens are signed with, without what is secret of them.

use serde::{Deserialize, Serialize};

use super::endpoint;
use crate::answer::JsonAnswer;
pub use crate::inspection::{Key, KeyState};

endpoint! {
    /// The keys that this server signs and verifies tokens with, by id, algorithm, state and age.
    List: GET "/api/keys/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Keys as OK
}

/// All keys of a server, the one that signs first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Keys {
    /// They are the operator's files, and not the ring in the data directory.
    pub are_given: bool,
    /// The keys.
    pub results: Vec<Key>,
}

impl JsonAnswer for Keys {}
