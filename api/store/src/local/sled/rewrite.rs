//! Writing the database anew: after much was deleted, most of a database file is pages that are nearly empty, and segments with a few
//! of them, which sled never moves together.
//!
//! Everything is copied into a new database beside the old one while readers and writers go on; what changes meanwhile is noted, and
//! copied at the end, when the committer waits. Until the new database has its name, the old one is the store.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io, mem,
    ops::Bound,
    path::{Path, PathBuf},
};

use ::sled::{Batch, Db, IVec};

use super::{
    Opened, Sled,
    changes::Changes,
    engine::{open_again, open_new},
    failed,
    files::{Space, disk_bytes, make_dir, sync, sync_files},
    holes::give_back,
    owner::make_private,
    read_error,
};
use crate::{
    ReadError,
    local::{page::ApplyError, state::State},
};

/// Entries that are copied at once, and about how many bytes of them.
const TOGETHER: usize = 512;
const BYTES_TOGETHER: usize = 1 << 20;

/// How often it is asked whether it is worth going on.
const PAGES: usize = 16;

/// A new database must take no more than this of what the old one takes, in hundredths.
const WORTH: u64 = 85;

/// Segments that must become free in a new database, for it to be opened again because the disk has no room.
const SHRUNK: u64 = 4;

/// The new database until it has its name, and the old one from then on until it is removed.
const NEW: &str = "sled.new";
const OLD: &str = "sled.old";

/// Why the database is not written anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::local) enum NotRewritten {
    #[error("a new database would not be much smaller")]
    NotWorth,
    #[error("there is no room on the disk for a second database")]
    NoRoom,
    #[error("{0}")]
    Failed(String),
}

impl From<String> for NotRewritten {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl From<ReadError> for NotRewritten {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.reason)
    }
}

impl From<io::Error> for NotRewritten {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull { Self::NoRoom } else { Self::Failed(error.to_string()) }
    }
}

