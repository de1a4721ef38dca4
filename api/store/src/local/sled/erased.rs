//! What was erased stands in the database file until all of it is written anew. A file beside the database says that this is due: a compaction
//! does it then, however little room it gives back, and the file goes when nothing that was erased is left.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::files::sync;

const NAME: &str = "erased";

#[derive(Debug)]
pub(super) struct Erased {
    path: PathBuf,
    /// How often something was erased since that was written anew; the committer alone counts.
    times: AtomicU64,
    /// How often it was when the database that is being written began.
    before: AtomicU64,
}

impl Erased {
    /// What the file beside the database says.
    pub(super) fn read(dir: &Path) -> io::Result<Self> {
        let path = dir.join(NAME);
        let times = u64::from(path.try_exists()?);
        Ok(Self { path, times: AtomicU64::new(times), before: AtomicU64::new(0) })
    }

    /// The file that says so.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether something that was erased may stand in the file.
    pub(super) fn is_left(&self) -> bool {
        self.times.load(Relaxed) > 0
    }

    /// Something is about to be erased; that this is so is on disk on return.
    pub(super) fn note(&self) -> io::Result<()> {
        if !self.is_left() {
            let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
            file.sync_all()?;
            self.sync_name()?;
        }
        self.times.fetch_add(1, Relaxed);
        Ok(())
    }

    /// A new database is begun: what is erased from now on may stand in that too.
    pub(super) fn begin(&self) {
        self.before.store(self.times.load(Relaxed), Relaxed);
    }

    /// The new database has taken the place of the old one, which is removed.
    pub(super) fn end(&self) -> io::Result<()> {
        if !self.is_left() || self.times.load(Relaxed) != self.before.load(Relaxed) {
            return Ok(());
        }
        fs::remove_file(&self.path)?;
        self.sync_name()?;
        self.times.store(0, Relaxed);
        Ok(())
    }

    fn sync_name(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), sync)
    }
}
