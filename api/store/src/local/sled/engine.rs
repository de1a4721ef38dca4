//! Opening sled itself: in a thread of its own, since it panics at some kinds of damage, and with its errors told apart. What the system
//! refuses is no damage.

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Once,
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{FlockOperation, flock};

use super::{
    files::{Format, make_dir, read_ahead},
    holes::Holes,
    inspect::{Inspected, OPENING_THREAD, inspect, settle},
    is_full,
};
use crate::{SledOptions, Version};

/// sled's segment size for new stores, fixed for the life of one. Overwriting 2,000 records of 1 KB
/// a hundred times leaves 12 MB on the disk with this, 17 MB with twice, 41 MB with eight times as
/// much; a million small records take 10 and 40 MB more memory while they are filled in. Nothing
/// gets faster with larger ones.
pub(super) const SEGMENT: usize = 1 << 20;

/// Memory for the pages of a database that is only filled.
const FILLING_CACHE: u64 = 4 << 20;

/// How long to wait for room on a full disk, and how long between two looks.
const ROOM_PATIENCE: Duration = Duration::from_mins(5);
const ROOM_PAUSE: Duration = Duration::from_millis(200);

/// How long to wait for sled's own lock; ours is taken by then.
const LINGER: Duration = Duration::from_secs(1);

/// Why a database was not opened.
pub(super) enum Refused {
    /// Another process has it.
    InUse,
    /// The system refused something; the files may be as good as ever.
    System(io::Error),
    Damaged(String),
}

impl Refused {
    fn words(self) -> String {
        match self {
            Refused::InUse => "another process has it".to_owned(),
            Refused::System(error) => error.to_string(),
            Refused::Damaged(what) => what,
        }
    }
}

impl From<String> for Refused {
    fn from(what: String) -> Refused {
        Refused::Damaged(what)
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::System(error)
    }
}

impl From<::sled::Error> for Refused {
    fn from(error: ::sled::Error) -> Refused {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match error {
            // sled passes the system's errors on in copies, which have the kind and the text.
            ::sled::Error::Io(error)
                if matches!(error.kind(), StorageFull | QuotaExceeded | PermissionDenied | ReadOnlyFilesystem) =>
            {
                Refused::System(error)
            }
            error => Refused::Damaged(error.to_string()),
        }
    }
}

/// Opens the database and compares it with what is known of it.
pub(super) fn open_checked(
    sled_dir: &Path,
    options: &SledOptions,
    format: Option<Format>,
    promised: Option<Version>,
) -> Result<(::sled::Db, Inspected), Refused> {
    in_thread(|| {
        if format.is_some() && !sled_dir.join("db").exists() {
            return Err(Refused::Damaged("its database file is gone".to_owned()));
        }
        make_dir(sled_dir)?;
        drop_torn_snapshots(sled_dir)?;
        read_ahead(sled_dir.join("db"));
        let segment = format.map_or(SEGMENT, |format| format.segment);
        let db = open_db(sled_dir, segment, options.cache_bytes)?;
        let inspected = match inspect(&db, promised, format.is_none()) {
            Err(what) if options.accept_data_loss => {
                tracing::warn!(%what, "the store goes on with what is left, as was asked");
                settle(&db, promised)?
            }
            inspected => inspected?,
        };
        Ok((db, inspected))
    })
}

/// Opens a database again that this process closed, and compares it with what it wrote.
pub(super) fn open_again(
    sled_dir: &Path,
    segment: usize,
    cache_bytes: u64,
    version: Version,
) -> Result<(::sled::Db, Inspected), String> {
    let opened = with_room(|| {
        drop_torn_snapshots(sled_dir)?;
        let db = open_db(sled_dir, segment, cache_bytes)?;
        let inspected = inspect(&db, Some(version), false)?;
        Ok((db, inspected))
    });
    opened.map_err(Refused::words)
}

/// Opens a database that takes the place of one that this process closed.
pub(super) fn open_in_place(sled_dir: &Path, segment: usize, cache_bytes: u64) -> Result<::sled::Db, String> {
    with_room(|| open_db(sled_dir, segment, cache_bytes)).map_err(Refused::words)
}

