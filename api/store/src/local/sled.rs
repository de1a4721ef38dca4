//! The backend on disk: sled 0.34.7, made to keep its word.
//!
//! sled's own `flush` does not sync the disk, its open can panic, and damage in its log can make it
//! start with less than it had. So every group is followed by a sync on a handle of our own and a
//! high-water mark, and opening compares what is there with what was promised: `sled/open.rs`.
//! One tree holds everything; readers are kept out only while a group enters sled's memory.

mod files;
mod inspect;
mod mark;
mod open;
mod rescue;
mod stored;

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ::sled::{Db, IVec};
use bytes::Bytes;

use self::files::{Format, Lock, sync};
use self::mark::Mark;
use self::stored::Stored;
use super::backend::{ApplyError, PageRequest, State};
use crate::{Direction, Entry, FORMAT, Key, ReadError, Version};

/// Where the state is kept: before every key, as an empty space name would be.
const STATE_KEY: &[u8] = &[0];

/// Before every key of ours, and after everything that sled keeps for itself.
const FIRST_KEY: &[u8] = &[2];

pub(super) struct Sled {
    dir: PathBuf,
    db: Db,
    /// Our own handle of sled's database file, held so that a write error is reported to us even
    /// if the system has told sled's handle about it already.
    file: File,
    mark: Mark,
    /// sled's segment size.
    segment: usize,
    /// The number in the file `format`.
    format: AtomicU32,
    /// Room on the disk that is never used up, because opening needs some.
    reserve_bytes: u64,
    /// True if any value may be in pieces, which have to go when it goes.
    has_pieces: AtomicBool,
    /// Held as long as the backend lives.
    _lock: Lock,
}

impl Sled {
    pub(super) fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        let stored = self.db.get(key.as_bytes()).map_err(read_error)?;
        stored.map_or(Ok(None), |stored| self.load(key, stored))
    }

    pub(super) fn read(&self, request: &PageRequest<'_>) -> Result<Vec<(Key, Entry)>, ReadError> {
        let from = match request.from {
            Bound::Unbounded => Bound::Included(FIRST_KEY),
            bound => bound.map(Key::as_bytes),
        };
        let range = self.db.range::<&[u8], _>((from, request.to.map(Key::as_bytes)));
        let entry = |item: Result<(IVec, IVec), ::sled::Error>| {
            let (key, stored) = item.map_err(read_error)?;
            let key = Key::from_encoded(key.to_vec());
            let entry = if request.values {
                self.load(&key, stored)?
            } else {
                let version = Stored::parse(&stored)?.version();
                Some(Entry { version, value: Bytes::new() })
            };
            // A key that went meanwhile still counts: the caller has what was there before.
            let entry = entry.unwrap_or(Entry { version: Version::MAX, value: Bytes::new() });
            Ok((key, entry))
        };
        match request.direction {
            Direction::Forward => range.take(request.limit).map(entry).collect(),
            Direction::Backward => range.rev().take(request.limit).map(entry).collect(),
        }
    }

    /// Makes an entry of what was found at `key`.
    fn load(&self, key: &Key, mut stored: IVec) -> Result<Option<Entry>, ReadError> {
        loop {
            let large = match Stored::parse(&stored)? {
                Stored::Whole(version, bytes) => {
                    let value = Bytes::copy_from_slice(bytes);
                    return Ok(Some(Entry { version, value }));
                }
                Stored::Large(large) => large,
            };
            if let Some(value) = large.load(&self.db).map_err(read_error)? {
                return Ok(Some(Entry { version: large.version, value }));
            }
            // Overwritten between the two reads; or it is damaged.
            match self.db.get(key.as_bytes()).map_err(read_error)? {
                None => return Ok(None),
                Some(again) if again == stored => {
                    return Err(ReadError { reason: "a piece of a value is missing".to_owned() });
                }
                Some(again) => stored = again,
            }
        }
    }

    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        let Ok(disk) = rustix::fs::fstatvfs(&self.file) else {
            return true;
        };
        // sled writes a page anew for each change of it, hence more than the bytes themselves.
        let needed = (bytes as u64).saturating_mul(4).saturating_add(self.reserve_bytes);
        disk.f_bavail.saturating_mul(disk.f_frsize) >= needed
    }

    pub(super) fn disk_bytes(&self) -> Result<u64, ReadError> {
        files::disk_bytes(&self.dir).map_err(read_error)
    }

    pub(super) fn format(&self) -> u32 {
        self.format.load(Ordering::Relaxed)
    }

    pub(super) fn raise_format(&self) -> io::Result<()> {
        Format { number: FORMAT, segment: self.segment }.write(&self.dir.join("format"))?;
        sync(&self.dir)?;
        self.format.store(FORMAT, Ordering::Relaxed);
        Ok(())
    }

    /// Makes a group durable. After an error nothing is tried again, not even a last flush when the
    /// backend is dropped: the system forgets what it could not write, and would call it written.
    pub(super) fn apply(
        &self,
        writes: impl Iterator<Item = (Key, Option<Entry>)>,
        state: State,
    ) -> Result<(), ApplyError> {
        let applied = self.write(writes, state);
        if applied.is_err() {
            std::mem::forget(self.db.clone());
        }
        applied
    }

    fn write(&self, writes: impl Iterator<Item = (Key, Option<Entry>)>, state: State) -> Result<(), ApplyError> {
        let mut batch = ::sled::Batch::default();
        for (ordinal, (key, entry)) in writes.enumerate() {
            let key = key.as_bytes();
            self.remove_pieces(&mut batch, key).map_err(|error| failed("reading", &error))?;
            match entry {
                None => batch.remove(key),
                Some(entry) if stored::write(&mut batch, key, &entry, ordinal) => {
                    self.has_pieces.store(true, Ordering::Relaxed);
                }
                Some(_) => {}
            }
        }
        batch.insert(STATE_KEY, encode(state));
        self.db.apply_batch(batch).map_err(|error| failed("writing", &error))?;
        self.db.flush().map_err(|error| failed("flushing", &error))?;
        self.file.sync_all().map_err(|error| failed("syncing", &error))?;
        self.mark.write(state.version).map_err(|error| failed("writing the mark", &error))
    }

    /// Removes the pieces of the value that is at `key`, if it is in pieces.
    fn remove_pieces(&self, batch: &mut ::sled::Batch, key: &[u8]) -> Result<(), ReadError> {
        if !self.has_pieces.load(Ordering::Relaxed) {
            return Ok(());
        }
        let stored = self.db.get(key).map_err(read_error)?;
        if let Some(Stored::Large(large)) = stored.as_deref().map(Stored::parse).transpose()? {
            large.keys().for_each(|key| batch.remove(&key));
        }
        Ok(())
    }
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
