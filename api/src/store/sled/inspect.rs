//! Comparing what a database holds with what the last commit recorded and with what was promised.
//!
//! It reads every entry once, which is the price of knowing: sled can skip a damaged part of its
//! log and start without a word. Two threads share the work, from both ends until they meet. What it
//! costs is measured by `api/examples/million.rs`.

use std::collections::HashSet;
use std::ops::Bound;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use ::sled::{Db, IVec};

use super::open::OPENING_THREAD;
use super::stored::{Stored, is_piece};
use super::{STATE_KEY, decode, encode};
use crate::store::Version;
use crate::store::engine::{State, fingerprint};
use crate::store::ranks::{Gather, Ranks};
use crate::store::scan::Direction;

/// Entries that a thread takes on at once.
const TOGETHER: usize = 512;

/// What is known of a database that was read through.
pub(super) struct Inspected {
    pub state: State,
    pub ranks: Ranks,
    /// Some values are so large that they are in pieces.
    pub has_pieces: bool,
}

/// The state of a whole database, or what is wrong with it.
pub(super) fn inspect(db: &Db, promised: Option<Version>, fresh: bool) -> Result<Inspected, String> {
    let stored = db.get(STATE_KEY).map_err(|error| error.to_string())?;
    let state = match &stored {
        None => State::default(),
        Some(stored) => decode(stored).ok_or("its state is torn")?,
    };
    let promised = match promised {
        None if fresh && state == State::default() => Version::ZERO,
        None => return Err("its high-water mark is missing".to_owned()),
        Some(promised) => promised,
    };
    let version = state.version;
    if promised > version {
        return Err(format!("changes up to {promised} were confirmed, but it ends at {version}"));
    }
    let found = add_up(db)?;
    let (entries, due) = (found.state.entries, state.entries);
    if (entries, found.state.sum) != (due, state.sum) {
        return Err(format!("it holds {entries} entries, and they are not the {due} due"));
    }
    if found.pieces != found.pieces_due {
        return Err("parts of large values are missing".to_owned());
    }
    Ok(Inspected { state, ranks: found.ranks, has_pieces: found.pieces.0 > 0 })
}

/// Makes what is left of a damaged database consistent, and returns its new state.
pub(super) fn settle(db: &Db, promised: Option<Version>) -> Result<Inspected, String> {
    let recorded = db.get(STATE_KEY).ok().flatten().and_then(|stored| decode(&stored));
    drop_broken_values(db).map_err(|error| error.to_string())?;
    let Found { mut state, ranks, pieces, .. } = add_up(db)?;
    // Versions that were handed out stay used, even if what they wrote is lost.
    let used = recorded.unwrap_or_default().version.max(promised.unwrap_or_default());
    state.version = state.version.max(used);
    let written = db.insert(STATE_KEY, encode(state)).and_then(|_| db.flush());
    written.map_err(|error| error.to_string())?;
    Ok(Inspected { state, ranks, has_pieces: pieces.0 > 0 })
}

/// Everything in a database, added up.
#[derive(Default)]
struct Found {
    /// As it should be recorded; the version is the latest that any entry carries.
    state: State,
    /// The pieces of large values: how many, and the sum of their keys' fingerprints.
    pieces: (u64, u64),
    /// The same for the pieces that the large values should have.
    pieces_due: (u64, u64),
    /// Where the keys are.
    ranks: Ranks,
}

/// What one thread found.
#[derive(Default)]
struct Part {
    entries: (u64, u64),
    latest: Version,
    pieces: (u64, u64),
    pieces_due: (u64, u64),
    keys: Gather<IVec>,
}