/// Opens a database that is only filled, and makes it if it is not there.
pub(super) fn open_new(sled_dir: &Path, segment: usize) -> Result<::sled::Db, String> {
    in_thread(|| open_db(sled_dir, segment, FILLING_CACHE)).map_err(Refused::words)
}

/// Opens a database that nobody can do without, as often as it takes where the disk is full: others may have filled it since this process looked,
/// and make room again. To end would take as long, and everybody who waits would be refused.
fn with_room<T: Send>(open: impl Fn() -> Result<T, Refused> + Sync) -> Result<T, Refused> {
    let (began, mut is_told) = (Instant::now(), false);
    loop {
        match in_thread(&open) {
            Err(Refused::System(error)) if is_full(error.kind()) && began.elapsed() < ROOM_PATIENCE => {
                if !is_told {
                    tracing::error!(%error, "the disk is full: the store waits for room to open its files again");
                }
                is_told = true;
                thread::sleep(ROOM_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Runs something with sled in a thread of its own, because sled panics at some kinds of damage.
fn in_thread<T: Send>(work: impl FnOnce() -> Result<T, Refused> + Send) -> Result<T, Refused> {
    log_panics_of_the_engine();
    thread::scope(|scope| {
        let opening = thread::Builder::new().name(OPENING_THREAD.to_owned()).spawn_scoped(scope, work)?;
        opening.join().unwrap_or_else(|_| Err(Refused::Damaged("the engine cannot read its files".to_owned())))
    })
}

/// A snapshot counts from the moment it has its final name; one that was cut off before only
/// keeps sled from opening.
fn drop_torn_snapshots(sled_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(sled_dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            tracing::warn!(file = %path.display(), "removing a snapshot that was cut off");
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Opens sled. Its lock may be held for a moment more by a database that was just closed.
fn open_db(sled_dir: &Path, segment: usize, cache_bytes: u64) -> Result<::sled::Db, Refused> {
    let config = ::sled::Config::new().path(sled_dir).segment_size(segment).cache_capacity(cache_bytes);
    let _holes = Holes::keep(&sled_dir.join("db"), segment);
    let started = Instant::now();
    loop {
        match config.open() {
            Ok(db) => return Ok(db),
            Err(error) if !error.to_string().contains("could not acquire lock") => return Err(error.into()),
            Err(_) if started.elapsed() > LINGER => return Err(Refused::InUse),
            Err(_) => {}
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether another process has the database file open. sled's own lock tells, whatever became of ours.
pub(super) fn is_locked(db: &Path) -> io::Result<bool> {
    let file = match File::open(db) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let started = Instant::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // It ends with the handle.
            Ok(()) => return Ok(false),
            Err(rustix::io::Errno::WOULDBLOCK) if started.elapsed() > LINGER => return Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A panic while opening becomes one clear line for the operator; what sled said goes to the log
/// instead of the terminal.
fn log_panics_of_the_engine() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let in_sled = panic.location().is_some_and(|at| at.file().contains("/sled-"));
            if in_sled || thread::current().name() == Some(OPENING_THREAD) {
                tracing::debug!(%panic, "the engine panicked");
            } else {
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn what_is_opened_again_waits_for_room_and_for_nothing_else() {
        let tried = AtomicUsize::new(0);
        let opened = with_room(|| match tried.fetch_add(1, Ordering::Relaxed) {
            0 => Err(io::Error::from(io::ErrorKind::StorageFull).into()),
            1 => Err(::sled::Error::Io(io::Error::from(io::ErrorKind::QuotaExceeded)).into()),
            now => Ok(now),
        });
        assert!(matches!(opened, Ok(2)));
        for refused in
            [Refused::InUse, Refused::Damaged("it".to_owned()), io::Error::from(io::ErrorKind::NotFound).into()]
        {
            let refused = std::sync::Mutex::new(Some(refused));
            let taken = || Err::<(), _>(refused.lock().unwrap().take().expect("it is tried once"));
            assert!(with_room(taken).is_err());
        }
    }
}
