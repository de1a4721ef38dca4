//! `/api/batch/`: changes of several records, in several collections, in one commit.

use super::endpoint;
use crate::batch::{Batch, Batched};

endpoint! {
    /// Create, update and delete up to 1,000 records of several collections, all or none.
    Run: POST "/api/batch/",
    access SignedIn, cost Writes(User), errors Drf,
    body Batch as LARGE_JSON,
    answer Batched as OK
}
