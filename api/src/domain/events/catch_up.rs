//! From opening a stream to being up to date: the records as they are, where they are asked for, then what happened since the place that the client
//! knows, read window by window as the client takes it, and at the end the hub.

use std::sync::Arc;

use bytes::Bytes;
use common::{
    access::Decision,
    event::{EventData, EventId, EventKind},
    id::{RecordId, Revision},
};
use store::{
    Entry, Scan, Snapshot, Version,
    journal::{self as blocks, Position},
};
use tokio::sync::mpsc;

use super::{
    frame::{self, Frame},
    replay::{Replay, WINDOW, Window, window},
    scope::{self, Rule, Scope},
    subscriber::{Reason, Subscriber},
};
use crate::domain::{
    app::App,
    backup::restored_times,
    core::Core,
    covered::owned,
    deadline::Deadline,
    error::{Error, Result},
    journal, keyspace,
    numbers::CollectionNumber,
    record,
    schema::{self, Schema},
    work::AT_ONCE,
};

/// Records of a snapshot that are read at once, and their bytes, about.
const RECORDS: usize = 200;
const BYTES: usize = 512 * 1024;
/// Frames that are handed over together are one piece of about so many bytes.
const PIECE: usize = 32 * 1024;

/// What was found of a subscriber at one moment.
pub(super) struct Seen {
    pub snapshot: Snapshot,
    pub scope: Scope,
}

/// Looks at the subscriber's rights as they are now. That they changed is in the journal, so `replay` tells of it.
pub(super) async fn look(app: &App, subscriber: &Subscriber) -> Result<Seen> {
    let core = app.core();
    let snapshot = core.store.snapshot().await?;
    let caller = scope::caller(core, &snapshot, subscriber.session, subscriber.user).await?;
    let scope = subscriber.wanted.scope(core, &app.events().shared, &snapshot, &caller).await?;
    subscriber.set_caller(caller);
    Ok(Seen { snapshot, scope })
}

/// Whether what follows a place is all in the journal.
pub(super) async fn is_told(snapshot: &Snapshot, since: EventId) -> Result<bool> {
    let trimmed = journal::trimmed(snapshot).await?;
    // What is later than everything is of another store, or of a time that this one has lost.
    let is_told = since.revision.0 <= snapshot.version().get()
        && (trimmed == Version::ZERO || since >= EventId::after(Revision(trimmed.get())));
    Ok(is_told && is_of_this_history(snapshot, Version::new(since.revision.0)).await?)
}

/// Whether a version is of what this store has behind it. One that was given out after the backup that this was restored from is of a history that
/// is lost, though the versions here are later: nothing of its time is in the journal.
async fn is_of_this_history(snapshot: &Snapshot, version: Version) -> Result<bool> {
    let times = restored_times(version);
    if times == restored_times(snapshot.version()) {
        return Ok(true);
    }
    let mut blocks = blocks::blocks_from(snapshot, Position { version, place: 0 }).await?;
    while let Some(block) = blocks.next().await? {
        if let Some(entry) = block.entries.iter().find(|entry| entry.at.version >= version) {
            return Ok(restored_times(entry.at.version) == times);
        }
    }
    Ok(false)
}

/// Brings a subscriber up to date and lets it into the hub. `pieces` are taken by the client, no faster than it reads.
pub(super) async fn run(
    app: App,
    subscriber: Arc<Subscriber>,
    first: Seen,
    since: Option<EventId>,
    pieces: mpsc::Sender<Bytes>,
    deadline: Deadline,
) {
    let outcome = catch_up(&app, &subscriber, first, since, &pieces, &deadline).await;
    deadline.give_back();
    match outcome {
        Ok(()) => {}
        Err(Error::Unauthenticated(_)) => subscriber.end(Reason::Session),
        Err(Error::NotFound | Error::Denied | Error::NobodyMay(_)) => subscriber.end(Reason::Rules),
        Err(Error::Invalid(_)) => subscriber.end(Reason::Filter),
        // Others need the memory, or what was read was kept for too long.
        Err(Error::NoMemory | Error::GivenUp | Error::Busy) => subscriber.end(Reason::Slow),
        Err(error) => {
            tracing::error!(reason = error.with_causes(), "a stream of events cannot go on");
            subscriber.end(Reason::Failed);
        }
    }
}

