//! Reading a backup: first all of it is verified, then it is put into a new store. A file that is damaged, cut off, newer or
//! something else is refused before anything is written.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take},
    path::Path,
};

use base::{Clock, Entropy, IdSource};
use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};
#[cfg(feature = "postgres")]
use store::PostgresOptions;
use store::{Entry, FillError, Key, Options, Store, Version};
use thiserror::Error;

use super::format::{FORMAT, MAGIC, Manifest, PASSED_OVER, is_left_out};
use crate::domain::{conversion::Converter, words};

/// Bytes of the checksum at the end.
const CHECKSUM: u64 = 32;
/// Bytes of a value at most: what a commit can write at once, and more.
const MAX_VALUE: u64 = 64 << 20;
/// Bytes of a manifest at most.
const MAX_MANIFEST: u64 = 1 << 20;

/// Why a file is not restored. `Display` is for the operator.
#[derive(Debug, Error)]
pub enum Refused {
    /// Something else.
    #[error("this is not a backup of Coffer's")]
    Foreign,
    /// A newer Coffer made it.
    #[error("this backup has format {0}, and this program knows formats up to {FORMAT}; run a newer coffer")]
    TooNew(u32),
    /// Its bytes are not those that were written.
    #[error("this backup is damaged or was cut off: {0}; use another one")]
    Damaged(&'static str),
    /// It could not be read.
    #[error("the backup could not be read: {0}")]
    Io(#[from] io::Error),
    /// What was named is no file, or cannot be opened.
    #[error("{0}")]
    File(#[from] base::file::FileError),
    /// The new store could not be made.
    #[error("{0}")]
    Store(String),
}

/// The compressed part of a file.
type Packed = GzDecoder<Take<BufReader<File>>>;

/// Reads the whole file and compares it with its checksum and its manifest. `progress` is told of bytes.
pub fn verify(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Manifest, Refused> {
    let mut file = BufReader::new(base::file::open(path)?);
    let length = file.get_ref().metadata()?.len();
    read_head(&mut file)?;
    let checked = length.checked_sub(CHECKSUM).ok_or(Refused::Damaged("its end is missing"))?;
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut rest = file.by_ref().take(checked);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        progress(count as u64);
    }
    let mut checksum = Vec::new();
    file.read_to_end(&mut checksum)?;
    if checksum[..] != hash.finalize()[..] {
        return Err(Refused::Damaged("its checksum does not fit"));
    }
    let mut entries = Entries::open(path)?;
    entries.by_ref().try_for_each(|entry| entry.map(drop))?;
    entries.finish()
}

/// Makes a store of a verified file. What it holds has the versions that it had; later commits get ones that were never given
/// out. `progress` is told of entries.
pub fn restore(
    path: &Path,
    manifest: &Manifest,
    options: &Options,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Refused> {
    let ids = IdSource::new(Clock::system(), Entropy::system());
    Store::fill(options, next_version(manifest), Converted::of(path, manifest, &ids, progress)?).map_err(refused)
}

/// The same into a database, whose store is empty.
#[cfg(feature = "postgres")]
pub async fn restore_into_database(
    path: &Path,
    manifest: &Manifest,
    options: &PostgresOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Refused> {
    let ids = IdSource::new(Clock::system(), Entropy::system());
    let entries = Converted::of(path, manifest, &ids, progress)?;
    Store::fill_database(options, next_version(manifest), entries).await.map_err(refused)
}

fn next_version(manifest: &Manifest) -> Version {
    Version::new(manifest.version.get().saturating_add(PASSED_OVER))
}

fn refused(error: FillError<Refused>) -> Refused {
    match error {
        FillError::Entries(refused) => refused,
        error => Refused::Store(error.to_string()),
    }
}

/// The definitions, which are needed before what comes before them.
fn definitions(path: &Path) -> Result<Vec<Entry>, Refused> {
    let (mut found, space) = (Vec::new(), Key::space(words::COLLECTIONS));
    for entry in Entries::open(path)? {
        let (key, entry) = entry?;
        if key.starts_with(&space) {
            found.push(entry);
        } else if key > space {
            break;
        }
    }
    Ok(found)
}

/// The entries of a file as they are stored.
struct Converted<'a> {
    entries: Entries,
    /// `None` when all is converted.
    converter: Option<Converter<'a>>,
    ready: std::vec::IntoIter<(Key, Entry)>,
    progress: &'a mut dyn FnMut(u64),
}

impl<'a> Converted<'a> {
    fn of(
        path: &Path,
        manifest: &Manifest,
        ids: &'a IdSource,
        progress: &'a mut dyn FnMut(u64),
    ) -> Result<Self, Refused> {
        let converter = Converter::new(ids, manifest.version, &definitions(path)?);
        Ok(Self { entries: Entries::open(path)?, converter: Some(converter), ready: Vec::new().into_iter(), progress })
    }
}

impl Iterator for Converted<'_> {
    type Item = Result<(Key, Entry), Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.ready.next() {
                return Some(Ok(entry));
            }
            let (mut out, converter) = (Vec::new(), self.converter.as_mut()?);
            let outcome = match self.entries.next() {
                Some(Ok((key, entry))) => {
                    (self.progress)(1);
                    converter.convert(&key, entry, &mut out)
                }
                Some(Err(refused)) => return Some(Err(refused)),
                None => self.converter.take()?.finish(&mut out),
            };
            if let Err(error) = outcome {
                return Some(Err(Refused::Store(error.with_causes())));
            }
            self.ready = out.into_iter();
        }
    }
}

/// Reads the first line, and the number of the format in it.
fn read_head(file: &mut impl BufRead) -> Result<(), Refused> {
    let mut line = Vec::new();
    file.take(64).read_until(b'\n', &mut line)?;
    let text = std::str::from_utf8(&line).map_err(|_| Refused::Foreign)?;
    let number = text.strip_prefix(MAGIC).and_then(|rest| rest.strip_suffix('\n')).ok_or(Refused::Foreign)?;
    match number.parse().map_err(|_| Refused::Foreign)? {
        1..=FORMAT => Ok(()),
        newer if newer > FORMAT => Err(Refused::TooNew(newer)),
        _ => Err(Refused::Foreign),
    }
}

/// The entries of a file, checked as they come.
struct Entries {
    packed: Packed,
    /// What was counted.
    counted: Manifest,
    last: Option<Key>,
    latest: Version,
    at_end: bool,
}

impl Entries {
    fn open(path: &Path) -> Result<Self, Refused> {
        let mut file = BufReader::new(base::file::open(path)?);
        let length = file.get_ref().metadata()?.len();
        read_head(&mut file)?;
        let head = file.stream_position()?;
        let packed = length.saturating_sub(head + CHECKSUM);
        let packed = GzDecoder::new(file.take(packed));
        Ok(Self { packed, counted: Manifest::default(), last: None, latest: Version::ZERO, at_end: false })
    }

