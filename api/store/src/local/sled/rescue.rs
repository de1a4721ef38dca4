//! A copy of the database from before it was opened, so that a refused store is as it was.
//!
//! sled recovers as it opens: it cuts off what it takes for a torn end of its log and replaces its
//! snapshot, for good or ill. The copy is removed once the store has proved whole, so it hardly
//! ever reaches the disk, and where the file system can share blocks between files it costs nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::files::make_dir;

/// Larger databases are opened without a copy: it would take too long.
const MAX_BYTES: u64 = 256 << 20;

pub(super) struct Rescue {
    database: PathBuf,
    copy: PathBuf,
    tried: PathBuf,
}

impl Rescue {
    /// Copies a database; `None` if it is too large or the disk too full for that. What an
    /// earlier start left behind in the middle of this is put right first.
    pub(super) fn prepare(database: &Path) -> io::Result<Option<Rescue>> {
        let rescue = Rescue {
            database: database.to_owned(),
            copy: database.with_extension("before-opening"),
            tried: database.with_extension("refused"),
        };
        if !database.exists() && rescue.tried.exists() {
            fs::rename(&rescue.copy, database)?;
        }
        for leftover in [&rescue.copy, &rescue.tried] {
            if leftover.exists() {
                fs::remove_dir_all(leftover)?;
            }
        }
        if !database.exists() || size(database)? > MAX_BYTES {
            return Ok(None);
        }
        if let Err(error) = copy(database, &rescue.copy) {
            tracing::warn!(%error, "no room for a copy of the database: opening it without");
            fs::remove_dir_all(&rescue.copy)?;
            return Ok(None);
        }
        Ok(Some(rescue))
    }

    /// Gives the database back as it was.
    pub(super) fn put_back(self) -> io::Result<()> {
        fs::rename(&self.database, &self.tried)?;
        fs::rename(&self.copy, &self.database)?;
        fs::remove_dir_all(&self.tried)
    }

    /// The database is whole: the copy can go.
    pub(super) fn discard(self) -> io::Result<()> {
        fs::remove_dir_all(&self.copy)
    }
}

fn size(dir: &Path) -> io::Result<u64> {
    let files = fs::read_dir(dir)?;
    files.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

/// `blobs/` is always empty, and made anew.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    make_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        } else {
            make_dir(&to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