async fn catch_up(
    app: &App,
    subscriber: &Arc<Subscriber>,
    first: Seen,
    since: Option<EventId>,
    pieces: &mpsc::Sender<Bytes>,
    deadline: &Deadline,
) -> Result<()> {
    let core = app.core();
    let mut seen = first;
    let mut at = if let Some(since) = since {
        since
    } else {
        let Some(at) = send_snapshot(core, &seen, subscriber, pieces, deadline).await? else { return Ok(()) };
        at
    };
    let mut most = WINDOW;
    loop {
        loop {
            let replay = Replay { core, snapshot: &seen.snapshot, subscriber, scope: &seen.scope, deadline };
            let Window { frames, upto, goes_on } = window(replay, at, &mut most).await?;
            let mut frames = frames.into_iter().peekable();
            while let Some(Frame { mut id, mut bytes }) = frames.next() {
                // Small ones go together, and a large one is not copied.
                if bytes.len() < PIECE && frames.peek().is_some() {
                    let mut piece = Vec::from(bytes);
                    while piece.len() < PIECE
                        && let Some(next) = frames.next()
                    {
                        piece.extend_from_slice(&next.bytes);
                        id = next.id;
                    }
                    bytes = piece.into();
                }
                if send(pieces, bytes, deadline).await.is_none() {
                    return Ok(());
                }
                subscriber.begin_after(id);
            }
            if !goes_on {
                at = EventId::after(Revision(seen.snapshot.version().get()));
                break;
            }
            if let Some(upto) = upto {
                at = super::happened::event_id(upto);
            }
            if app.events().hub.is_stopping() {
                subscriber.end(Reason::Stopping);
                return Ok(());
            }
            // The journal may have been trimmed meanwhile, and what is old is kept in memory for who reads it.
            seen = look(app, subscriber).await?;
            if !is_told(&seen.snapshot, at).await? {
                return Err(Error::GivenUp);
            }
        }
        if app.events().hub.join(subscriber, &seen.scope, seen.snapshot.version()).is_ok() {
            return Ok(());
        }
        seen = look(app, subscriber).await?;
    }
}

/// The records as they are, and the place that they are of; `None` where the client has left.
async fn send_snapshot(
    core: &Core,
    Seen { snapshot, scope }: &Seen,
    subscriber: &Subscriber,
    pieces: &mpsc::Sender<Bytes>,
    deadline: &Deadline,
) -> Result<Option<EventId>> {
    for (number, rule) in scope {
        if !send_records(core, snapshot, subscriber, *number, rule, pieces, deadline).await? {
            return Ok(None);
        }
    }
    let at = EventId::after(Revision(snapshot.version().get()));
    let data = EventData { since: Some(at), ..EventData::default() };
    let sent = send(pieces, frame::of(Some(at), EventKind::Live, &data), deadline).await;
    subscriber.begin_after(at);
    Ok(sent.map(|()| at))
}

/// Hands a piece over; `None` where the client has left. The turn at reading goes to others meanwhile.
async fn send(pieces: &mpsc::Sender<Bytes>, piece: Bytes, deadline: &Deadline) -> Option<()> {
    if let Err(mpsc::error::TrySendError::Full(piece)) = pieces.try_send(piece) {
        deadline.give_back();
        return pieces.send(piece).await.ok();
    }
    if pieces.is_closed() { None } else { Some(()) }
}

/// The records of a collection that a rule lets through, as they are in the snapshot. `false` where the client has left.
async fn send_records(
    core: &Core,
    snapshot: &Snapshot,
    subscriber: &Subscriber,
    number: CollectionNumber,
    rule: &Rule,
    pieces: &mpsc::Sender<Bytes>,
    deadline: &Deadline,
) -> Result<bool> {
    let Some(schema) = schema::by_number(&core.schemas, snapshot, number).await? else { return Ok(true) };
    if rule.may == Decision::Denied {
        return Ok(true);
    }
    // Somebody who follows their own records is answered by them alone, also in how long it takes.
    let owned = owned(core, snapshot, &schema, rule.may).await?;
    // Of one's own only the keys are read with their neighbours.
    let at_once = if owned.is_some() { AT_ONCE } else { RECORDS };
    let mut scan =
        Scan::prefix(&owned.clone().unwrap_or_else(|| keyspace::records(number))).limit(at_once).limit_bytes(BYTES);
    loop {
        let found = snapshot.scan(scan.clone()).await?;
        let Some((last, _)) = found.last() else { return Ok(true) };
        scan = scan.after(last);
        let records: Vec<(RecordId, Entry)> = if owned.is_some() {
            let ids: Vec<RecordId> = found.iter().filter_map(|(key, _)| keyspace::last_id(key)).collect();
            let keys: Vec<_> = ids.iter().map(|id| keyspace::record(number, *id)).collect();
            let entries = snapshot.get_many(&keys).await?;
            ids.into_iter().zip(entries).filter_map(|(id, entry)| Some((id, entry?))).collect()
        } else {
            found.into_iter().filter_map(|(key, entry)| Some((keyspace::last_id(&key)?, entry))).collect()
        };
        let mut piece = Vec::new();
        for (id, entry) in records {
            if let Some(json) = shown(&schema, rule, id, &entry)? {
                piece.extend_from_slice(&frame::of_snapshot(&rule.name, &json));
            }
        }
        if !piece.is_empty() {
            let charge = core.memory.charge(piece.len() as u64)?;
            if send(pieces, charge.with_bytes(piece.into()), deadline).await.is_none() || subscriber.is_ending() {
                return Ok(false);
            }
        }
        deadline.give_way().await?;
    }
}

/// A record as it is told, if a rule lets it through.
fn shown(schema: &Schema, rule: &Rule, id: RecordId, entry: &Entry) -> Result<Option<Bytes>> {
    if rule.may != Decision::All && !rule.may.covers(record::owner(&entry.value)?) {
        return Ok(None);
    }
    if let Some(filter) = &rule.filter
        && !filter.holds(&schema.parse(id, entry)?)
    {
        return Ok(None);
    }
    Ok(Some(schema.json(id, &entry.value, Some(Revision(entry.version.get())))?))
}
