//! Reading what can still be read of a damaged store, into a new one. The damaged one is not touched: its database file is copied, and the copy is
//! mended, and read page by page. What cannot be read of one page takes nothing else along.

mod leaves;
mod log;
mod node;

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use self::{
    leaves::{Found, Leaves},
    log::Log,
};
use super::{
    FIRST_KEY, STATE_KEY, decode,
    engine::{SEGMENT, is_locked},
    files::{Format, Lock, make_dir},
    mark::Mark,
    mend::{Mended, mend},
    stored::{Stored, is_piece},
};
use crate::{Entry, FORMAT, FillError, Key, OpenError, Options, Salvaged, Version, local::fill::fill};

/// sled takes no smaller ones than this.
const SMALLEST_SEGMENT: usize = 256;

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
    let salvaged = mend_copy(&database, &copy, format.segment).map_err(io("reading a copy of the database")).and_then(
        |(leaves, mended)| {
            let read = read_into(leaves, promised, to).map_err(|error| fill_error(from, error))?;
            if read.entries == 0 && promised.is_some_and(|version| version > Version::ZERO) {
                return Err(damaged("it has nothing that could be read".to_owned()));
            }
            Ok(Salvaged { has_gaps: read.has_gaps || mended.has_gaps(), ..read })
        },
    );
    let removed = fs::remove_dir_all(&copy);
    let salvaged = salvaged?;
    removed.map_err(io("removing the copy"))?;
    // What reads the entries has to know how they are written.
    let segment = SEGMENT;
    Format { number: format.number, segment }.write(&to.join("format")).map_err(io("writing the file `format`"))?;
    Ok(salvaged)
}

fn fill_error(dir: &Path, error: FillError<io::Error>) -> OpenError {
    match error {
        FillError::Open(error) => error,
        error => OpenError::Io {
            dir: dir.to_owned(),
            what: "writing what was read".to_owned(),
            source: io::Error::other(error.to_string()),
        },
    }
}

/// Copies a database file, mends the copy, and finds its leaves.
fn mend_copy(database: &Path, copy: &Path, segment: usize) -> io::Result<(Leaves, Mended)> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    make_dir(copy)?;
    fs::copy(database.join("db"), copy.join("db"))?;
    let file = File::options().read(true).write(true).open(copy.join("db"))?;
    let mended = mend(&file, segment)?;
    tracing::info!(
        bits = mended.bits,
        lost = mended.lost,
        headers = mended.headers,
        is_short = mended.is_short,
        "the copy of the database was mended"
    );
    Ok((Leaves::read(Log::read(file, segment)?)?, mended))
}

/// Makes a store of what can be read.
fn read_into(mut leaves: Leaves, promised: Option<Version>, to: &Path) -> Result<Salvaged, FillError<io::Error>> {
    let recorded = leaves.get(STATE_KEY).map_err(FillError::Entries)?.and_then(|stored| decode(&stored));
    let mut salvaged = Salvaged::default();
    let found = recorded.map(|state| state.version);
    let version = found.max(promised);
    salvaged.short =
        promised.filter(|promised| found < Some(*promised)).map(|promised| (promised, found.unwrap_or(Version::ZERO)));
    let (mut last, mut is_after_gap) = (None, false);
    let entries = leaves.stretches().into_iter().flat_map(|stretch| {
        let found = match leaves.within(stretch) {
            Ok(found) => found,
            Err(error) => return vec![Err(error)],
        };
        let mut out = Vec::with_capacity(found.len());
        for found in found {
            let Found::Entry(key, stored) = found else {
                is_after_gap = true;
                continue;
            };
            // Of pieces that are missing their value tells.
            if key.as_slice() < FIRST_KEY || is_piece(&key) {
                is_after_gap = false;
                continue;
            }
            let key = Key::from_encoded(key);
            if std::mem::take(&mut is_after_gap) {
                salvaged.gaps.push((last.clone(), Some(key.clone())));
            }
            last = Some(key.clone());
            match entry(&mut leaves, &stored) {
                // What was never confirmed is not whole.
                Ok(Some(entry)) if version.is_some_and(|version| entry.version > version) => {}
                Ok(Some(entry)) => {
                    salvaged.entries += 1;
                    out.push(Ok((key, entry)));
                }
                Ok(None) => salvaged.lost.push(key),
                Err(error) => out.push(Err(error)),
            }
        }
        out
    });
    // Without a version the latest that is found would have to be known first.
    fill(&Options::sled(to), version.unwrap_or(Version::new(u64::from(u32::MAX))), entries)?;
    if is_after_gap {
        salvaged.gaps.push((last, None));
    }
    let is_told = !salvaged.lost.is_empty() || !salvaged.gaps.is_empty();
    salvaged.has_gaps = !is_told && recorded.is_some_and(|state| state.entries != salvaged.entries);
    Ok(salvaged)
}

/// What is stored, put together; `None` where it cannot be.
fn entry(leaves: &mut Leaves, stored: &[u8]) -> io::Result<Option<Entry>> {
    Ok(match Stored::parse(stored) {
        Ok(Stored::Whole(version, bytes)) => Some(Entry { version, value: bytes.to_vec().into() }),
        Ok(Stored::Large(large)) => {
            large.load(|key| leaves.get(key))?.map(|value| Entry { version: large.version, value })
        }
        Err(_) => None,
    })
}
