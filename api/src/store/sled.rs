//! The engine on disk: sled 0.34.7, made to keep its word.
//!
//! sled's own `flush` does not sync the disk, its open can panic, and damage in its log can make it
//! start with less than it had. So every group is followed by a sync on a handle of our own and a
//! high-water mark, and opening compares what is there with what was promised: `sled/open.rs`.
//! One tree holds everything; readers are kept out only while a group enters sled's memory.

mod files;
mod mark;
mod open;

use std::fs::File;
use std::ops::Bound;

use ::sled::{Db, IVec};
use bytes::Bytes;

use self::files::Lock;
use self::mark::Mark;
use super::engine::{ApplyError, State, Stretch};
use super::error::ReadError;
use super::scan::Direction;
use super::{Entry, Key, Version};

/// Where the state is kept: before every key, as an empty space name would be.
const STATE_KEY: &[u8] = &[0];

pub(super) struct Sled {
    db: Db,
    /// Our own handle of sled's database file, held so that a write error is reported to us even
    /// if the system has told sled's handle about it already.
    file: File,
    mark: Mark,
    /// Room on the disk that is never used up, because opening needs some.
    reserve_bytes: u64,
    /// Held as long as the engine lives.
    _lock: Lock,
}

impl Sled {
    pub fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        let value = self.db.get(key.as_bytes()).map_err(read_error)?;
        value.map(|value| unstamp(&value, true)).transpose()
    }

    pub fn read(&self, stretch: &Stretch<'_>) -> Result<Vec<(Key, Entry)>, ReadError> {
        let from = match stretch.from {
            Bound::Unbounded => Bound::Excluded(STATE_KEY),
            bound => bound.map(Key::as_bytes),
        };
        let range = self.db.range::<&[u8], _>((from, stretch.to.map(Key::as_bytes)));
        let entry = |item: Result<(IVec, IVec), ::sled::Error>| {
            let (key, value) = item.map_err(read_error)?;
            Ok((Key::from_encoded(key.to_vec()), unstamp(&value, stretch.values)?))
        };
        match stretch.direction {
            Direction::Forward => range.take(stretch.limit).map(entry).collect(),
            Direction::Backward => range.rev().take(stretch.limit).map(entry).collect(),
        }
    }

    pub fn has_room_for(&self, bytes: usize) -> bool {
        let Ok(disk) = rustix::fs::fstatvfs(&self.file) else {
            return true;
        };
        // sled writes a page anew for each change of it, hence more than the bytes themselves.
        let needed = (bytes as u64).saturating_mul(4).saturating_add(self.reserve_bytes);
        disk.f_bavail.saturating_mul(disk.f_frsize) >= needed
    }

    pub fn apply(&self, writes: impl Iterator<Item = (Key, Option<Entry>)>, state: State) -> Result<(), ApplyError> {
        let mut batch = ::sled::Batch::default();
        for (key, entry) in writes {
            match entry {
                Some(entry) => batch.insert(key.as_bytes(), stamp(&entry)),
                None => batch.remove(key.as_bytes()),
            }
        }
        batch.insert(STATE_KEY, encode(state));
        self.db.apply_batch(batch).map_err(|error| failed("writing", &error))?;
        self.db.flush().map_err(|error| failed("flushing", &error))?;
        // Tried once: after a failed sync the system forgets what it could not write.
        self.file.sync_all().map_err(|error| failed("syncing", &error))?;
        self.mark.write(state.version).map_err(|error| failed("writing the mark", &error))
    }
}

/// A value as it is stored: the version, then the bytes.
fn stamp(entry: &Entry) -> Vec<u8> {
    [&entry.version.get().to_be_bytes(), entry.value.as_ref()].concat()
}

fn unstamp(stored: &[u8], value: bool) -> Result<Entry, ReadError> {
    let (version, bytes) =
        stored.split_first_chunk::<8>().ok_or_else(|| ReadError { reason: "a value has no version".to_owned() })?;
    let value = if value { Bytes::copy_from_slice(bytes) } else { Bytes::new() };
    Ok(Entry { version: Version::new(u64::from_be_bytes(*version)), value })
}

fn encode(state: State) -> Vec<u8> {
    [state.version.get(), state.entries, state.sum].map(u64::to_be_bytes).concat()
}

fn decode(stored: &[u8]) -> Option<State> {
    let numbers: &[[u8; 8]; 3] = stored.as_chunks().0.try_into().ok()?;
    let [version, entries, sum] = numbers.map(u64::from_be_bytes);
    (stored.len() == 24).then_some(State { version: Version::new(version), entries, sum })
}

fn read_error(error: impl std::fmt::Display) -> ReadError {
    ReadError { reason: error.to_string() }
}

fn failed(doing: &str, error: &impl std::fmt::Display) -> ApplyError {
    ApplyError { reason: format!("{doing}: {error}") }
}