    fn next_entry(&mut self) -> Result<Option<(Key, Entry)>, Refused> {
        let key_length = self.number()?;
        if key_length == 0 {
            return Ok(None);
        }
        let value_length = self.number()?;
        let version = u64::from(self.number()?) << 32 | u64::from(self.number()?);
        if key_length as usize > Key::MAX_BYTES || u64::from(value_length) > MAX_VALUE {
            return Err(Refused::Damaged("an entry is too large"));
        }
        let key = self.bytes(key_length)?;
        let key = Key::from_bytes(&key).map_err(|_| Refused::Damaged("an entry has no key"))?;
        let value = self.bytes(value_length)?.into();
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(Refused::Damaged("its entries are not in order"));
        }
        if is_left_out(&key) {
            return Err(Refused::Damaged("it has sessions in it, which no backup has"));
        }
        self.last = Some(key.clone());
        self.latest = self.latest.max(Version::new(version));
        self.counted.count(&key);
        Ok(Some((key, Entry { version: Version::new(version), value })))
    }

    /// The manifest, if it fits what was read.
    fn finish(mut self) -> Result<Manifest, Refused> {
        let mut text = Vec::new();
        self.packed.by_ref().take(MAX_MANIFEST).read_to_end(&mut text).map_err(torn)?;
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|_| Refused::Damaged("its manifest cannot be read"))?;
        if manifest.spaces != self.counted.spaces || manifest.version < self.latest {
            return Err(Refused::Damaged("it does not hold what its manifest says"));
        }
        if self.packed.get_mut().read(&mut [0])? > 0 {
            return Err(Refused::Damaged("something stands behind its end"));
        }
        Ok(manifest)
    }

    fn number(&mut self) -> Result<u32, Refused> {
        let mut bytes = [0; 4];
        self.packed.read_exact(&mut bytes).map_err(torn)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn bytes(&mut self, length: u32) -> Result<Vec<u8>, Refused> {
        let mut bytes = vec![0; length as usize];
        self.packed.read_exact(&mut bytes).map_err(torn)?;
        Ok(bytes)
    }
}

impl Iterator for Entries {
    type Item = Result<(Key, Entry), Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at_end {
            return None;
        }
        let entry = self.next_entry().transpose();
        self.at_end = !matches!(entry, Some(Ok(_)));
        entry
    }
}

/// The stream ended early or is no gzip.
fn torn(error: io::Error) -> Refused {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            Refused::Damaged("its contents cannot be unpacked")
        }
        _ => Refused::Io(error),
    }
}
