//! The backend on disk: sled 0.34.7, made to keep its word.
//!
//! sled's own `flush` does not sync the disk, its open can panic, and damage in its log can make it
//! start with less than it had. So every group is followed by a sync on a handle of our own and a
//! high-water mark, and opening compares what is there with what was promised: `sled/open.rs`.
//! One tree holds everything; readers are kept out only while a group enters sled's memory.

mod changes;
mod engine;
mod erased;
mod files;
mod holes;
mod initialized;
mod inspect;
mod mark;
mod mend;
mod open;
mod owner;
mod rescue;
mod rewrite;
mod salvage;
mod stored;
mod sweep;

pub(super) use self::rewrite::{NotRewritten, Rewrite};
pub(crate) use self::salvage::salvage;

use std::{
    collections::BTreeSet,
    fs::File,
    io,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use ::sled::{Db, IVec};
use bytes::Bytes;

pub use self::{
    files::{disk_bytes, free_bytes, size_bytes},
    initialized::note_initialized,
    owner::{Owner, close_dir, first_unusable, is_own, make_private, owner_of, this_user},
};

use self::{
    changes::Changes,
    engine::open_again,
    erased::Erased,
    files::{Format, Lock, Space, sync},
    holes::FreeSegments,
    initialized::Initialized,
    mark::Mark,
    owner::Identity,
    stored::Stored,
};
use super::{
    page::{ApplyError, PageRequest},
    room::Room,
    state::State,
};
use crate::{CompactError, Direction, Entry, FORMAT, Key, RESERVE_BYTES, ReadError, ReadFault, Reserve, Version};

/// Where the state is kept: before every key, as an empty space name would be.
const STATE_KEY: &[u8] = &[0];

/// Before every key of ours, and after everything that sled keeps for itself.
const FIRST_KEY: &[u8] = &[2];

pub(super) struct Sled {
    dir: PathBuf,
    /// `None` while it is opened again. Nobody reads then.
    opened: RwLock<Option<Opened>>,
    /// While the database is written anew: the keys that changed since that began.
    changed: Mutex<Option<BTreeSet<Vec<u8>>>>,
    mark: Mark,
    /// sled's segment size.
    segment: usize,
    /// The number in the file `format`.
    format: AtomicU32,
    cache_bytes: u64,
    /// Room on the disk that is kept, because opening needs some.
    reserve_bytes: u64,
    /// Segments of the database file that hold nothing and could not be given back.
    free: Mutex<FreeSegments>,
    erased: Erased,
    /// True if any value may be in pieces, which have to go when it goes.
    has_pieces: AtomicBool,
    initialized: Initialized,
    owner: Owner,
    /// Held as long as the backend lives.
    _lock: Lock,
}

/// An open database.
struct Opened {
    db: Db,
    /// Our own handle of sled's database file, held so that a write error is reported to us even
    /// if the system has told sled's handle about it already.
    file: File,
    /// Which file that is.
    identity: Identity,
}

impl Opened {
    fn new(sled_dir: &Path, db: Db) -> io::Result<Opened> {
        let file = File::options().read(true).write(true).open(sled_dir.join("db"))?;
        Ok(Opened { db, identity: Identity::of(&file)?, file })
    }

    /// Opens a database of which it is known that it is whole.
    fn open(sled_dir: &Path, segment: usize, cache_bytes: u64) -> Result<Opened, String> {
        let db = engine::open_in_place(sled_dir, segment, cache_bytes)?;
        Opened::new(sled_dir, db).map_err(|error| error.to_string())
    }
}

impl Sled {
    pub(super) fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        self.with_db(|db| {
            let stored = db.get(key.as_bytes()).map_err(read_error)?;
            stored.map_or(Ok(None), |stored| load(db, key, stored))
        })
    }

    pub(super) fn read(&self, request: &PageRequest<'_>) -> Result<Vec<(Key, Entry)>, ReadError> {
        let from = match request.from {
            Bound::Unbounded => Bound::Included(FIRST_KEY),
            bound => bound.map(Key::as_bytes),
        };
        self.with_db(|db| read(db, from, request))
    }

    /// Reads or writes. An error if the database could not be opened again.
    fn with_db<T, E: From<ReadError>>(&self, f: impl FnOnce(&Db) -> Result<T, E>) -> Result<T, E> {
        self.with_opened(|opened| f(&opened.db))
    }

    fn with_opened<T, E: From<ReadError>>(&self, f: impl FnOnce(&Opened) -> Result<T, E>) -> Result<T, E> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        f(opened.as_ref().ok_or_else(|| ReadError::new("the database is closed"))?)
    }

    fn opened_mut(&self) -> RwLockWriteGuard<'_, Option<Opened>> {
        self.opened.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) -> MutexGuard<'_, Option<BTreeSet<Vec<u8>>>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free_segments(&self) -> MutexGuard<'_, FreeSegments> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn room(&self) -> Room {
        let free = Space::of(&self.dir).bytes;
        let inside =
            self.with_opened(|opened| Ok::<_, ReadError>(self.free_segments().bytes(&opened.file))).unwrap_or(0);
        Room { free: free.saturating_add(inside), reserve: self.reserve_bytes }
    }

    /// Closes the database and opens it again: as it opens, sled finds out which segments hold nothing, and zeroes them.
    pub(super) fn reopen(&self, state: State) -> Result<Result<u64, CompactError>, ApplyError> {
        if let Err(error) = self.has_room_to_open() {
            return Ok(Err(error));
        }
        if self.open_anew(state.version)? != state {
            return Err(failed("opening it again", &"it does not hold what was written"));
        }
        Ok(Ok(self.free_segments().bytes_at_first()))
    }

    /// The same; gives what it holds, which is of this version at least.
    fn open_anew(&self, promised: Version) -> Result<State, ApplyError> {
        let mut opened = self.opened_mut();
        drop(opened.take());
        let sled_dir = self.dir.join("sled");
        let (db, inspected) = open_again(&sled_dir, self.segment, self.cache_bytes, promised)
            .map_err(|what| failed("opening it again", &what))?;
        let again = Opened::new(&sled_dir, db).map_err(|error| failed("opening it again", &error))?;
        let free = holes::give_back(&again.file, self.segment).map_err(|error| failed("giving space back", &error))?;
        files::sync_files(&sled_dir).map_err(|error| failed("syncing", &error))?;
        make_private(&sled_dir).map_err(|error| failed("closing the files to others", &error))?;
        self.owner.keep(&sled_dir).map_err(|error| failed("keeping the owner of the files", &error))?;
        *opened = Some(again);
        *self.free_segments() = free;
        Ok(inspected.state)
    }

    fn has_room_to_open(&self) -> Result<(), CompactError> {
        let space = Space::of(&self.dir);
        let needed = files::needed_to_open(&self.dir.join("sled")).unwrap_or(0);
        match space {
            _ if !space.takes_files() => Err(CompactError::NoFiles),
            Space { bytes: free, .. } if free < needed => Err(CompactError::NoRoom { needed, free }),
            _ => Ok(()),
        }
    }

    /// An error if the database file is not where it was: what is written into a file without a name is gone with the process.
    pub(super) fn look(&self) -> Result<(), ApplyError> {
        let path = self.dir.join("sled/db");
        if self.with_opened(|opened| Ok::<_, ReadError>(opened.identity.is_at(&path)))? {
            return Ok(());
        }
        let reason = format!("{} was removed or replaced while it was in use", path.display());
        Err(ApplyError { reason, is_full: false })
    }

    pub(super) fn disk_bytes(&self) -> Result<u64, ReadError> {
        disk_bytes(&self.dir).map_err(|error| ReadError::new(error.to_string()))
    }

    pub(super) fn format(&self) -> u32 {
        self.format.load(Ordering::Relaxed)
    }

    pub(super) fn raise_format(&self) -> io::Result<()> {
        Format { number: FORMAT, segment: self.segment }.write(&self.dir.join("format"))?;
        self.owner.keep(&self.dir.join("format"))?;
        sync(&self.dir)?;
        self.format.store(FORMAT, Ordering::Relaxed);
        Ok(())
    }

    /// What the next group removes is to be erased from the files too, by the next compaction.
    pub(super) fn note_erased(&self) -> Result<(), ApplyError> {
        let noted = self.erased.note().and_then(|()| self.owner.keep(self.erased.path()));
        noted.map_err(|error| ApplyError {
            is_full: is_full(error.kind()),
            ..failed("noting that something is erased", &error)
        })
    }

    /// Whether something that was erased may stand in the files.
    pub(super) fn has_erased(&self) -> bool {
        self.erased.is_left()
    }

    /// Makes a group durable. After an error other than that of a full disk nothing is tried again, not even a last flush when the
    /// backend is dropped: the system forgets what it could not write, and would call it written.
    pub(super) fn apply(&self, writes: &[(Key, Option<Entry>)], state: State) -> Result<(), ApplyError> {
        let applied = self.write(writes, state);
        if applied.as_ref().is_err_and(|error| !error.is_full) {
            let kept = self.with_db(|db| {
                std::mem::forget(db.clone());
                Ok::<_, ReadError>(())
            });
            kept?;
        }
        applied
    }

    fn write(&self, writes: &[(Key, Option<Entry>)], state: State) -> Result<(), ApplyError> {
        self.with_opened(|Opened { db, file, .. }| {
            let mut changes = self.changes();
            for (ordinal, (key, entry)) in writes.iter().enumerate() {
                let key = key.as_bytes();
                self.remove_pieces(db, &mut changes, key)?;
                match entry {
                    None => changes.remove(key),
                    Some(entry) if stored::write(&mut changes, key, entry, ordinal) => {
                        self.has_pieces.store(true, Ordering::Relaxed);
                    }
                    Some(_) => {}
                }
            }
            changes.insert(STATE_KEY, encode(state));
            let Changes { batch, keys } = changes;
            self.note(keys);
            db.apply_batch(batch).map_err(|error| not_written("writing", &error))?;
            db.flush().map_err(|error| not_written("flushing", &error))?;
            // The system may have forgotten what it could not sync, whatever the reason.
            file.sync_all().map_err(|error| failed("syncing", &error))
        })?;
        self.promise(state)
    }

    /// Writes down that everything up to this state is on the disk.
    fn promise(&self, state: State) -> Result<(), ApplyError> {
        let failed = |doing, error: io::Error| ApplyError { is_full: is_full(error.kind()), ..failed(doing, &error) };
        self.mark.write(state.version).map_err(|error| failed("writing the mark", error))?;
        self.initialized.note().map_err(|error| failed("noting that there is a store", error))?;
        self.look()
    }

    /// After a group met a full disk: whether there is room to open the files and write so many bytes.
    pub(super) fn has_room_again(&self, bytes: usize) -> bool {
        self.has_room_to_open().is_ok() && self.room().has(bytes, Reserve::Most)
    }

    /// Opens the files anew after a group met a full disk, and finds out whether it is in them: they hold what was there before it, or all of it.
    /// Nobody may read or write meanwhile.
    pub(super) fn look_again(&self, before: State, after: State) -> Result<bool, ApplyError> {
        let found = self.open_anew(before.version)?;
        match found {
            _ if found == after => self.promise(after).map(|()| true),
            _ if found == before => Ok(false),
            _ => Err(failed("opening it again", &"it does not hold what was written")),
        }
    }

    /// Removes the pieces of the value that is at `key`, if it is in pieces.
    fn remove_pieces(&self, db: &Db, changes: &mut Changes, key: &[u8]) -> Result<(), ReadError> {
        if !self.has_pieces.load(Ordering::Relaxed) {
            return Ok(());
        }
        let stored = db.get(key).map_err(read_error)?;
        if let Some(Stored::Large(large)) = stored.as_deref().map(Stored::parse).transpose()? {
            large.keys().for_each(|key| changes.remove(&key));
        }
        Ok(())
    }
}

