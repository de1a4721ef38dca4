//! `/api/events/`: what changes, when it changes.

use super::endpoint;
use crate::event::{self, EventQuery, EventStream};

endpoint! {
    /// The changes of the records that you may view, as they are made, as server-sent events. `Last-Event-ID` goes on where a stream ended.
    Stream: GET "/api/events/",
    access SignedInOrTicket, cost Reads(User), errors Drf,
    query EventQuery,
    body () as NOTHING,
    answer EventStream as OK
}

endpoint! {
    /// A ticket that opens one stream of events within half a minute, for programs that can send no headers.
    Ticket: POST "/api/events/ticket/",
    access SignedIn, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer event::Ticket as OK
}
