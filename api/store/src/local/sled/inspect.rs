//! Comparing what a database holds with what the last commit recorded and with what was promised.
//!
//! It reads every entry once, which is the price of knowing: sled can skip a damaged part of its
//! log and start without a word. One thread reads, another adds up. What it costs is measured by
//! `api/examples/million.rs`.

use std::{
    collections::HashSet,
    ops::Bound,
    panic::resume_unwind,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

use ::sled::{Db, IVec};

use super::{
    STATE_KEY, decode, encode,
    stored::{Stored, is_piece},
};
use crate::{
    Version,
    local::{
        order_statistics::{BucketBuilder, OrderStatistics},
        state::{State, fingerprint},
    },
};

/// The threads that open a database, by whose name panics of sled are known.
pub(super) const OPENING_THREAD: &str = "store-open";

/// Entries that are handed over at once.
const TOGETHER: usize = 512;

/// How often that many may wait to be added up.
const WAITING: usize = 8;

/// What is known of a database that was read through.
pub(super) struct Inspected {
    pub state: State,
    pub order: OrderStatistics,
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
    Ok(Inspected { state, order: OrderStatistics::new(found.keys.finish()), has_pieces: found.pieces.0 > 0 })
}

/// Makes what is left of a damaged database consistent, and returns its new state.
pub(super) fn settle(db: &Db, promised: Option<Version>) -> Result<Inspected, String> {
    let recorded = db.get(STATE_KEY).ok().flatten().and_then(|stored| decode(&stored));
    drop_broken_values(db).map_err(|error| error.to_string())?;
    let Sums { mut state, keys, pieces, .. } = add_up(db)?;
    // Versions that were handed out stay used, even if what they wrote is lost.
    let used = recorded.unwrap_or_default().version.max(promised.unwrap_or_default());
    state.version = state.version.max(used);
    let written = db.insert(STATE_KEY, encode(state)).and_then(|_| db.flush());
    written.map_err(|error| error.to_string())?;
    Ok(Inspected { state, order: OrderStatistics::new(keys.finish()), has_pieces: pieces.0 > 0 })
}

/// Everything in a database, added up.
#[derive(Default)]
struct Sums {
    /// As it should be recorded; the version is the latest that any entry carries.
    state: State,
    /// The pieces of large values: how many, and the sum of their keys' fingerprints.
    pieces: (u64, u64),
    /// The same for the pieces that the large values should have.
    pieces_due: (u64, u64),
    /// The keys, in their order.
    keys: BucketBuilder<IVec>,
}

impl Sums {
    fn add(&mut self, key: IVec, stored: &IVec) -> Result<(), String> {
        if is_piece(&key) {
            count(&mut self.pieces, &key);
            return Ok(());
        }
        let stored = Stored::parse(stored).map_err(|error| error.reason)?;
        let (state, version) = (&mut self.state, stored.version());
        state.entries += 1;
        state.sum = state.sum.wrapping_add(fingerprint(&key, version));
        state.version = state.version.max(version);
        if let Stored::Large(large) = stored {
            large.keys().for_each(|key| count(&mut self.pieces_due, &key));
        }
        self.keys.push(key);
        Ok(())
    }
}

/// Counts the key of a piece, which has no version of its own.
fn count(total: &mut (u64, u64), key: &[u8]) {
    *total = (total.0 + 1, total.1.wrapping_add(fingerprint(key, Version::ZERO)));
}

/// One walk goes from the first key to the last. Two that meet would pass by a hole: a leaf from before it was split takes itself for the
/// last one and ends a walk that comes from below, while one from above goes through it without noticing.
fn add_up(db: &Db) -> Result<Sums, String> {
    let (send, received) = sync_channel(WAITING);
    thread::scope(|scope| {
        let reading = thread::Builder::new().name(OPENING_THREAD.to_owned());
        let reading = reading.spawn_scoped(scope, move || walk(db, &send)).map_err(|error| error.to_string())?;
        let mut found = Sums::default();
        let added = received.into_iter().flatten().try_for_each(|(key, stored)| found.add(key, &stored));
        // What went wrong in the reading comes first: it is why less was added.
        reading.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        added.map(|()| found)
    })
}

/// Reads all entries and hands them over.
fn walk(db: &Db, to: &SyncSender<Vec<(IVec, IVec)>>) -> Result<(), String> {
    let mut rest = db.range::<&[u8], _>((Bound::Excluded(STATE_KEY), Bound::Unbounded));
    loop {
        let items: Result<Vec<_>, _> = rest.by_ref().take(TOGETHER).collect();
        let items = items.map_err(|error| error.to_string())?;
        // Nobody takes them any more where something was found to be wrong.
        if items.is_empty() || to.send(items).is_err() {
            return Ok(());
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
            Ok(Stored::Large(large)) if large.load(|key| db.get(key))?.is_some() => whole.extend(large.keys()),
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