impl Part {
    fn add(&mut self, key: IVec, stored: &IVec) -> Result<(), String> {
        if is_piece(&key) {
            count(&mut self.pieces, &key, Version::ZERO);
            return Ok(());
        }
        let stored = Stored::parse(stored).map_err(|error| error.reason)?;
        count(&mut self.entries, &key, stored.version());
        self.latest = self.latest.max(stored.version());
        if let Stored::Large(large) = stored {
            large.keys().for_each(|key| count(&mut self.pieces_due, &key, Version::ZERO));
        }
        self.keys.push(key);
        Ok(())
    }
}

fn count(total: &mut (u64, u64), key: &[u8], version: Version) {
    *total = plus(*total, (1, fingerprint(key, version)));
}

fn plus(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    (a.0 + b.0, a.1.wrapping_add(b.1))
}

/// How far both threads have come: every key up to `low`, and from `high` on, is somebody's.
#[derive(Default)]
struct Taken {
    low: Option<IVec>,
    high: Option<IVec>,
}

fn add_up(db: &Db) -> Result<Found, String> {
    let taken = Mutex::new(Taken::default());
    let (low, high) = thread::scope(|scope| {
        let other = thread::Builder::new().name(OPENING_THREAD.to_owned());
        let other = other.spawn_scoped(scope, || walk(db, Direction::Backward, &taken));
        let low = walk(db, Direction::Forward, &taken);
        let high = other.map_err(|error| error.to_string())?.join();
        Ok::<_, String>((low, high.unwrap_or_else(|panic| resume_unwind(panic))))
    })?;
    let (low, high) = (low?, high?);
    let (entries, sum) = plus(low.entries, high.entries);
    let mut buckets = low.keys.finish();
    buckets.extend(high.keys.finish().into_iter().rev());
    Ok(Found {
        state: State { version: low.latest.max(high.latest), entries, sum },
        pieces: plus(low.pieces, high.pieces),
        pieces_due: plus(low.pieces_due, high.pieces_due),
        ranks: Ranks::new(buckets),
    })
}

/// Adds up from one end until everything is taken.
fn walk(db: &Db, direction: Direction, taken: &Mutex<Taken>) -> Result<Part, String> {
    let mut part = Part::default();
    let mut rest = db.range::<&[u8], _>((Bound::Excluded(STATE_KEY), Bound::Unbounded));
    loop {
        let next = || match direction {
            Direction::Forward => rest.next(),
            Direction::Backward => rest.next_back(),
        };
        let items: Result<Vec<_>, _> = std::iter::from_fn(next).take(TOGETHER).collect();
        let mut items = items.map_err(|error| error.to_string())?;
        {
            let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
            let free = items.iter().take_while(|(key, _)| match direction {
                Direction::Forward => taken.high.as_ref().is_none_or(|high| key < high),
                Direction::Backward => taken.low.as_ref().is_none_or(|low| key > low),
            });
            items.truncate(free.count());
            if let Some((key, _)) = items.last() {
                match direction {
                    Direction::Forward => taken.low = Some(key.clone()),
                    Direction::Backward => taken.high = Some(key.clone()),
                }
            }
        }
        let met = items.len() < TOGETHER;
        for (key, stored) in items {
            part.add(key, &stored)?;
        }
        if met {
            return Ok(part);
        }
    }
}

/// Removes large values that miss a piece, pieces without a value, and what cannot be parsed.
fn drop_broken_values(db: &Db) -> Result<(), ::sled::Error> {
    let mut whole = HashSet::new();
    let mut pieces = Vec::new();
    for item in db.range::<&[u8], _>((Bound::Excluded(STATE_KEY), Bound::Unbounded)) {
        let (key, stored) = item?;
        match Stored::parse(&stored) {
            _ if is_piece(&key) => pieces.push(key),
            Ok(Stored::Large(large)) if large.load(db)?.is_some() => whole.extend(large.keys()),
            Ok(Stored::Whole(..)) => {}
            Ok(Stored::Large(_)) | Err(_) => drop(db.remove(key)?),
        }
    }
    for key in pieces {
        if !whole.contains(key.as_ref()) {
            db.remove(key)?;
        }
    }
    Ok(())
}
