//! `/api/changes/`: the journal.

use super::endpoint;
use crate::{
    change::{ChangeQuery, Changes},
    operation::{Operation, TrimChanges},
};

endpoint! {
    /// The journal, oldest first: changes of the records that you may view; for admins everything.
    List: GET "/api/changes/",
    access SignedIn, cost Reads(User), errors Drf,
    query ChangeQuery,
    body () as NOTHING,
    answer Changes as OK
}

endpoint! {
    /// Have the old entries of the journal removed, in the background. Histories begin later then.
    Trim: POST "/api/changes/trim/",
    access Admin, cost Writes(User), errors Drf,
    body TrimChanges as JSON,
    answer Operation as ACCEPTED
}
