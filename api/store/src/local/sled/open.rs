//! Opening: everything that is checked before the first request, in this order. The directory is
//! ours alone; the format is known; the engine recovers; it is not behind the mark; and what it
//! holds adds up to what the last commit said. A store that fails is refused, never shortened.
//!
//! Adding up reads every entry once, which is the price of knowing: sled can skip a damaged part
//! of its log and start without a word. What it costs is in `api/examples/million.rs`.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::thread;
use std::time::{Duration, Instant};

use super::Sled;
use super::files::{Format, Lock, make_dir, make_private, read_ahead, sync, sync_files};
use super::inspect::{Inspected, OPENING_THREAD, inspect, settle};
use super::mark::Mark;
use super::rescue::Rescue;
use crate::local::backend::State;
use crate::local::order_statistics::OrderStatistics;
use crate::{FORMAT, OpenError, SledOptions, Version};

/// sled's segment size for new stores, fixed for the life of one. Overwriting 2,000 records of 1 KB
/// a hundred times leaves 12 MB on the disk with this, 17 MB with twice, 41 MB with eight times as
/// much; a million small records take 10 and 40 MB more memory while they are filled in. Nothing
/// gets faster with larger ones.
const SEGMENT: usize = 1 << 20;

/// How long to wait for sled's own lock; ours is taken by then.
const LINGER: Duration = Duration::from_secs(1);

const ADVICE: &str = "restore a backup into an empty directory with `coffer restore`, \
    or run `coffer serve --accept-data-loss` to go on with what is left";

impl Sled {
    pub(crate) fn open(options: &SledOptions) -> Result<(Sled, State, OrderStatistics), OpenError> {
        let dir = options.dir.clone();
        let io = |what: &'static str| {
            let dir = dir.clone();
            move |source| OpenError::Io { dir, what: what.to_owned(), source }
        };
        let damaged = |what: String| OpenError::Damaged { dir: dir.clone(), what, advice: ADVICE.to_owned() };

        make_dir(&dir).map_err(io("making the directory"))?;
        let lock = Lock::take(&dir.join("lock"))
            .map_err(io("locking the directory"))?
            .map_err(|holder| OpenError::InUse { dir: dir.clone(), holder })?;
        let format = Format::read(&dir.join("format")).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => damaged("its file `format` is torn".to_owned()),
            _ => io("reading the file `format`")(error),
        })?;
        if let Some(Format { number: found, .. }) = format
            && found > FORMAT
        {
            return Err(OpenError::TooNew { dir, found, known: FORMAT });
        }
        let promised = Mark::read(&dir.join("mark")).map_err(io("reading the mark"))?;

        let sled_dir = dir.join("sled");
        let rescue = Rescue::prepare(&sled_dir).map_err(io("copying the database"))?;
        let (db, inspected) = match open_checked(&sled_dir, options, format, promised) {
            Ok(opened) => opened,
            Err(what) => {
                let Some(rescue) = rescue else {
                    return Err(damaged(what));
                };
                rescue.put_back().map_err(io("putting the database back as it was"))?;
                return Err(damaged(format!("{what} (nothing was changed)")));
            }
        };
        rescue.map_or(Ok(()), Rescue::discard).map_err(io("removing the copy"))?;

        let file = File::options().read(true).write(true).open(sled_dir.join("db"));
        let file = file.map_err(io("opening the database file"))?;
        let mark = Mark::open(&dir.join("mark")).map_err(io("opening the mark"))?;
        let files = make_durable(&dir, format, &mark, inspected.state);
        files.map_err(io("making it durable"))?;
        let format = format.unwrap_or(Format { number: FORMAT, segment: SEGMENT });
        let sled = Sled {
            dir,
            db,
            file,
            mark,
            segment: format.segment,
            format: AtomicU32::new(format.number),
            reserve_bytes: options.reserve_bytes,
            has_pieces: AtomicBool::new(inspected.has_pieces),
            _lock: lock,
        };
        Ok((sled, inspected.state, inspected.order))
    }
}

/// Opens the database and compares it with what is known of it; an error is damage. It happens in
/// a thread of its own, because sled panics at some kinds of damage.
fn open_checked(
    sled_dir: &Path,
    options: &SledOptions,
    format: Option<Format>,
    promised: Option<Version>,
) -> Result<(::sled::Db, Inspected), String> {
    log_panics_of_the_engine();
    let work = || {
        if format.is_some() && !sled_dir.join("db").exists() {
            return Err("its database file is gone".to_owned());
        }
        make_dir(sled_dir).map_err(|error| error.to_string())?;
        drop_torn_snapshots(sled_dir).map_err(|error| error.to_string())?;
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
    };
    thread::scope(|scope| {
        let opening = thread::Builder::new().name(OPENING_THREAD.to_owned()).spawn_scoped(scope, work);
        let outcome = opening.map_err(|error| error.to_string())?.join();
        outcome.unwrap_or_else(|_| Err("the engine cannot read its files".to_owned()))
    })
}

/// Before the first commit is promised, all that opening wrote is on disk, and the names of all
/// files; and only the owner can read them.
fn make_durable(dir: &Path, format: Option<Format>, mark: &Mark, state: State) -> io::Result<()> {
    sync_files(&dir.join("sled"))?;
    mark.write(state.version)?;
    if format.is_none() {
        // The store exists once this file does.
        Format { number: FORMAT, segment: SEGMENT }.write(&dir.join("format"))?;
        let path = dir.canonicalize()?;
        sync(path.parent().unwrap_or(dir))?;
    }
    for file in ["lock", "format", "mark", "sled"] {
        make_private(&dir.join(file))?;
    }
    fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    sync(dir)
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
fn open_db(sled_dir: &Path, segment: usize, cache_bytes: u64) -> Result<::sled::Db, String> {
    let config = ::sled::Config::new().path(sled_dir).segment_size(segment).cache_capacity(cache_bytes);
    let started = Instant::now();
    loop {
        match config.open() {
            Ok(db) => return Ok(db),
            Err(error) => {
                let locked = error.to_string().contains("could not acquire lock");
                if !locked || started.elapsed() > LINGER {
                    return Err(error.to_string());
                }
            }
        }
        thread::sleep(Duration::from_millis(10));
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
