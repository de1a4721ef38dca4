//! A file outside of the store's directory that says that there is a store: where it is and the store is not, the store was removed, or
//! its disk is not mounted. An empty store in its place would look as if nothing had ever been there.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{files::sync, owner::Owner};

const TEXT: &str =
    "There is a store beside this file. If it is gone, Coffer does not start with an empty one in its place.\n";

pub(super) struct Initialized {
    path: Option<PathBuf>,
    owner: Owner,
    is_noted: AtomicBool,
}

impl Initialized {
    pub(super) fn new(path: Option<PathBuf>, owner: Owner) -> Initialized {
        let is_noted = path.as_ref().is_none_or(|path| path.exists());
        Initialized { path, owner, is_noted: AtomicBool::new(is_noted) }
    }

    /// Makes the file unless it is there. It is on disk on return.
    pub(super) fn note(&self) -> io::Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| !self.is_noted.load(Ordering::Relaxed)) else { return Ok(()) };
        note_initialized(path)?;
        self.owner.keep(path)?;
        self.is_noted.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Says, durably, that there is a store beside a file, or will be: see [`SledOptions::initialized`](crate::SledOptions).
pub fn note_initialized(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(TEXT.as_bytes())?;
    file.sync_all()?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(dir)
}
