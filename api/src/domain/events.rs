//! Live events: the journal as it grows, for each subscriber what they may view. What is told is in the journal, which is durable and in order; so
//! nothing is lost, and who breaks off goes on from where they were.
//!
//! - `scope`: what a subscriber follows, by the rules and roles of a moment
//! - `catch_up` → `replay`: from a place in the past up to now, read for one subscriber as fast as it reads
//! - `hub` ← `feed`: from then on, read once for all; `index` looks up whom a change concerns
//! - `happened`, `definition`: what an entry is to a subscriber; `frame`: its bytes
//! - `subscriber`: what waits for one client
//! - `ticket`: in place of an access token; `state`: what a server holds of all of it

mod catch_up;
mod definition;
mod feed;
mod frame;
mod happened;
mod hub;
mod index;
mod replay;
mod scope;
mod shared;
mod state;
mod subscriber;
mod ticket;

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
};

use base::Charge;
use bytes::Bytes;
use common::{
    event::{EventData, EventId, EventKind, EventQuery},
    id::{Revision, SessionId, UserId},
};
use logging::in_current_request;
use tokio::sync::mpsc;

use self::{
    catch_up::{is_told, look},
    scope::Wanted,
    subscriber::Subscriber,
};
use super::{
    app::App,
    error::{Error, Result},
};

pub use feed::run;
pub use state::{Counts, Events};

/// What a stream holds beside its events: its connection's buffers, its place in the index, its queue.
const HELD: u64 = 16 * 1024;
/// Pieces that wait while a client catches up.
const AHEAD: usize = 2;
/// Milliseconds after which a client connects again whose stream broke off.
const RETRY: u64 = 2_000;

/// A ticket for this session, which opens one stream.
pub fn issue_ticket(app: &App, session: SessionId, user: UserId) -> Result<String> {
    app.events().tickets.issue(&app.core().clock, &app.auth().entropy, session, user)
}

/// Uses a ticket up: whose session it is of.
pub fn redeem_ticket(app: &App, ticket: &str) -> Result<(SessionId, UserId)> {
    app.events().tickets.redeem(&app.core().clock, ticket)
}

/// The same for who only asks whether it is good, and does not use it.
pub fn look_at_ticket(app: &App, ticket: &str) -> Result<(SessionId, UserId)> {
    app.events().tickets.look_at(&app.core().clock, ticket)
}

/// The bytes of one stream, as they come. Dropping it ends the subscription.
pub struct EventBytes {
    app: App,
    subscriber: Arc<Subscriber>,
    /// Before anything else.
    first: Option<Bytes>,
    /// What the client still has to catch up with.
    pieces: Option<mpsc::Receiver<Bytes>>,
    _held: Charge,
}

/// Opens a stream for a session: from `since`, or with a snapshot, or from now on.
pub async fn open(
    app: &App,
    session: SessionId,
    user: UserId,
    query: &EventQuery,
    since: Option<EventId>,
) -> Result<EventBytes> {
    let core = app.core();
    let hub = &app.events().hub;
    if hub.is_stopping() {
        return Err(Error::Stopped);
    }
    let held = core.memory.charge(HELD)?;
    let snapshot = core.store.snapshot().await?;
    let caller = scope::caller(core, &snapshot, session, user).await?;
    let now = EventId::after(Revision(snapshot.version().get()));
    drop(snapshot);
    let from = since.unwrap_or(now);
    let subscriber = Subscriber::new(hub.number(), session, user, caller, Wanted::new(query), from);
    let mut seen = look(app, &subscriber).await?;
    let mut since = since;
    if let Some(place) = since
        && !is_told(&seen.snapshot, place).await?
    {
        if !query.snapshot {
            return Err(Error::EventsRemoved(Revision(seen.snapshot.version().get())));
        }
        since = None;
    }
    hub.open.fetch_add(1, Relaxed);
    let mut stream =
        EventBytes { app: app.clone(), subscriber: Arc::clone(&subscriber), first: None, pieces: None, _held: held };
    if since.is_none() && !query.snapshot {
        // Most streams begin here and now.
        loop {
            let version = seen.snapshot.version();
            if hub.join(&subscriber, &seen.scope, version).is_ok() {
                stream.first = Some(opened(Some(EventId::after(Revision(version.get())))));
                return Ok(stream);
            }
            seen = look(app, &subscriber).await?;
        }
    }
    // A snapshot has no place yet: who breaks off within it begins anew.
    stream.first = Some(opened(since));
    let (pieces, taken) = mpsc::channel(AHEAD);
    stream.pieces = Some(taken);
    let deadline = core.deadline();
    tokio::spawn(in_current_request(catch_up::run(app.clone(), subscriber, seen, since, pieces, deadline)));
    Ok(stream)
}

/// The first event: it comes at once, so that who waits for it longer knows that something on the way keeps events back.
fn opened(since: Option<EventId>) -> Bytes {
    let data = EventData { since, ..EventData::default() };
    [frame::retry(RETRY).as_bytes(), &frame::of(since, EventKind::Open, &data)].concat().into()
}

impl EventBytes {
    /// The next piece; `None` at the end.
    pub fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if let Some(pieces) = &mut self.pieces {
            if let Some(piece) = ready!(Pin::new(pieces).poll_recv(cx)) {
                return Poll::Ready(Some(piece));
            }
            self.pieces = None;
        }
        self.subscriber.poll_take(cx)
    }
}

impl Drop for EventBytes {
    fn drop(&mut self) {
        let hub = &self.app.events().hub;
        hub.leave(&self.subscriber);
        hub.open.fetch_sub(1, Relaxed);
        // A stream that is catching up must not join the hub any more.
        self.subscriber.end(subscriber::Reason::Stopping);
    }
}
