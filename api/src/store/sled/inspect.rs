//! Comparing what a database holds with what the last commit recorded and with what was promised.
//!
//! It reads every entry once, which is the price of knowing: sled can skip a damaged part of its
//! log and start without a word. What that costs is measured by `api/examples/store_bench.rs`.

use std::collections::HashSet;
use std::ops::Bound;

use ::sled::Db;

use super::stored::{Stored, is_piece};
use super::{STATE_KEY, decode, encode};
use crate::store::Version;
use crate::store::engine::{State, fingerprint};

/// The state of a whole database, or what is wrong with it.
pub(super) fn inspect(db: &Db, promised: Option<Version>, fresh: bool) -> Result<State, String> {
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
    Ok(state)
}

/// Makes what is left of a damaged database consistent, and returns its new state.
pub(super) fn settle(db: &Db, promised: Option<Version>) -> Result<State, String> {
    let recorded = db.get(STATE_KEY).ok().flatten().and_then(|stored| decode(&stored));
    drop_broken_values(db).map_err(|error| error.to_string())?;
    let mut state = add_up(db)?.state;
    // Versions that were handed out stay used, even if what they wrote is lost.
    let used = recorded.unwrap_or_default().version.max(promised.unwrap_or_default());
    state.version = state.version.max(used);
    let written = db.insert(STATE_KEY, encode(state)).and_then(|_| db.flush());
    written.map_err(|error| error.to_string())?;
    Ok(state)
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
}

fn add_up(db: &Db) -> Result<Found, String> {
    let add = |total: &mut (u64, u64), key: &[u8], version| {
        total.0 += 1;
        total.1 = total.1.wrapping_add(fingerprint(key, version));
    };
    let mut found = Found::default();
    let mut entries = (0, 0);
    for item in db.range::<&[u8], _>((Bound::Excluded(STATE_KEY), Bound::Unbounded)) {
        let (key, stored) = item.map_err(|error| error.to_string())?;
        if is_piece(&key) {
            add(&mut found.pieces, &key, Version::ZERO);
            continue;
        }
        let stored = Stored::parse(&stored).map_err(|error| error.reason)?;
        add(&mut entries, &key, stored.version());
        found.state.version = found.state.version.max(stored.version());
        if let Stored::Large(large) = stored {
            large.keys().for_each(|key| add(&mut found.pieces_due, &key, Version::ZERO));
        }
    }
    (found.state.entries, found.state.sum) = entries;
    Ok(found)
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
