//! What the committer, the readers and the handles have in common: how far the database is known to be, and whether it can be trusted.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use tokio::sync::watch;
use uuid::Uuid;

use super::{connection::Connector, statistics::Statistics};
use crate::{Failure, OpenError, ReadError, Stats, Version, last_changes::LastChanges};

/// A moment of the database: its last commit, and the last one in each space.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub version: Version,
    pub changes: Arc<LastChanges>,
}

pub(super) struct Shared {
    pub connector: Arc<Connector>,
    pub store: Uuid,
    /// Of this process, under which its groups are numbered.
    pub node: Uuid,
    pub format: u32,
    pub stats: Stats,
    pub statistics: Statistics,
    /// Set once, when the database cannot be trusted any longer.
    pub failure: watch::Sender<Option<Failure>>,
    /// The last commit that was seen here, whoever made it.
    pub seen: watch::Sender<Version>,
    /// Since when commits fail; `None` while they do not.
    pub down_since: Mutex<Option<Instant>>,
    /// Where `seen` is kept over a restart, and what it says.
    pub note: Option<PathBuf>,
    pub noted: AtomicU64,
}

impl Shared {
    /// Notes a commit that was seen. An error if a later one was seen before: the database lost what was in it.
    pub(super) fn see(&self, version: Version) -> Result<(), ReadError> {
        if self.failure.borrow().is_some() {
            return Err(ReadError::new("the database lost commits"));
        }
        self.seen.send_if_modified(|seen| {
            let is_later = version > *seen;
            if is_later {
                *seen = version;
            }
            is_later
        });
        Ok(())
    }

    /// Compares a moment that was asked for after `before` had been seen.
    pub(super) fn follows(&self, before: Version, version: Version) -> Result<(), ReadError> {
        if version < before {
            let failure = Failure {
                durable: version,
                reason: format!("the database lost commits: its last one is {version}, and {before} was acknowledged"),
            };
            tracing::error!(%version, seen = %before, "the database lost commits");
            self.failure.send_if_modified(|known| {
                let is_first = known.is_none();
                known.get_or_insert(failure);
                is_first
            });
        }
        self.see(version)
    }

    pub(super) fn seen(&self) -> Version {
        *self.seen.borrow()
    }

    /// Whether commits have been failing for a while.
    pub(super) fn down_since(&self) -> Option<Instant> {
        *self.down_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_down(&self, is_down: bool) {
        let mut since = self.down_since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if is_down { since.or_else(|| Some(Instant::now())) } else { None };
    }

    /// Keeps how far the database was seen to be, for the next start. A note that is a moment behind is no harm: it finds less.
    pub(super) fn keep_note(&self) {
        let seen = self.seen().get();
        let Some(path) = &self.note else { return };
        if self.noted.swap(seen, Relaxed) == seen {
            return;
        }
        let new = path.with_extension("new");
        let written = fs::write(&new, format!("{} {seen}\n", self.store)).and_then(|()| fs::rename(&new, path));
        if let Err(error) = written {
            tracing::warn!(%error, "how far the database is could not be noted");
        }
    }
}

/// How far a store was seen to be by an earlier process of this node; nothing of another store's.
pub(super) fn read_note(path: Option<&PathBuf>, store: Uuid) -> Result<Version, OpenError> {
    let Some(path) = path else { return Ok(Version::ZERO) };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Version::ZERO),
        Err(error) => {
            return Err(OpenError::Database {
                what: format!("{} cannot be read: {error}", path.display()),
                advice: "give it to this process' user".to_owned(),
            });
        }
    };
    let (id, version) = text.trim().split_once(' ').unwrap_or_default();
    if id != store.to_string() {
        return Ok(Version::ZERO);
    }
    version.parse().map_err(|_| OpenError::Database {
        what: format!("{} is not as it was written", path.display()),
        advice: "remove it, if the database is known to be whole".to_owned(),
    })
}
