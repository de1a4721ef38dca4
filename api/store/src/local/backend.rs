//! What keeps the bytes of a local store: an ordered map that can read, page through
//! a range, and apply one group of writes durably. Nothing above knows which one it talks to.
//!
//! Versions, expectations, snapshots and groups belong to the layers above.

use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::memory::Memory;
use super::room::Room;
use super::sled::{NotRewritten, Rewrite, Sled};
use crate::{CompactError, Direction, Entry, FORMAT, Key, ReadError, Version};

/// What the store remembers about itself; written in the same atomic step as every group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The version of the last commit.
    pub version: Version,
    /// How many keys there are.
    pub entries: u64,
    /// The sum of [`fingerprint`] over all keys, so that a store that lost or brought back any
    /// entry is found out, whichever it was.
    pub sum: u64,
}

/// A number that stands for a key at a version. It guards against accidents, not against forgery.
///
/// 64-bit FNV-1a, and then every bit of it mixed into every other: without that the numbers of
/// neighbouring versions differ by little, and two keys that fall back together may cancel out.
pub(super) fn fingerprint(key: &[u8], version: Version) -> u64 {
    let version = version.get().to_be_bytes();
    let mut hash = key
        .iter()
        .chain(&version)
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

impl State {
    /// The state after `before` became `after` under a key.
    pub(super) fn replace(&mut self, key: &Key, before: Option<&Entry>, after: Option<&Entry>) {
        if let Some(entry) = before {
            self.entries -= 1;
            self.sum = self.sum.wrapping_sub(fingerprint(key.as_bytes(), entry.version));
        }
        if let Some(entry) = after {
            self.entries += 1;
            self.sum = self.sum.wrapping_add(fingerprint(key.as_bytes(), entry.version));
        }
    }
}

/// A page of a range, as a backend is asked for it.
pub(super) struct PageRequest<'a> {
    pub from: Bound<&'a Key>,
    pub to: Bound<&'a Key>,
    pub direction: Direction,
    pub limit: usize,
    /// The page ends with the entry with which its values have so many bytes.
    pub bytes: usize,
    /// Without values only versions are read, and every value is empty.
    pub values: bool,
}

impl PageRequest<'_> {
    /// Entries up to the end of a page.
    pub(super) fn take<E>(
        &self,
        entries: impl Iterator<Item = Result<(Key, Entry), E>>,
    ) -> Result<Vec<(Key, Entry)>, E> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        for entry in entries.take(self.limit) {
            let entry = entry?;
            bytes += entry.1.value.len();
            page.push(entry);
            if bytes >= self.bytes {
                break;
            }
        }
        Ok(page)
    }

    /// Whether a page has as much as was asked for, so that there may be more.
    pub(super) fn is_full(&self, page: &[(Key, Entry)]) -> bool {
        page.len() == self.limit || page.iter().map(|(_, entry)| entry.value.len()).sum::<usize>() >= self.bytes
    }
}

/// Why a group was not applied. Any of these is final: nobody knows what reached the disk.
#[derive(Debug)]
pub(super) struct ApplyError {
    pub reason: String,
}

impl From<ReadError> for ApplyError {
    fn from(error: ReadError) -> ApplyError {
        ApplyError { reason: format!("reading: {}", error.reason) }
    }
}

/// The backends.
pub(super) enum Backend {
    Sled(Box<Sled>),
    Memory(Memory),
}