/// Whether a file of so many bytes may lie in a directory that shares the disk of a store: none of the room that is kept is for it.
pub fn has_room_beside(dir: &Path, bytes: u64) -> bool {
    Room { free: Space::of(dir).bytes, reserve: RESERVE_BYTES }.has_bytes(bytes, Reserve::Kept)
}

impl Drop for Sled {
    /// Closing writes files too: they are the owner's as well.
    fn drop(&mut self) {
        drop(self.opened_mut().take());
        if let Err(error) = self.owner.keep(&self.dir) {
            tracing::warn!(%error, "the files of the store could not be given to the owner of its directory");
        }
    }
}

/// The entries of a page.
fn read(db: &Db, from: Bound<&[u8]>, request: &PageRequest<'_>) -> Result<Vec<(Key, Entry)>, ReadError> {
    let range = db.range::<&[u8], _>((from, request.to.map(Key::as_bytes)));
    let entry = |item: Result<(IVec, IVec), ::sled::Error>| {
        let (key, stored) = item.map_err(read_error)?;
        let key = Key::from_encoded(key.to_vec());
        let entry = if request.values {
            load(db, &key, stored)?
        } else {
            let version = Stored::parse(&stored)?.version();
            Some(Entry { version, value: Bytes::new() })
        };
        // A key that went meanwhile still counts: the caller has what was there before.
        let entry = entry.unwrap_or(Entry { version: Version::MAX, value: Bytes::new() });
        Ok((key, entry))
    };
    match request.direction {
        Direction::Forward => request.take(range.map(entry)),
        Direction::Backward => request.take(range.rev().map(entry)),
    }
}

