//! What happened between the place that a subscriber knows and now, read from the journal: the same frames that it would have got then, by the
//! rules of today.

use std::collections::{BTreeMap, HashMap};

use common::{
    access::Caller,
    change::{Change, Subject},
    event::EventId,
    id::{RecordId, UserId},
    record::Record,
    user::User,
};
use store::{
    Snapshot, Version,
    journal::{self as blocks, Position},
};

use super::{
    definition::Redefined,
    frame::{self, Frame},
    happened::{Happened, event_id, next},
    scope::Scope,
    subscriber::Subscriber,
};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    gone,
    journal::{self, Back, Entry, RecordChange},
    numbers::CollectionNumber,
    work,
};

/// Frames that are made at once, about, and bytes of them: then the client has to take them first.
pub(super) const WINDOW: usize = 500;
const WINDOW_BYTES: usize = 1024 * 1024;
/// Bytes that the records of one window may take, as they were before and after. With more, a window is of fewer changes.
const MOST_HELD: u64 = 4 * 1024 * 1024;
/// How many changes of records one window goes back through. Of a record that changes all the time there may be millions; then it is said that it
/// has to be read again.
const MAX_STEPS: usize = 200_000;

/// A part of what happened.
#[derive(Default)]
pub(super) struct Window {
    /// What the subscriber gets, in order.
    pub frames: Vec<Frame>,
    /// Everything up to here is in it.
    pub upto: Option<Position>,
    /// There may be more.
    pub goes_on: bool,
}

/// What one entry is to the subscriber.
enum Event {
    /// A change of a record, whose sides are not read yet.
    Record(Position, RecordChange),
    /// A frame.
    Frame(Frame),
}

/// Who reads what happened, and from which state of the store.
#[derive(Clone, Copy)]
pub(super) struct Replay<'a> {
    pub core: &'a Core,
    pub snapshot: &'a Snapshot,
    pub subscriber: &'a Subscriber,
    pub scope: &'a Scope,
    pub deadline: &'a Deadline,
}

/// Reads on from `after`, as many changes as the client can be told at once: `most` has how many that were last, and how many it takes to begin with.
pub(super) async fn window(replay: Replay<'_>, after: EventId, most: &mut usize) -> Result<Window> {
    loop {
        match read(replay, after, *most).await {
            Err(Error::TooLargeTogether) if *most > 1 => *most /= 2,
            window => {
                *most = (*most * 2).min(WINDOW);
                return window;
            }
        }
    }
}

async fn read(replay: Replay<'_>, after: EventId, most: usize) -> Result<Window> {
    let Replay { snapshot, subscriber, scope, deadline, .. } = replay;
    let from = next(super::happened::position(after));
    let (mut found, mut bytes, mut upto, mut goes_on) = (Vec::new(), 0, None, false);
    let mut blocks = blocks::blocks_from(snapshot, from).await?;
    'reading: while let Some(block) = blocks.next().await? {
        for appended in block.entries.into_iter().filter(|entry| entry.at >= from) {
            if found.len() >= most || bytes >= WINDOW_BYTES {
                goes_on = true;
                break 'reading;
            }
            upto = Some(appended.at);
            let size = appended.bytes.len();
            let before = found.len();
            match journal::parse(&appended.bytes)? {
                Entry::Record(change, _) => {
                    if let Some(rule) = scope.get(&change.collection)
                        && (rule.may.covers(change.owner_before) || rule.may.covers(change.owner_after))
                    {
                        found.push(Event::Record(appended.at, change));
                    }
                }
                Entry::Other(change, _) => {
                    found.extend(of_other(subscriber, scope, appended.at, &change)?.map(Event::Frame));
                }
            }
            if found.len() > before {
                bytes += size;
            }
        }
        deadline.give_way().await?;
    }
    let frames = frames(replay, found, most > 1).await?;
    Ok(Window { frames, upto, goes_on })
}

