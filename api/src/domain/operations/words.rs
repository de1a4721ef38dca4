//! Packing indexes of words: what stands by itself under a word goes into blocks, and so do small blocks; what says that a record has a word no
//! more goes with what it is said of. A search finds the same before and after.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound::Excluded,
};

use common::id::RecordId;
use serde::{Deserialize, Serialize};
use store::{Batch, Entry, Expect, Key, Scan, Snapshot};

use super::piece::{Budget, Piece, Steps};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    numbers::CollectionNumber,
    schema::{self, StoredDefinition},
    search::postings::{LARGEST, Single, WORTH, WordIndex, entries, unpack, word_of},
};

/// Entries of one word that are worth a block.
const MANY: usize = 16;
/// Entries that are read at once, and bytes.
const CHUNK: usize = 500;
const BYTES: usize = 256 * 1024;
/// Entries of one word that are packed at once at most.
const MAX_SINGLES: usize = 5000;
/// Small blocks of a word that are worth making one of.
const SMALL: usize = 8;
/// Blocks of one word that are looked through for records that have it no more. Beyond that these wait where they are.
const MAX_BLOCKS: usize = 64;

/// How far it is: in which collection, behind which word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct PackWords {
    #[serde(default)]
    collection: Option<CollectionNumber>,
    #[serde(default)]
    word: Option<String>,
    /// What stands by itself is packed.
    #[serde(default)]
    in_blocks: bool,
}

impl Steps for PackWords {
    async fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> Result<Piece> {
        let snapshot = core.store.snapshot().await?;
        let mut piece = Piece::default();
        let is_next = |number| self.collection.is_none_or(|collection| number >= collection);
        let searched = schema::all(&snapshot).filter_map(|StoredDefinition { keys, collection, version, .. }| {
            let index = keys.words_index().filter(|_| is_next(keys.number))?;
            Some((keys.number, index, collection.name, version))
        });
        let next = searched.await?.into_iter().min_by_key(|(number, ..)| *number);
        let Some((number, index, name, version)) = next else {
            piece.is_last = true;
            return Ok(piece);
        };
        if self.collection != Some(number) {
            (self.collection, self.word, self.in_blocks) = (Some(number), None, false);
        }
        let index = WordIndex { collection: number, index };
        let entries = Scan::prefix(&index.entries());
        let is_begin = self.word.is_none() && !self.in_blocks;
        if is_begin && core.packed_words.of(number) == Some(snapshot.count(&entries).await?.get()) {
            // Nothing came since.
            self.collection = Some(CollectionNumber(number.0.saturating_add(1)));
            return Ok(piece);
        }
        loop {
            let is_over = if self.in_blocks {
                self.join(&snapshot, index, &mut piece, budget).await?
            } else {
                self.pack(&snapshot, index, &mut piece, budget).await?
            };
            if is_over {
                self.word = None;
                self.in_blocks = !self.in_blocks;
                if !self.in_blocks {
                    core.packed_words.note(number, snapshot.count(&entries).await?.get());
                    self.collection = Some(CollectionNumber(number.0.saturating_add(1)));
                }
            }
            if is_over || budget.is_spent() || !piece.batch.is_empty() {
                break;
            }
        }
        if !piece.batch.is_empty() {
            // Whoever takes the index away meanwhile has this fail.
            let key = keyspace::collection(&name);
            piece.batch.expect(key, Expect::Version(version));
        }
        Ok(piece)
    }
}

impl PackWords {
    /// What comes behind the word that was last, below a place.
    fn scan(&self, place: &Key, first: Key) -> Scan {
        let from = self.word.as_ref().map_or(first, |word| place.clone().text(word).after_children());
        Scan::range(Excluded(from), Excluded(place.after_children()))
    }

    /// Packs some of what stands by itself; whether that was the last of it.
    async fn pack(
        &mut self,
        snapshot: &Snapshot,
        index: WordIndex,
        piece: &mut Piece,
        budget: &mut Budget<'_>,
    ) -> Result<bool> {
        let scan = self.scan(&index.entries(), index.blocks().after_children());
        let found = snapshot.scan(scan.limit(CHUNK)).await?;
        let is_all = found.len() < CHUNK;
        let mut words = by_word(found).into_iter().peekable();
        let mut is_first = true;
        while let Some((word, mut singles)) = words.next() {
            // The last word may go on behind what was read.
            if !is_all && words.peek().is_none() {
                if !is_first {
                    return Ok(false);
                }
                singles = snapshot.scan(Scan::prefix(&index.entries().text(&word)).limit(MAX_SINGLES)).await?;
            }
            is_first = false;
            for (key, _) in &singles {
                budget.spend(key.as_bytes().len());
            }
            piece.done += u64::from(pack(snapshot, index, &word, singles, &mut piece.batch, budget).await?);
            self.word = Some(word);
            if budget.is_spent() {
                return Ok(false);
            }
        }
        Ok(is_all)
    }

