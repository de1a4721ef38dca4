//! `/api/changes/`: the journal.

use super::endpoint;
use crate::{
    change::{ChangeQuery, Changes},
    erase,
    id::OperationId,
    operation::{self, TrimChanges},
    undo::{OperationChanges, OperationQuery, RevertQuery, Reverted, Reverting},
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
    answer operation::Operation as ACCEPTED
}

endpoint! {
    /// Have something erased from the journal, in the background: a record, a field's old values, what is said of a user.
    Erase: POST "/api/changes/erase/",
    access Admin, cost Writes(User), errors Drf,
    body erase::Erase as JSON,
    answer operation::Operation as ACCEPTED
}

endpoint! {
    /// What one operation, such as a request, did to things that you may view.
    Operation: GET "/api/changes/{operation}/",
    access SignedIn, cost Reads(User), errors Drf,
    params (OperationId,), query OperationQuery,
    body () as NOTHING,
    answer OperationChanges as OK
}

endpoint! {
    /// Undo an operation, all of it or nothing. 202 where it is large, and is done in the background. `dry_run=true` tells what would be done.
    Revert: POST "/api/changes/{operation}/revert/",
    access Rules(), cost Writes(User), errors Drf,
    params (OperationId,), query RevertQuery,
    body () as NOTHING,
    answer Reverted as OK
}

endpoint! {
    /// [`Revert`] with `dry_run=true`, which has an answer of its own: what it would do.
    DryRevert: POST "/api/changes/{operation}/revert/",
    access Rules(), cost Writes(User), errors Drf,
    params (OperationId,), query RevertQuery,
    body () as NOTHING,
    answer Reverting as OK
}