impl From<::sled::Error> for NotRewritten {
    fn from(error: ::sled::Error) -> Self {
        match error {
            ::sled::Error::Io(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// A database in the making.
pub(in crate::local) struct Rewrite {
    dir: PathBuf,
    /// `None` while it is opened again.
    db: Option<Db>,
}

impl Rewrite {
    fn write(&self, entries: impl Iterator<Item = (IVec, Option<IVec>)>) -> Result<(), NotRewritten> {
        let closed = || NotRewritten::Failed("the new database is closed".to_owned());
        Ok(write(self.db.as_ref().ok_or_else(closed)?, entries)?)
    }

    /// Gives back what holds nothing any more of what was written so far: filling a database leaves much of that. Whether it was worth it.
    fn shrink(&mut self, segment: usize) -> Result<bool, NotRewritten> {
        let before = disk_bytes(&self.dir)?;
        drop(self.db.take());
        self.db = Some(open_new(&self.dir, segment)?);
        give_back(&database_file(&self.dir)?, segment)?;
        Ok(disk_bytes(&self.dir)? + SHRUNK * segment as u64 <= before)
    }
}

impl Sled {
    /// No changes yet.
    pub(super) fn changes(&self) -> Changes {
        let keys = self.changed().is_some().then(Vec::new);
        Changes { batch: Batch::default(), keys }
    }

    /// Notes what was changed.
    pub(super) fn note(&self, keys: Option<Vec<Vec<u8>>>) {
        if let (Some(changed), Some(keys)) = (self.changed().as_mut(), keys) {
            changed.extend(keys);
        }
    }

    /// Begins. From now on it is noted what changes.
    pub(in crate::local) fn begin_rewrite(&self) -> Result<Rewrite, NotRewritten> {
        let dir = self.dir.join(NEW);
        remove(&dir)?;
        make_dir(&dir)?;
        let db = open_new(&dir, self.segment)?;
        *self.changed() = Some(BTreeSet::new());
        self.erased.begin();
        Ok(Rewrite { dir, db: Some(db) })
    }

    /// Copies everything, or says why that is of no use. `is_over` says that nobody wants it any more.
    pub(in crate::local) fn copy(&self, to: &mut Rewrite, is_over: impl Fn() -> bool) -> Result<(), NotRewritten> {
        let old_bytes = disk_bytes(&self.dir.join("sled"))?;
        let worth = old_bytes / 100 * WORTH;
        let mut last = None;
        for page in 0.. {
            let read = |db: &Db| -> Result<Vec<(IVec, IVec)>, ReadError> {
                let from = last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
                let (mut page, mut bytes) = (Vec::new(), 0);
                for item in db.range::<IVec, _>((from.cloned(), Bound::Unbounded)).take(TOGETHER) {
                    let (key, value) = item.map_err(read_error)?;
                    bytes += key.len() + value.len();
                    page.push((key, value));
                    if bytes >= BYTES_TOGETHER {
                        break;
                    }
                }
                Ok(page)
            };
            let entries = self.with_db(read)?;
            let Some((key, _)) = entries.last() else { break };
            last = Some(key.clone());
            to.write(entries.into_iter().map(|(key, value)| (key, Some(value))))?;
            // What else makes room may use that much as well.
            if Space::of(&self.dir).bytes < self.reserve_bytes / 8 && !to.shrink(self.segment)? {
                return Err(NotRewritten::NoRoom);
            }
            if page % PAGES > 0 {
                continue;
            }
            if is_over() {
                return Err(NotRewritten::Failed("the store is closing".to_owned()));
            }
            if !self.erased.is_left() && disk_bytes(&to.dir)? >= worth {
                return Err(NotRewritten::NotWorth);
            }
        }
        Ok(())
    }

    /// Copies what changed meanwhile and compares the new database with `state`; it is whole and on disk then.
    pub(in crate::local) fn catch_up(&self, rewrite: Rewrite, state: State) -> Result<PathBuf, NotRewritten> {
        let changed = self.changed().take().unwrap_or_default();
        let current = self.with_db(|db| {
            let current =
                changed.into_iter().map(|key| db.get(&key).map_err(read_error).map(|value| (IVec::from(key), value)));
            current.collect::<Result<Vec<_>, ReadError>>()
        })?;
        rewrite.write(current.into_iter())?;
        let Rewrite { dir, db } = rewrite;
        drop(db);
        let (db, inspected) = open_again(&dir, self.segment, self.cache_bytes, state.version)?;
        give_back(&database_file(&dir)?, self.segment)?;
        drop(db);
        if inspected.state != state {
            return Err(NotRewritten::Failed("the new database does not hold what the old one does".to_owned()));
        }
        make_private(&dir)?;
        self.owner.keep(&dir)?;
        sync_files(&dir)?;
        Ok(dir)
    }

    /// Puts a new database in the place of the old one. Nobody reads meanwhile.
    pub(in crate::local) fn swap(&self, new: &Path) -> Result<(), ApplyError> {
        let mut opened = self.opened_mut();
        drop(opened.take());
        let (database, old) = (self.dir.join("sled"), self.dir.join(OLD));
        let io = |error: io::Error| failed("putting the new database in the place of the old one", &error);
        remove(&old).map_err(io)?;
        fs::rename(&database, &old).map_err(io)?;
        fs::rename(new, &database).map_err(io)?;
        sync(&self.dir).map_err(io)?;
        let new = Opened::open(&database, self.segment, self.cache_bytes)
            .map_err(|what| failed("opening it again", &what))?;
        *self.free_segments() = give_back(&new.file, self.segment).map_err(io)?;
        *opened = Some(new);
        remove(&old).map_err(io)?;
        if let Err(error) = self.erased.end() {
            tracing::warn!(%error, "that nothing is left of what was erased could not be noted; the next compaction writes everything anew again");
        }
        Ok(())
    }

    /// Forgets a new database, if there is one.
    pub(in crate::local) fn give_up_rewrite(&self) {
        *self.changed() = None;
        if let Err(error) = remove(&self.dir.join(NEW)) {
            tracing::warn!(%error, "a database that was not finished could not be removed");
        }
    }
}

/// Puts right what was cut off in the middle: a new database that has not its name yet is none.
pub(super) fn undo_cut_off(dir: &Path) -> io::Result<()> {
    let (database, old) = (dir.join("sled"), dir.join(OLD));
    if !database.exists() && old.exists() {
        fs::rename(&old, &database)?;
        sync(dir)?;
    }
    remove(&dir.join(NEW))
}

/// Removes a database whose place another has taken, once that one has proved whole.
pub(super) fn remove_old(dir: &Path) -> io::Result<()> {
    remove(&dir.join(OLD))
}

fn write(db: &Db, entries: impl Iterator<Item = (IVec, Option<IVec>)>) -> Result<(), ::sled::Error> {
    let (mut batch, mut count) = (Batch::default(), 0);
    for (key, value) in entries {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
        count += 1;
        if count % TOGETHER == 0 {
            db.apply_batch(mem::take(&mut batch))?;
        }
    }
    db.apply_batch(batch)?;
    db.flush().map(drop)
}

fn database_file(dir: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(dir.join("db"))
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
