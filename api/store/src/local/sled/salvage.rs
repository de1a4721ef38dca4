//! Reading what can still be read of a damaged store, into a new one. The damaged one is not touched: its files are copied, and the copy
//! is mended, opened, and walked through from both ends, up to what cannot be read.

use std::{
    fs::{self, File},
    io,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

use ::sled::{Db, IVec};

use super::{
    STATE_KEY, decode,
    engine::{SEGMENT, is_locked, open_known},
    files::{Format, Lock, make_dir},
    mark::Mark,
    mend::{Mended, mend},
    stored::{Stored, is_piece},
};
use crate::{Entry, FORMAT, FillError, Key, OpenError, Options, Salvaged, Version, local::fill::fill};

/// Memory for the pages of the copy.
const CACHE: u64 = 16 << 20;

/// sled takes no smaller ones than this.
const SMALLEST_SEGMENT: usize = 256;

/// Entries that wait to be written.
const WAITING: usize = 1024;

/// An entry as it is found, or that it is there and cannot be read.
enum SalvagedEntry {
    Entry(Key, Entry),
    Lost(Key),
}

/// Makes a store at `to` of what can be read of the one at `from`. Both need room beside `to`.
pub(crate) fn salvage(from: &Path, to: &Path) -> Result<Salvaged, OpenError> {
    let io = |what: &'static str| {
        let dir = from.to_owned();
        move |source| OpenError::Io { dir, what: what.to_owned(), source }
    };
    let damaged = |what: String| OpenError::Damaged {
        dir: from.to_owned(),
        what,
        advice: "nothing of it can be read: restore a backup into an empty directory with `coffer restore`".to_owned(),
    };
    let database = from.join("sled");
    if !database.join("db").exists() {
        return Err(damaged("its database file is gone".to_owned()));
    }
    let _lock = Lock::take(&from.join("lock"))
        .map_err(io("locking the directory"))?
        .map_err(|holder| OpenError::InUse { dir: from.to_owned(), holder })?;
    if is_locked(&database.join("db")).map_err(io("looking at the database file"))? {
        return Err(OpenError::InUse { dir: from.to_owned(), holder: None });
    }
    let format = Format::read(&from.join("format")).ok().flatten();
    // A damaged file may say anything.
    let format = format.filter(|format| format.segment.is_power_of_two() && format.segment >= SMALLEST_SEGMENT);
    let format = format.unwrap_or(Format { number: FORMAT, segment: SEGMENT });
    if format.number > FORMAT {
        return Err(OpenError::TooNew { dir: from.to_owned(), found: format.number, known: FORMAT });
    }
    let promised = Mark::read(&from.join("mark")).ok().flatten();
    let copy = to.with_extension("copy");
    let salvaged = open_copy(&database, &copy, format.segment)
        .map_err(io("copying the database"))?
        .map_err(damaged)
        .and_then(|(db, mended)| {
            let read = read_into(&db, promised, to).map_err(|error| fill_error(from, error))?;
            if read.entries == 0 && promised.is_some_and(|version| version > Version::ZERO) {
                return Err(damaged("it has nothing that could be read".to_owned()));
            }
            Ok(Salvaged { has_gaps: mended.has_gaps(), ..read })
        });
    let removed = fs::remove_dir_all(&copy);
    let salvaged = salvaged?;
    removed.map_err(io("removing the copy"))?;
    // What reads the entries has to know how they are written.
    let segment = SEGMENT;
    Format { number: format.number, segment }.write(&to.join("format")).map_err(io("writing the file `format`"))?;
    Ok(salvaged)
}

fn fill_error(dir: &Path, error: FillError<std::convert::Infallible>) -> OpenError {
    match error {
        FillError::Open(error) => error,
        error => OpenError::Io {
            dir: dir.to_owned(),
            what: "writing what was read".to_owned(),
            source: io::Error::other(error.to_string()),
        },
    }
}

