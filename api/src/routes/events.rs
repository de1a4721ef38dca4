//! `/api/events/`.

use std::{
    io,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use common::{
    endpoints::events,
    event::{EventId, TICKET_SECONDS, Ticket},
    id::{SessionId, UserId},
    problem::FieldErrors,
    reader::invalid,
};
use futures_util::Stream;
use http::HeaderName;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::{
    domain::{
        Error, Result,
        error::AuthError,
        events::{EventBytes, issue_ticket, look_at_ticket, open, redeem_ticket},
    },
    limits::{StreamPermit, StreamsTaken},
};

/// Where a client goes on: browsers send it by themselves.
const LAST_EVENT_ID: &str = "last-event-id";
/// Asks nginx, and those that do as it does, to hand over what comes when it comes.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(crate) fn register(table: &mut Table) {
    table.on::<events::Stream, _, _>(stream);
    table.on::<events::Ticket, _, _>(ticket);
}

async fn stream(context: Context, input: Input<events::Stream>) -> Result<Reply<events::Stream>> {
    let (session, user) = whose(&context, &input)?;
    let permit = context.options.event_streams.take(user.uuid(), input.origin.address).map_err(|taken| {
        Error::TooManyStreams(match taken {
            StreamsTaken::User(limit) => format!("You have {limit} streams of events open. Close one first."),
            StreamsTaken::Address(limit) => {
                format!("There are {limit} streams of events open from this address. Close one first.")
            }
        })
    })?;
    let since = match last_event_id(&input)? {
        // Of both, the header is newer: browsers ask for the same address again.
        Some(last) => Some(last),
        None => input.query.since,
    };
    let events = open(&context.app, session, user, &input.query, since).await?;
    let reply = Reply::stream(Box::pin(Sent { events, _permit: permit }));
    Ok(reply.header(BUFFERING, "no"))
}

/// Whose stream it is: by the access token, or by a ticket.
fn whose(context: &Context, input: &Input<events::Stream>) -> Result<(SessionId, UserId)> {
    if let Some(session) = input.session_if_any() {
        return Ok((session.id, session.user.id));
    }
    let Some(ticket) = &input.query.ticket else { return Err(AuthError::Missing.into()) };
    if input.is_head { look_at_ticket(&context.app, ticket) } else { redeem_ticket(&context.app, ticket) }
}

fn last_event_id(input: &Input<events::Stream>) -> Result<Option<EventId>> {
    let Some(value) = input.headers.get(LAST_EVENT_ID) else { return Ok(None) };
    match value.to_str().unwrap_or("?") {
        "" => Ok(None),
        text => match text.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(FieldErrors::of("since", invalid("Last-Event-ID is not the id of an event.")).into()),
        },
    }
}

async fn ticket(context: Context, input: Input<events::Ticket>) -> Result<Reply<events::Ticket>> {
    let session = input.session()?;
    let ticket = issue_ticket(&context.app, session.id, session.user.id)?;
    Reply::new(&Ticket { ticket, expires_in: TICKET_SECONDS })
}

/// A stream on its way, which counts for its caller as long as it is open.
struct Sent {
    events: EventBytes,
    _permit: StreamPermit,
}

impl Stream for Sent {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.get_mut().events.poll_piece(cx).map(|piece| piece.map(Ok))
    }
}