/// What an entry that is of no record is to the subscriber.
fn of_other(subscriber: &Subscriber, scope: &Scope, at: Position, change: &Change) -> Result<Option<Frame>> {
    let id = event_id(at);
    match change.subject {
        Subject::Collection => {
            let Some(redefined) = Redefined::read(change)? else { return Ok(None) };
            let is_followed = subscriber.wanted.collections.is_none()
                || redefined.collection().is_some_and(|it| scope.values().any(|rule| rule.id == it.id));
            let effect = redefined.effect(subscriber, id.revision).filter(|_| is_followed);
            Ok(effect.map(|effect| {
                let (kind, data) = effect.parts();
                Frame { id, bytes: frame::of(Some(id), kind, data) }
            }))
        }
        Subject::User if change.id.parse::<UserId>() == Ok(subscriber.user) => {
            let caller = |json: &common::json::Exact| {
                let user = serde_json::from_value::<User>((**json).clone()).ok()?;
                Some(Caller::User { id: user.id, is_admin: user.is_admin, roles: user.roles })
            };
            let (before, after) = (caller(&change.before), caller(&change.after));
            Ok((before != after).then(|| frame::reset(id, "roles", None)))
        }
        _ => Ok(None),
    }
}

/// A record on both sides of the changes of a window, by their versions.
type SidesOf = HashMap<Version, (Option<Record>, Option<Record>)>;

/// The frames of what was found. Each record is followed back once, from what it is now to its earliest change in the window.
async fn frames(replay: Replay<'_>, found: Vec<Event>, is_bounded: bool) -> Result<Vec<Frame>> {
    let Replay { core, snapshot, scope, deadline, .. } = replay;
    let mut held = core.memory.nothing();
    let mut wanted: BTreeMap<(CollectionNumber, RecordId), Version> = BTreeMap::new();
    for found in &found {
        if let Event::Record(at, change) = found {
            let first = wanted.entry((change.collection, change.id)).or_insert(at.version);
            *first = (*first).min(at.version);
        }
    }
    let (mut schemas, mut sides, mut steps) = (HashMap::new(), HashMap::new(), 0);
    for ((number, id), first) in wanted {
        let schema = match schemas.get(&number) {
            Some(schema) => schema,
            None => schemas.entry(number).or_insert(gone::last_schema(core, snapshot, number).await?),
        };
        let mut back = Back::new(snapshot, schema.as_deref(), number, id).await?;
        let mut of_record = SidesOf::new();
        while back.next_version().is_some_and(|version| version >= first) && steps < MAX_STEPS {
            let Some(step) = back.step().await? else { break };
            let sides = [&step.before, &step.after].into_iter().flatten().map(work::record_size);
            held.grow(sides.sum::<usize>() as u64)?;
            if is_bounded && held.bytes() > MOST_HELD {
                return Err(Error::TooLargeTogether);
            }
            of_record.insert(step.version, (step.before, step.after));
            steps += 1;
            if steps % 64 == 0 {
                deadline.give_way().await?;
            }
        }
        sides.insert((number, id), of_record);
    }
    let mut frames = Vec::with_capacity(found.len());
    for found in found {
        let (at, change) = match found {
            Event::Frame(frame) => {
                frames.push(frame);
                continue;
            }
            Event::Record(at, change) => (at, change),
        };
        let Some(rule) = scope.get(&change.collection) else { continue };
        let known = sides.get_mut(&(change.collection, change.id)).and_then(|sides| sides.remove(&at.version));
        let Some(Some(schema)) = schemas.get(&change.collection) else { continue };
        let Some((before, after)) = known else {
            frames.push(frame::reset(event_id(at), "history", Some(rule.name.clone())));
            continue;
        };
        let happened = Happened::between(schema, at, change, before, after)?;
        if let Some(outcome) = happened.outcome(rule) {
            frames.push(happened.frame(&core.memory, outcome)?);
        }
    }
    Ok(frames)
}