/// Copies a database, mends the copy, and opens it: as it is, or without what sled noted when it was opened last, or without its settings.
fn open_copy(database: &Path, copy: &Path, segment: usize) -> io::Result<Result<(Db, Mended), String>> {
    let mut why = String::new();
    for without in [&[][..], &["snap."], &["snap.", "conf"]] {
        if copy.exists() {
            fs::remove_dir_all(copy)?;
        }
        make_dir(copy)?;
        for entry in fs::read_dir(database)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_left_out = without.iter().any(|prefix| name.to_string_lossy().starts_with(prefix))
                || name.to_string_lossy().ends_with(".generating");
            if entry.file_type()?.is_file() && !is_left_out {
                fs::copy(entry.path(), copy.join(&name))?;
            }
        }
        let file = File::options().read(true).write(true).open(copy.join("db"))?;
        let mended = mend(&file, segment)?;
        tracing::info!(
            bits = mended.bits,
            lost = mended.lost,
            headers = mended.headers,
            is_short = mended.is_short,
            "the copy of the database was mended"
        );
        drop(file);
        match open_known(copy, segment, CACHE) {
            Ok(db) => return Ok(Ok((db, mended))),
            Err(error) => why = error,
        }
    }
    Ok(Err(why))
}

/// Makes a store of what can be read.
fn read_into(db: &Db, promised: Option<Version>, to: &Path) -> Result<Salvaged, FillError<std::convert::Infallible>> {
    let recorded = guarded(|| db.get(STATE_KEY)).ok().flatten().and_then(|stored| decode(&stored));
    let mut salvaged = Salvaged::default();
    let found = recorded.map(|state| state.version);
    let version = found.max(promised);
    salvaged.short =
        promised.filter(|promised| found < Some(*promised)).map(|promised| (promised, found.unwrap_or(Version::ZERO)));
    thread::scope(|scope| {
        let (send, received) = sync_channel(WAITING);
        let reading = scope.spawn(move || walk_both_ways(db, &send));
        let mut latest = Version::ZERO;
        let entries = received.into_iter().filter_map(|found| match found {
            // What was never confirmed is not whole.
            SalvagedEntry::Entry(_, entry) if version.is_some_and(|version| entry.version > version) => None,
            SalvagedEntry::Entry(key, entry) => {
                salvaged.entries += 1;
                latest = latest.max(entry.version);
                Some(Ok((key, entry)))
            }
            SalvagedEntry::Lost(key) => {
                salvaged.lost.push(key);
                None
            }
        });
        // Without a version the latest that is found would have to be known first.
        let version = version.unwrap_or(Version::new(u64::from(u32::MAX)));
        fill(&Options::sled(to), version, entries)?;
        salvaged.gap = reading.join().unwrap_or_default();
        Ok(salvaged)
    })
}

/// Reads from the first entry on, and from the last one back to where that ended. Gives the keys between which nothing could be read.
fn walk_both_ways(db: &Db, to: &SyncSender<SalvagedEntry>) -> Option<(Option<Key>, Option<Key>)> {
    let first: Bound<&[u8]> = Bound::Excluded(STATE_KEY);
    let (last, is_whole) = walk(db, db.range::<&[u8], _>((first, Bound::Unbounded)), None, to);
    if is_whole {
        return None;
    }
    let (next, _) = walk(db, db.range::<&[u8], _>((first, Bound::Unbounded)).rev(), last.as_ref(), to);
    let key = |bytes: IVec| (!is_piece(&bytes)).then(|| Key::from_encoded(bytes.to_vec()));
    Some((last.and_then(key), next.and_then(key)))
}

/// Reads entries until there are no more, until one that was read already, or until one cannot be read. Gives the last key, and whether all
/// was read.
fn walk(
    db: &Db,
    mut entries: impl Iterator<Item = Result<(IVec, IVec), ::sled::Error>>,
    until: Option<&IVec>,
    to: &SyncSender<SalvagedEntry>,
) -> (Option<IVec>, bool) {
    let mut last = None;
    loop {
        let Ok(next) = guarded(|| entries.next().transpose()) else { return (last, false) };
        let Some((key, stored)) = next.filter(|(key, _)| Some(key) != until) else { return (last, true) };
        if !is_piece(&key) && to.send(found(db, &key, &stored)).is_err() {
            return (last, true);
        }
        last = Some(key);
    }
}

fn found(db: &Db, key: &IVec, stored: &IVec) -> SalvagedEntry {
    let value = match Stored::parse(stored) {
        Ok(Stored::Whole(version, bytes)) => Some((version, bytes.to_vec().into())),
        Ok(Stored::Large(large)) => guarded(|| large.load(db)).ok().flatten().map(|value| (large.version, value)),
        Err(_) => None,
    };
    let key = Key::from_encoded(key.to_vec());
    match value {
        Some((version, value)) => SalvagedEntry::Entry(key, Entry { version, value }),
        None => SalvagedEntry::Lost(key),
    }
}

/// sled panics at some kinds of damage.
fn guarded<T>(read: impl FnOnce() -> Result<T, ::sled::Error>) -> Result<T, ()> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}