    /// Makes one of small blocks that stand beside each other; whether these were the last.
    async fn join(
        &mut self,
        snapshot: &Snapshot,
        index: WordIndex,
        piece: &mut Piece,
        budget: &mut Budget<'_>,
    ) -> Result<bool> {
        let scan = self.scan(&index.blocks(), index.blocks());
        let found = snapshot.scan(scan.limit(CHUNK).limit_bytes(BYTES)).await?;
        let is_last = found.is_empty();
        for (_, entry) in &found {
            budget.spend(entry.value.len());
        }
        for (word, blocks) in by_word(found) {
            let unpacked =
                blocks.into_iter().filter_map(|(key, entry)| Some((key, unpack(&entry.value)?, entry.version)));
            let small: Vec<_> = unpacked.filter(|(_, postings, _)| postings.len() <= LARGEST / 4).collect();
            // Fewer would stand by themselves, where something else may.
            let ids: BTreeSet<RecordId> = small.iter().flat_map(|(_, some, _)| some).map(|(id, _)| *id).collect();
            if small.len() >= SMALL && ids.len() >= WORTH {
                let mut postings = Vec::new();
                for (key, some, version) in small {
                    piece.batch.expect(key.clone(), Expect::Version(version)).delete(key);
                    postings.extend(some);
                }
                put(index, &word, postings, &mut piece.batch, budget);
                piece.done += 1;
            }
            self.word = Some(word);
        }
        Ok(is_last)
    }
}

/// Entries by their words.
fn by_word(found: Vec<(Key, Entry)>) -> BTreeMap<String, Vec<(Key, Entry)>> {
    let mut words: BTreeMap<String, Vec<(Key, Entry)>> = BTreeMap::new();
    for (key, entry) in found {
        if let Some((word, _)) = word_of(&key) {
            words.entry(word).or_default().push((key, entry));
        }
    }
    words
}

/// Writes records under a word.
fn put(index: WordIndex, word: &str, mut postings: Vec<(RecordId, u8)>, batch: &mut Batch, budget: &mut Budget<'_>) {
    postings.sort_unstable();
    postings.dedup_by_key(|(id, _)| *id);
    for (key, value) in entries(index, word, postings, false) {
        budget.spend(value.len());
        batch.put(key, value);
    }
}

/// Packs what stands under one word, if that is worth it; whether it was.
async fn pack(
    snapshot: &Snapshot,
    index: WordIndex,
    word: &str,
    mut singles: Vec<(Key, Entry)>,
    batch: &mut Batch,
    budget: &mut Budget<'_>,
) -> Result<bool> {
    let is_beside = |entry: &Entry| Single::of(entry).is_beside;
    if singles.len() < MANY && !singles.iter().any(|(_, entry)| is_beside(entry)) {
        return Ok(false);
    }
    let mut blocks = Vec::new();
    if singles.len() < MAX_SINGLES {
        let prefix = index.blocks().text(word);
        blocks = snapshot.scan(Scan::prefix(&prefix).limit(MAX_BLOCKS + 1)).await?;
    }
    // Where not all is seen, only what no block has is put into one.
    if blocks.len() > MAX_BLOCKS || singles.len() >= MAX_SINGLES {
        blocks.clear();
        singles.retain(|(_, entry)| !is_beside(entry));
        if singles.len() < MANY {
            return Ok(false);
        }
    }
    let id = |key: &Key| keyspace::last_id(key);
    let decided: HashMap<RecordId, u8> =
        singles.iter().filter_map(|(key, entry)| Some((id(key)?, Single::of(entry).weight))).collect();
    let mut postings = Vec::new();
    for (key, entry) in blocks {
        let Some(packed) = unpack(&entry.value) else { continue };
        let is_touched = packed.iter().any(|(id, _)| decided.contains_key(id));
        if !is_touched && packed.len() > LARGEST / 2 {
            continue;
        }
        budget.spend(entry.value.len());
        batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
        postings.extend(packed.into_iter().filter(|(id, _)| !decided.contains_key(id)));
    }
    for (key, entry) in singles {
        batch.expect(key.clone(), Expect::Version(entry.version)).delete(key);
    }
    postings.extend(decided.into_iter().filter(|(_, weight)| *weight > 0));
    put(index, word, postings, batch, budget);
    Ok(true)
}
