//! `/api/changes/`: the journal.

use super::endpoint;
use crate::change::{ChangeQuery, Changes};

endpoint! {
    /// The journal, oldest first: changes of the records that you may view; for admins everything.
    List: GET "/api/changes/",
    access SignedIn, cost Reads(User), errors Drf,
    query ChangeQuery,
    body () as NOTHING,
    answer Changes as OK
}
