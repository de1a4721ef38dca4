//! How a value is written into sled: the version, then the bytes; or, if it is large, the version
//! and where its pieces are, and the pieces as entries of their own.
//!
//! sled keeps up to some twenty entries on a page, and a page of more than a quarter of a segment
//! goes to a file of its own that sled never syncs. Pieces are so small that no page gets there,
//! whatever the size of a value, and segments can be small, which saves memory and disk.

use bytes::Bytes;

use super::changes::Changes;
use crate::{Entry, ReadError, Version};

/// The largest value, or piece of one, that sled sees.
const PIECE: usize = 8 << 10;

/// Room that is made for a value before it is read. What is larger grows.
const LARGEST_RESERVED: usize = 1 << 20;

/// Before every key of ours; a space has no name that begins with this.
const PIECES: u8 = 1;

/// Set in the version of a large value. No store gets so far as to need the bit.
const LARGE: u64 = 1 << 63;

/// A value as it is found.
pub(super) enum Stored<'a> {
    Whole(Version, &'a [u8]),
    Large(Large),
}

/// Where a large value is: its pieces' keys are made of these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Large {
    pub version: Version,
    /// Tells apart the large values of one commit.
    ordinal: u64,
    length: u64,
}

impl Stored<'_> {
    pub(super) fn parse(stored: &[u8]) -> Result<Stored<'_>, ReadError> {
        let torn = || ReadError::new("a value is not as it was written");
        let (version, bytes) = stored.split_first_chunk::<8>().ok_or_else(torn)?;
        let version = u64::from_be_bytes(*version);
        if version & LARGE == 0 {
            return Ok(Stored::Whole(Version::new(version), bytes));
        }
        let numbers: &[[u8; 8]; 2] = bytes.as_chunks().0.try_into().map_err(|_| torn())?;
        let [ordinal, length] = numbers.map(u64::from_be_bytes);
        Ok(Stored::Large(Large { version: Version::new(version & !LARGE), ordinal, length }))
    }

    pub(super) fn version(&self) -> Version {
        match self {
            Stored::Whole(version, _) => *version,
            Stored::Large(large) => large.version,
        }
    }
}

impl Large {
    /// The keys of the pieces, in order.
    pub(super) fn keys(self) -> impl Iterator<Item = [u8; 25]> {
        (0..self.length.div_ceil(PIECE as u64)).map(move |n| {
            let mut key = [PIECES; 25];
            key[1..9].copy_from_slice(&self.version.get().to_be_bytes());
            key[9..17].copy_from_slice(&self.ordinal.to_be_bytes());
            key[17..].copy_from_slice(&n.to_be_bytes());
            key
        })
    }

    /// Puts the pieces together; `None` if one is missing.
    pub(super) fn load<P: AsRef<[u8]>, E>(
        self,
        mut get: impl FnMut(&[u8]) -> Result<Option<P>, E>,
    ) -> Result<Option<Bytes>, E> {
        // A length that was damaged is noticed below, and takes no memory before.
        let length = usize::try_from(self.length).unwrap_or(0).min(LARGEST_RESERVED);
        let mut value = Vec::with_capacity(length);
        for key in self.keys() {
            let Some(piece) = get(&key)? else {
                return Ok(None);
            };
            value.extend_from_slice(piece.as_ref());
        }
        Ok((value.len() as u64 == self.length).then(|| value.into()))
    }
}

/// Writes an entry in the batch, in pieces if need be; says whether it was large.
pub(super) fn write(batch: &mut Changes, key: &[u8], entry: &Entry, ordinal: usize) -> bool {
    let version = entry.version.get();
    if entry.value.len() <= PIECE {
        batch.insert(key, [&version.to_be_bytes(), entry.value.as_ref()].concat());
        return false;
    }
    let (ordinal, length) = (ordinal as u64, entry.value.len() as u64);
    let large = Large { version: entry.version, ordinal, length };
    batch.insert(key, [version | LARGE, ordinal, length].map(u64::to_be_bytes).as_flattened());
    for (key, piece) in large.keys().zip(entry.value.chunks(PIECE)) {
        batch.insert(&key, piece);
    }
    true
}

/// True if a key of sled's is that of a piece.
pub(super) fn is_piece(key: &[u8]) -> bool {
    key.first() == Some(&PIECES)
}
