//! Converting a store when it is opened. The new one is made beside it, under another name, and takes its place when it is complete
//! and on disk. Until then the old one is as it was, so this can be ended at any moment, and begins again.
//!
//! ```text
//! store                          the old one, which an earlier program may go on with
//! store.converting               the new one in the making; whoever finds it removes it
//! store.converted                the new one, complete
//! store.before-conversion        the old one, when its name goes to the new one; then it is removed
//! ```

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use base::{Clock, Entropy, IdSource};
use store::{EngineOptions, Entry, FORMAT, FillError, Key, OpenError, Options, ReadError, Scan, Snapshot, Store};
use thiserror::Error;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::Converter;
use crate::domain::{error::Error as DomainError, words};

/// Pages of entries that may wait to be written.
const WAITING: usize = 8;

/// Why a store could not be converted. The old one is as it was.
#[derive(Debug, Error)]
pub enum ConversionError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read.
    #[error("the store of an earlier version cannot be converted, and was not changed: {0}")]
    Read(#[from] ReadError),
    /// The new one cannot be written.
    #[error(
        "the store cannot be converted, and was not changed: {0}; it needs as much room on the disk as the store takes"
    )]
    Write(String),
    /// There is too little room for the new one beside it.
    #[error(
        "the store of an earlier version is converted into a new one beside it, which needs up to {} of room on the disk, and {} are free; nothing was \
         changed. Make room, or move the data directory to a larger disk",
        common::text::bytes(*.needed), common::text::bytes(*.free)
    )]
    Room {
        /// Bytes that it may take.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// What it holds makes no sense.
    #[error("the store cannot be converted, and was not changed")]
    Contents(#[source] Box<DomainError>),
    /// Files could not be renamed or removed.
    #[error("the store was converted, and could not be put in its place: {0}; start again")]
    Files(#[from] io::Error),
    /// A thread ended early.
    #[error("converting the store was broken off")]
    Broken,
}

/// The directories of a conversion.
struct Directories {
    store: PathBuf,
    making: PathBuf,
    complete: PathBuf,
    old: PathBuf,
}

impl Directories {
    fn of(store: &Path) -> Self {
        let beside = |end: &str| {
            let mut name = store.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        Self {
            making: beside(".converting"),
            complete: beside(".converted"),
            old: beside(".before-conversion"),
            store: store.to_owned(),
        }
    }

    /// Finishes, or takes back, what was broken off.
    fn tidy(&self) -> io::Result<()> {
        if !self.store.exists() {
            if self.complete.exists() {
                fs::rename(&self.complete, &self.store)?;
                self.sync()?;
            } else if self.old.exists() {
                fs::rename(&self.old, &self.store)?;
                self.sync()?;
            }
        }
        // An earlier program may have gone on with the old store, so what was made of it counts for nothing.
        for leftover in [&self.making, &self.complete, &self.old] {
            if leftover.exists() {
                fs::remove_dir_all(leftover)?;
            }
        }
        Ok(())
    }

    /// Puts the new store in the place of the old one.
    fn swap(&self) -> io::Result<()> {
        fs::rename(&self.making, &self.complete)?;
        self.sync()?;
        fs::rename(&self.store, &self.old)?;
        fs::rename(&self.complete, &self.store)?;
        self.sync()?;
        fs::remove_dir_all(&self.old)
    }

    fn sync(&self) -> io::Result<()> {
        let parent = self.store.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()
    }
}

/// Finishes a conversion that was broken off while the new store took the place of the old one, if one was.
pub fn tidy(store: &Path) -> io::Result<()> {
    let places = Directories::of(store);
    // Only who has the store may tidy up beside it; if there is none, nobody has it.
    if places.store.exists() { Ok(()) } else { places.tidy() }
}

/// Opens a store, and converts it first where an earlier version made it. `progress` is told of entries: how many are read, and of how
/// many.
pub async fn open(options: Options, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Store, ConversionError> {
    let EngineOptions::Sled(sled) = &options.engine else { return blocking(move || Store::open(options)).await };
    let places = Directories::of(&sled.dir);
    tidy(&sled.dir)?;
    let again = options.clone();
    let old = blocking(move || Store::open(options)).await?;
    places.tidy()?;
    if old.format() == FORMAT {
        return Ok(old);
    }
    has_room(store::disk_bytes(&places.store)?, store::free_bytes(&places.store))?;
    convert(&old, &places, progress).await?;
    // Opening reads all of it: only what is whole takes the place of the old one.
    let made = Options::sled(&places.making);
    blocking(move || Store::open(made)).await?.close().await;
    old.close().await;
    places.swap()?;
    drop(old);
    blocking(move || Store::open(again)).await
}

/// Room that a new store of nothing takes.
const LEAST: u64 = 8 << 20;

/// An error where there is less than the new store may take: about half as much as the old one, and more while it is written.
fn has_room(old: u64, free: Option<u64>) -> Result<(), ConversionError> {
    let needed = (old / 4 * 3).max(LEAST);
    match free {
        Some(free) if free < needed => Err(ConversionError::Room { needed, free }),
        _ => Ok(()),
    }
}

async fn blocking(open: impl FnOnce() -> Result<Store, OpenError> + Send + 'static) -> Result<Store, ConversionError> {
    Ok(tokio::task::spawn_blocking(open).await.map_err(|_| ConversionError::Broken)??)
}

async fn convert(
    old: &Store,
    places: &Directories,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), ConversionError> {
    let snapshot = old.snapshot().await?;
    let all = Scan::range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded);
    let total = snapshot.count(&all).await?.get() as u64;
    tracing::info!(entries = total, format = FORMAT, "converting a store of an earlier version, once");
    let (send, receive) = mpsc::channel(WAITING);
    let (target, version) = (Options::sled(&places.making), snapshot.version());
    let filling = tokio::task::spawn_blocking(move || Store::fill(&target, version, Received::new(receive)));
    let read = read_all(&snapshot, total, &send, progress).await;
    if let Err(error) = read {
        // What was sent so far must not be taken for all.
        let _ = send.send(Err(ConversionError::Broken)).await;
        drop(send);
        let _ = filling.await;
        return Err(error);
    }
    drop(send);
    match filling.await.map_err(|_| ConversionError::Broken)? {
        Ok(()) => Ok(()),
        Err(FillError::Entries(error)) => Err(error),
        Err(error) => Err(ConversionError::Write(error.to_string())),
    }
}

type Entries = Result<Vec<(Key, Entry)>, ConversionError>;

/// Reads the whole store, and sends what it becomes.
async fn read_all(
    snapshot: &Snapshot,
    total: u64,
    send: &Sender<Entries>,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), ConversionError> {
    let contents = |error| ConversionError::Contents(Box::new(error));
    let clock = Clock::system();
    let ids = IdSource::new(clock.clone(), Entropy::system());
    let definitions = snapshot.scan(Scan::prefix(&Key::space(words::COLLECTIONS))).await?;
    let definitions: Vec<_> = definitions.into_iter().map(|(_, entry)| entry).collect();
    let mut converter = Converter::new(&ids, snapshot.version(), &definitions);
    let (mut read, mut told) = (0, clock.elapsed());
    let mut pages = snapshot.pages(Scan::range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded));
    while let Some(page) = pages.next().await? {
        read += page.len() as u64;
        let mut out = Vec::with_capacity(page.len());
        for (key, entry) in page {
            converter.convert(&key, entry, &mut out).map_err(contents)?;
        }
        if send.send(Ok(out)).await.is_err() {
            // The filling ended, and says why.
            return Ok(());
        }
        progress(read, total);
        if clock.elapsed().saturating_sub(told).as_secs() >= 5 {
            told = clock.elapsed();
            tracing::info!(entries = read, of = total, "converting the store");
        }
    }
    let mut out = Vec::new();
    converter.finish(&mut out).map_err(contents)?;
    let _ = send.send(Ok(out)).await;
    Ok(())
}

/// What was sent, one by one.
struct Received {
    receive: Receiver<Entries>,
    page: std::vec::IntoIter<(Key, Entry)>,
}

impl Received {
    fn new(receive: Receiver<Entries>) -> Self {
        Self { receive, page: Vec::new().into_iter() }
    }
}

impl Iterator for Received {
    type Item = Result<(Key, Entry), ConversionError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            match self.receive.blocking_recv()? {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_room_is_told_with_how_much_is_needed() {
        assert!(has_room(1 << 30, Some(1 << 30)).is_ok() && has_room(u64::MAX, None).is_ok());
        let told = has_room(4_000_000_000, Some(1_000_000_000)).unwrap_err().to_string();
        assert!(told.contains("3 GB of room") && told.contains("1 GB are free"), "{told}");
        assert!(has_room(0, Some(0)).is_err());
    }
}