/// Makes an entry of what was found at `key`.
fn load(db: &Db, key: &Key, mut stored: IVec) -> Result<Option<Entry>, ReadError> {
    loop {
        let large = match Stored::parse(&stored)? {
            Stored::Whole(version, bytes) => {
                let value = Bytes::copy_from_slice(bytes);
                return Ok(Some(Entry { version, value }));
            }
            Stored::Large(large) => large,
        };
        if let Some(value) = large.load(|key| db.get(key)).map_err(read_error)? {
            return Ok(Some(Entry { version: large.version, value }));
        }
        // Overwritten between the two reads; or it is damaged.
        match db.get(key.as_bytes()).map_err(read_error)? {
            None => return Ok(None),
            Some(again) if again == stored => {
                return Err(ReadError::new("a piece of a value is missing"));
            }
            Some(again) => stored = again,
        }
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

#[expect(clippy::needless_pass_by_value, reason = "it is for map_err")]
fn read_error(error: ::sled::Error) -> ReadError {
    let read = ReadError::new(error.to_string());
    if met_full_disk(&error) { ReadError { fault: ReadFault::DiskFull, ..read } } else { read }
}

fn failed(doing: &str, error: &impl std::fmt::Display) -> ApplyError {
    ApplyError { reason: format!("{doing}: {error}"), is_full: false }
}

/// What sled did not write.
fn not_written(doing: &str, error: &::sled::Error) -> ApplyError {
    ApplyError { is_full: met_full_disk(error), ..failed(doing, error) }
}

/// Whether sled could not write, then or before: after such an error it reads and writes nothing that takes a write, until it is opened again.
fn met_full_disk(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(error) if is_full(error.kind()))
}

/// Whether there was no room on the disk, or none for this user.
fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