impl Backend {
    pub(super) fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        match self {
            Backend::Sled(sled) => sled.get(key),
            Backend::Memory(memory) => Ok(memory.get(key)),
        }
    }

    /// The first entries of a page, at most its limit. It need not be a consistent picture.
    pub(super) fn read(&self, request: &PageRequest<'_>) -> Result<Vec<(Key, Entry)>, ReadError> {
        match self {
            Backend::Sled(sled) => sled.read(request),
            Backend::Memory(memory) => Ok(memory.read(request)),
        }
    }

    /// How much may still be written.
    pub(super) fn room(&self) -> Room {
        match self {
            Backend::Sled(sled) => sled.room(),
            Backend::Memory(_) => Room::unlimited(),
        }
    }

    /// Begins to write everything anew, where that could take less room. An error says why not.
    pub(super) fn begin_rewrite(&self) -> Result<Rewrite, NotRewritten> {
        match self {
            Backend::Sled(sled) => sled.begin_rewrite(),
            Backend::Memory(_) => Err(NotRewritten::NotWorth),
        }
    }

    /// Copies everything while others read and write. An error says why it is of no use.
    pub(super) fn copy(&self, to: &Rewrite, is_over: impl Fn() -> bool) -> Result<(), NotRewritten> {
        match self {
            Backend::Sled(sled) => sled.copy(to, is_over),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Copies what changed meanwhile, and gives the new database, which is whole. Nobody may write meanwhile.
    pub(super) fn catch_up(&self, rewrite: Rewrite, state: State) -> Result<PathBuf, NotRewritten> {
        match self {
            Backend::Sled(sled) => sled.catch_up(rewrite, state),
            Backend::Memory(_) => Ok(PathBuf::new()),
        }
    }

    /// Puts the new database in the place of the old one. Nobody may read or write meanwhile.
    pub(super) fn swap(&self, new: &Path) -> Result<(), ApplyError> {
        match self {
            Backend::Sled(sled) => sled.swap(new),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Moves what stands in parts of the files that are nearly empty together, while others read and write.
    pub(super) fn sweep(&self, is_over: impl Fn() -> bool) -> Result<(), ReadError> {
        match self {
            Backend::Sled(sled) => sled.sweep(is_over),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Forgets a new database that is not finished.
    pub(super) fn give_up_rewrite(&self) {
        if let Backend::Sled(sled) = self {
            sled.give_up_rewrite();
        }
    }

    /// Gives whole segments that hold nothing back to the system; says how many bytes are free in the file and stay there. Nobody
    /// may read or write meanwhile. `state` is what the store is known to hold.
    pub(super) fn reopen(&self, state: State) -> Result<Result<u64, CompactError>, ApplyError> {
        match self {
            Backend::Sled(sled) => sled.reopen(state),
            Backend::Memory(_) => Ok(Ok(0)),
        }
    }

    /// An error if what is written now would not be there after a restart.
    pub(super) fn look(&self) -> Result<(), ApplyError> {
        match self {
            Backend::Sled(sled) => sled.look(),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// How many bytes are taken on the disk.
    pub(super) fn disk_bytes(&self) -> Result<u64, ReadError> {
        match self {
            Backend::Sled(sled) => sled.disk_bytes(),
            Backend::Memory(_) => Ok(0),
        }
    }

    /// The format that the store is in.
    pub(super) fn format(&self) -> u32 {
        match self {
            Backend::Sled(sled) => sled.format(),
            Backend::Memory(_) => FORMAT,
        }
    }

    /// Notes, durably, that the store is in the newest format now.
    pub(super) fn raise_format(&self) -> io::Result<()> {
        match self {
            Backend::Sled(sled) => sled.raise_format(),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Writes all of a group and the state after it, atomically. On disk when it returns.
    pub(super) fn apply(
        &self,
        writes: impl Iterator<Item = (Key, Option<Entry>)>,
        state: State,
    ) -> Result<(), ApplyError> {
        match self {
            Backend::Sled(sled) => sled.apply(writes, state),
            Backend::Memory(memory) => {
                memory.apply(writes);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_fall_back_to_older_versions_do_not_cancel_out() {
        let sum = |keys: [u8; 2], version| {
            let prints = keys.map(|key| fingerprint(&[key], Version::new(version)));
            prints[0].wrapping_add(prints[1])
        };
        for version in 0..300 {
            for key in 0..255 {
                let keys = [key, key + 1];
                assert_ne!(sum(keys, version), sum(keys, version + 1), "{keys:?} {version}");
            }
        }
    }
}
