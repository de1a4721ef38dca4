//! `/api/storage/`: what the server keeps on its disk.

use serde::{Deserialize, Serialize};

use super::endpoint;
use crate::{answer::JsonAnswer, operation::OperationState};

endpoint! {
    /// Give disk space that holds nothing any more back to the system. Requests wait for a moment at its end. 202 where it takes longer.
    Compact: POST "/api/storage/compact/",
    access Admin, cost Writes(User), errors Drf,
    body () as NOTHING,
    answer Compaction as OK
}

endpoint! {
    /// How the compaction stands that this server was asked for last, and what came of it. Where it was asked for none since it was started, what the files take now.
    Get: GET "/api/storage/compact/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Compaction as OK
}

/// What was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Compaction {
    /// Running, done or failed.
    pub state: OperationState,
    /// Why it failed; null unless it did.
    pub error: Option<String>,
    /// Bytes on the disk before.
    pub before: u64,
    /// Bytes on the disk now.
    pub after: u64,
    /// Bytes that are free inside the store's files and stay there, for what is written next.
    pub free_inside: u64,
    /// The longest that a request waited for it, in milliseconds.
    pub waited_ms: u64,
    /// Everything was written anew; otherwise only parts of the files that held nothing at all were given back.
    pub rewritten: bool,
    /// Something that was erased may still stand in the files: it was erased meanwhile, or there is no room to write everything anew.
    #[serde(default)]
    pub has_erased: bool,
}

impl JsonAnswer for Compaction {}
