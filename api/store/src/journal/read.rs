//! Finding blocks, and reading one after another.

use std::ops::Bound;

use super::blocks::{Appended, Position, SPACE, blocks, key, unpack};
use crate::{Entry, Key, Pages, ReadError, Scan, Snapshot, Version};

/// A block that was read.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it is kept.
    pub key: Key,
    /// The commit that wrote it in this form.
    pub version: Version,
    /// Its entries.
    pub entries: Vec<Appended>,
}

impl Block {
    fn read((key, entry): (Key, Entry)) -> Result<Block, ReadError> {
        Ok(Block { key, version: entry.version, entries: unpack(&entry.value)? })
    }
}

/// The block that has the entry of this position, if it is there.
pub async fn block_of(snapshot: &Snapshot, at: Position) -> Result<Option<Block>, ReadError> {
    let from = Bound::Included(Key::space(SPACE));
    let scan = Scan::range(from, Bound::Included(key(at))).backward().limit(1);
    snapshot.scan(scan).await?.pop().map(Block::read).transpose()
}

/// The blocks that have entries from this position on; the first one may have earlier ones too.
pub async fn blocks_from(snapshot: &Snapshot, at: Position) -> Result<Blocks<'_>, ReadError> {
    let first = Scan::range(Bound::Included(Key::space(SPACE)), Bound::Included(key(at))).backward().limit(1);
    let first = snapshot.scan(first).await?.pop();
    let scan = match &first {
        Some((key, _)) => blocks().after(key),
        None => blocks(),
    };
    let waiting = first.into_iter().collect::<Vec<_>>().into_iter();
    Ok(Blocks { waiting, pages: snapshot.pages(scan) })
}

/// The blocks that have entries before this position, the newest first; the first one may have later ones too.
pub fn blocks_before(snapshot: &Snapshot, at: Position) -> Blocks<'_> {
    let scan = Scan::range(Bound::Included(Key::space(SPACE)), Bound::Excluded(key(at))).backward();
    Blocks { waiting: Vec::new().into_iter(), pages: snapshot.pages(scan) }
}

/// Blocks one after another.
pub struct Blocks<'a> {
    waiting: std::vec::IntoIter<(Key, Entry)>,
    pages: Pages<'a>,
}

impl Blocks<'_> {
    /// The next block; `None` when all have been seen.
    pub async fn next(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if let Some(block) = self.waiting.next() {
                return Block::read(block).map(Some);
            }
            let Some(page) = self.pages.next().await? else { return Ok(None) };
            self.waiting = page.into_iter();
        }
    }
}
