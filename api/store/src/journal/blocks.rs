//! Blocks: where they are kept, and what is in them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Entry, Key, ReadError, Scan, Version};

/// The space of the blocks.
pub const SPACE: &str = "j";

/// Bytes of a block's entries, about, before they are compressed: a block ends with the entry that passes them.
pub const BLOCK_BYTES: usize = 16 << 10;

/// What a block may come to when it is read, however damaged: larger than any commit.
const MAX_BYTES: usize = 256 << 20;

/// Before the contents of a block: they are as they are, or compressed.
const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// Where an entry is: the commit that appended it, and how many that commit appended before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The commit.
    pub version: Version,
    /// The place in it, from 0.
    pub place: u32,
}

/// An entry, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Where.
    pub at: Position,
    /// What was appended.
    pub bytes: Bytes,
}

/// What stands before an entry in a block.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u64,
    place: u32,
    length: u32,
}

/// Where a block is kept whose first entry is at this position.
pub fn key(at: Position) -> Key {
    // No version comes near 2^63: one commit a nanosecond for 292 years.
    let number = i64::try_from(at.version.get()).unwrap_or(i64::MAX);
    Key::space(SPACE).int(number).int(i64::from(at.place))
}

/// Takes [`key`] apart again; `None` for a key of another space.
pub fn position(key: &Key) -> Option<Position> {
    let mut elements = key.elements();
    if elements.space().ok()? != SPACE {
        return None;
    }
    let version = Version::new(u64::try_from(elements.int().ok()?).ok()?);
    Some(Position { version, place: u32::try_from(elements.int().ok()?).ok()? })
}

/// Every block, oldest first.
pub fn blocks() -> Scan {
    Scan::prefix(&Key::space(SPACE))
}

/// A block of these entries.
pub fn pack(entries: &[Appended]) -> Bytes {
    let mut contents = Vec::with_capacity(entries.iter().map(|entry| entry.bytes.len() + 10).sum());
    for Appended { at, bytes } in entries {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let head = Head { version: at.version.get(), place: at.place, length };
        // Writing into memory does not fail.
        contents = postcard::to_extend(&head, contents).unwrap_or_default();
        contents.extend_from_slice(bytes);
    }
    let mut block = vec![0; 5 + lz4_flex::block::get_maximum_output_size(contents.len())];
    match lz4_flex::block::compress_into(&contents, &mut block[5..]) {
        Ok(length) if length + 4 < contents.len() => {
            block.truncate(5 + length);
            block[0] = LZ4;
            block[1..5].copy_from_slice(&u32::try_from(contents.len()).unwrap_or(u32::MAX).to_be_bytes());
        }
        _ => {
            contents.insert(0, PLAIN);
            return contents.into();
        }
    }
    block.shrink_to_fit();
    block.into()
}

/// The entries of a block.
pub fn unpack(block: &[u8]) -> Result<Vec<Appended>, ReadError> {
    let torn = || ReadError::new("a block of the journal is not as it was written");
    let contents = match block.split_first().ok_or_else(torn)? {
        (&PLAIN, contents) => Bytes::copy_from_slice(contents),
        (&LZ4, packed) => {
            let (length, packed) = packed.split_first_chunk::<4>().ok_or_else(torn)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            // LZ4 makes at most 255 bytes of one.
            if length > MAX_BYTES || length / 255 > packed.len() {
                return Err(torn());
            }
            Bytes::from(lz4_flex::block::decompress(packed, length).map_err(|_| torn())?)
        }
        _ => return Err(torn()),
    };
    let mut entries = Vec::new();
    let mut at = 0;
    while at < contents.len() {
        let (head, rest) = postcard::take_from_bytes::<Head>(&contents[at..]).map_err(|_| torn())?;
        let begin = contents.len() - rest.len();
        let end = begin + head.length as usize;
        if end > contents.len() {
            return Err(torn());
        }
        let position = Position { version: Version::new(head.version), place: head.place };
        entries.push(Appended { at: position, bytes: contents.slice(begin..end) });
        at = end;
    }
    Ok(entries)
}

/// Makes blocks of entries that come in order.
#[derive(Default)]
pub struct Packer {
    entries: Vec<Appended>,
    bytes: usize,
}

impl Packer {
    /// Adds an entry; gives a block and its first entry's position when one is full. Its entry carries the version of its last.
    pub fn push(&mut self, entry: Appended) -> Option<(Key, Entry)> {
        self.bytes += entry.bytes.len();
        self.entries.push(entry);
        if self.bytes >= BLOCK_BYTES { self.finish() } else { None }
    }

    /// The block of what is left.
    pub fn finish(&mut self) -> Option<(Key, Entry)> {
        let entries = std::mem::take(&mut self.entries);
        self.bytes = 0;
        let (first, last) = (entries.first()?, entries.last()?);
        Some((key(first.at), Entry { version: last.at.version, value: pack(&entries) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: u32, bytes: usize) -> Vec<Appended> {
        let at = |n: u32| Position { version: Version::new(u64::from(n / 3) + 7), place: n % 3 };
        (0..count).map(|n| Appended { at: at(n), bytes: vec![n.to_be_bytes()[3]; bytes].into() }).collect()
    }

    #[test]
    fn blocks_come_apart_into_what_went_in() {
        for (count, bytes) in [(1, 0), (1, 3), (64, 40), (5, 4000), (1, 600_000)] {
            let entries = entries(count, bytes);
            assert_eq!(unpack(&pack(&entries)).unwrap(), entries, "{count} of {bytes}");
        }
    }

    #[test]
    fn a_block_ends_where_it_is_full() {
        let mut packer = Packer::default();
        let mut blocks: Vec<_> = entries(100, 1000).into_iter().filter_map(|entry| packer.push(entry)).collect();
        blocks.extend(packer.finish());
        assert_eq!(blocks.len(), 6);
        assert!(packer.finish().is_none());
        let all: Vec<_> = blocks.iter().flat_map(|(_, entry)| unpack(&entry.value).unwrap()).collect();
        assert_eq!(all, entries(100, 1000));
        for (key, entry) in blocks {
            let held = unpack(&entry.value).unwrap();
            assert_eq!((position(&key), entry.version), (Some(held[0].at), held[held.len() - 1].at.version));
        }
    }

    #[test]
    fn damaged_blocks_are_refused() {
        let block = pack(&entries(64, 40));
        for length in 0..block.len() {
            assert!(unpack(&block[..length]).is_err(), "{length}");
        }
        assert!(unpack(&[9, 9, 9]).is_err());
        assert!(unpack(&[LZ4, 0xff, 0xff, 0xff, 0xff, 0]).is_err(), "no memory is taken for what cannot be");
    }
}
