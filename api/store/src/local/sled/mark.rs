//! The high-water mark: a small file beside the database with the last version that was promised to
//! be on disk. A store that opens with less has lost something.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::Version;

const MAGIC: u64 = u64::from_be_bytes(*b"coffer-1");

/// Two places, written in turn and a sector apart: a write that is cut off leaves the other.
const SLOT: u64 = 512;

pub(super) struct Mark {
    file: File,
    writes: AtomicU64,
}

impl Mark {
    /// What the file promises: `None` if it is not there or holds nothing valid.
    pub(super) fn read(path: &Path) -> io::Result<Option<Version>> {
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => Ok(read_slots(&file?)?.into_iter().flatten().max()),
        }
    }

    /// Opens the file for writing, made if need be.
    pub(super) fn open(path: &Path) -> io::Result<Mark> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(0o600).open(path)?;
        let slots = read_slots(&file)?;
        // The next write goes to the place that does not hold the mark.
        let writes = u64::from(slots[0] > slots[1]);
        Ok(Mark { file, writes: AtomicU64::new(writes) })
    }

    /// Raises the mark; it is on disk on return.
    pub(super) fn write(&self, version: Version) -> io::Result<()> {
        let slot = self.writes.fetch_add(1, Ordering::Relaxed) % 2;
        let fields = [MAGIC, version.get(), check(version)].map(u64::to_be_bytes);
        self.file.write_all_at(fields.as_flattened(), slot * SLOT)?;
        self.file.sync_data()
    }
}

fn read_slots(file: &File) -> io::Result<[Option<Version>; 2]> {
    let mut slots = [None; 2];
    for (at, slot) in [0, SLOT].into_iter().zip(&mut slots) {
        let mut fields = [[0; 8]; 3];
        match file.read_exact_at(fields.as_flattened_mut(), at) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
            read => read?,
        }
        let [magic, version, sum] = fields.map(u64::from_be_bytes);
        let version = Version::new(version);
        *slot = (magic == MAGIC && sum == check(version)).then_some(version);
    }
    Ok(slots)
}

/// Tells a whole slot from a damaged one.
fn check(version: Version) -> u64 {
    (version.get() ^ MAGIC).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}
