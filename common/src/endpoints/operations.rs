//! `/api/operations/`: work in the background.

use super::endpoint;
use crate::{answer::NoContent, id::OperationId, operation::Operation, page::Page, query::ListQuery, rows::Cells};

endpoint! {
    /// A page of operations, newest first: work in the background and what became of it.
    List: GET "/api/operations/",
    access Admin, cost Reads(User), errors Drf,
    query ListQuery,
    body () as NOTHING,
    answer Page<Operation> as OK
}

endpoint! {
    /// One operation: its state and how far it is; your own, or as an admin anybody's.
    Get: GET "/api/operations/{id}/",
    access SignedIn, cost Reads(User), errors Drf,
    params (OperationId,),
    body () as NOTHING,
    answer Operation as OK
}

endpoint! {
    /// The rows that an import left out, each with what is wrong with it, as CSV that can be mended and sent again. It is kept for a day.
    Rejected: GET "/api/operations/{id}/rejected/",
    access SignedIn, cost Reads(User), errors Drf,
    params (OperationId,),
    body () as NOTHING,
    answer Cells as OK
}

endpoint! {
    /// Stop an operation, unless it is over; your own, or as an admin anybody's. What was done stays done, but of an import.
    Stop: DELETE "/api/operations/{id}/",
    access SignedIn, cost Writes(User), errors Drf,
    params (OperationId,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// Go on with an operation that was paused, or that failed after it took effect.
    Resume: POST "/api/operations/{id}/resume/",
    access Admin, cost Writes(User), errors Drf,
    params (OperationId,),
    body () as NOTHING,
    answer Operation as ACCEPTED
}
