//! Opening: everything that is checked before the first request, in this order. The directory is
//! ours alone; the format is known; the engine recovers; it is not behind the mark; and what it
//! holds adds up to what the last commit said. A store that fails is refused, never shortened.
//!
//! Adding up reads every entry once, which is the price of knowing: sled can skip a damaged part
//! of its log and start without a word. What it costs is in `api/examples/million.rs`.

use std::{
    io,
    path::Path,
    sync::{
        Mutex, RwLock,
        atomic::{AtomicBool, AtomicU32},
    },
};

use super::{
    Opened, Sled,
    engine::{Refused, SEGMENT, is_locked, open_checked},
    erased::Erased,
    files::{Format, Lock, Space, lock_holder, make_dir, needed_to_open, sync, sync_files},
    holes::give_back,
    initialized::Initialized,
    mark::Mark,
    owner::{Owner, first_unusable, make_private, owner_of, this_user},
    rescue::Rescue,
    rewrite::{remove_old, undo_cut_off},
};
use crate::{
    FORMAT, OpenError, SledOptions, Version,
    local::{order_statistics::OrderStatistics, state::State},
};

/// Room that a new store takes.
const NEEDED_AT_FIRST: u64 = 8 << 20;

const ADVICE: &str = "restore a backup into an empty directory with `coffer restore`, or have `coffer salvage` write what can \
    still be read into a backup";

/// What is done where the store is not where it was.
const GONE_ADVICE: &str = "if its disk is not mounted, mount it; if it was removed, restore a backup into an empty directory with \
    `coffer restore`, or start once with --accept-data-loss to begin with an empty store";

impl Sled {
    pub(crate) fn open(options: &SledOptions) -> Result<(Sled, State, OrderStatistics), OpenError> {
        let dir = options.dir.clone();
        let io = |what: &'static str| {
            let dir = dir.clone();
            move |source| system_error(&dir, what, source)
        };
        let damaged =
            |what: String, advice: &str| OpenError::Damaged { dir: dir.clone(), what, advice: advice.to_owned() };

        // What is in a directory that one may not enter is not gone.
        if let Some(path) = first_unusable(&dir) {
            return Err(OpenError::Foreign { owner: owner_of(&path), user: this_user(), path, dir });
        }
        let is_gone = || options.initialized.as_ref().is_some_and(|file| file.exists());
        if !dir.join("format").exists() && is_gone() && !options.accept_data_loss {
            return Err(damaged("a store was here, and it is gone".to_owned(), GONE_ADVICE));
        }
        let owner = Owner::of(&dir);
        make_dir(&dir).map_err(io("making the directory"))?;
        let lock = Lock::take(&dir.join("lock"))
            .map_err(io("locking the directory"))?
            .map_err(|holder| OpenError::InUse { dir: dir.clone(), holder })?;
        let format = Format::read(&dir.join("format")).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => damaged("its file `format` is torn".to_owned(), ADVICE),
            _ => io("reading the file `format`")(error),
        })?;
        if let Some(Format { number: found, .. }) = format
            && found > FORMAT
        {
            return Err(OpenError::TooNew { dir, found, known: FORMAT });
        }
        let promised = Mark::read(&dir.join("mark")).map_err(io("reading the mark"))?;

        let sled_dir = dir.join("sled");
        // Whoever removed the file `lock` has not removed this one.
        if is_locked(&sled_dir.join("db")).map_err(io("looking at the database file"))? {
            return Err(OpenError::InUse { holder: lock_holder(&sled_dir.join("db")), dir });
        }
        has_room_to_open(&sled_dir).map_err(io("opening the database"))?;
        undo_cut_off(&dir).map_err(io("undoing a compaction that was cut off"))?;
        let rescue = Rescue::prepare(&sled_dir).map_err(io("copying the database"))?;
        let (db, inspected) = match open_checked(&sled_dir, options, format, promised) {
            Ok(opened) => opened,
            Err(refused) => {
                let unchanged = rescue.is_some();
                if let Some(rescue) = rescue {
                    rescue.put_back().map_err(io("putting the database back as it was"))?;
                }
                return Err(match refused {
                    Refused::InUse => OpenError::InUse { holder: lock_holder(&sled_dir.join("db")), dir },
                    Refused::System(error) => io("opening the database")(error),
                    Refused::Damaged(what) if unchanged => damaged(format!("{what} (nothing was changed)"), ADVICE),
                    Refused::Damaged(what) => damaged(what, ADVICE),
                });
            }
        };
        rescue.map_or(Ok(()), Rescue::discard).map_err(io("removing the copy"))?;

        remove_old(&dir).map_err(io("removing the database from before a compaction"))?;
        let opened = Opened::new(&sled_dir, db).map_err(io("opening the database file"))?;
        let segment = format.map_or(SEGMENT, |format| format.segment);
        let free = give_back(&opened.file, segment).map_err(io("giving space back to the system"))?;
        let mark = Mark::open(&dir.join("mark")).map_err(io("opening the mark"))?;
        let files = make_durable(&dir, format, &mark, inspected.state);
        files.map_err(io("making it durable"))?;
        owner.keep(&dir).map_err(io("keeping the owner of its files"))?;
        let erased = Erased::read(&dir).map_err(io("looking for what was erased"))?;
        let sled = Sled {
            erased,
            initialized: Initialized::new(options.initialized.clone(), owner),
            dir,
            opened: RwLock::new(Some(opened)),
            changed: Mutex::new(None),
            mark,
            segment,
            format: AtomicU32::new(format.map_or(FORMAT, |format| format.number)),
            cache_bytes: options.cache_bytes,
            reserve_bytes: options.reserve_bytes,
            free: Mutex::new(free),
            has_pieces: AtomicBool::new(inspected.has_pieces),
            owner,
            _lock: lock,
        };
        if inspected.state.version > Version::ZERO {
            let noted = sled.initialized.note();
            noted.map_err(|source| system_error(&sled.dir, "noting that there is a store", source))?;
        }
        Ok((sled, inspected.state, inspected.order))
    }
}

/// What the system refused, in the words of whoever can change it.
fn system_error(dir: &Path, what: &str, source: io::Error) -> OpenError {
    if source.kind() == io::ErrorKind::PermissionDenied
        && let Some(path) = first_unusable(dir)
    {
        return OpenError::Foreign { dir: dir.to_owned(), owner: owner_of(&path), user: this_user(), path };
    }
    OpenError::Io { dir: dir.to_owned(), what: what.to_owned(), source }
}

/// An error if the disk has less room than opening takes: sled would stop in the middle of it.
fn has_room_to_open(sled_dir: &Path) -> io::Result<()> {
    let needed = match needed_to_open(sled_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => NEEDED_AT_FIRST,
        needed => needed?,
    };
    let dir = sled_dir.parent().unwrap_or(sled_dir);
    let space = Space::of(dir);
    let free = space.bytes;
    if free < needed {
        let what = format!(
            "no space: opening takes {} MB of free disk for a moment, and there are {} MB; remove other files first",
            needed.div_ceil(1_000_000),
            free / 1_000_000
        );
        return Err(io::Error::new(io::ErrorKind::StorageFull, what));
    }
    if !space.takes_files() {
        let what = "no space: the file system takes no more files (it is out of inodes); remove other files first";
        return Err(io::Error::new(io::ErrorKind::StorageFull, what));
    }
    Ok(())
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
    make_private(dir)?;
    sync(dir)
}
