//! How an index of words says which records have a word, and how much it says of their texts: many records together in a block, others one by
//! one. What stands by itself counts, whatever a block says of the same record, so a change need not read blocks. Blocks of one word may lie
//! across each other; `operations/words` packs them.

use std::collections::BTreeMap;

use common::id::RecordId;
use store::{Entry, Key};
use uuid::Uuid;

use crate::domain::{
    keyspace,
    numbers::{CollectionNumber, IndexNumber},
};

/// Records of one block at most.
pub const LARGEST: usize = 1000;
/// Records that are worth a block.
pub const WORTH: usize = 4;
/// Of a word that stands once in a text of usual length: what is taken for one whose weight is not known.
const UNKNOWN: u8 = 0x16;
/// Stands behind the weight of an entry whose record may be in a block too.
const BESIDE: u8 = 1;

/// An index of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WordIndex {
    /// Whose it is.
    pub collection: CollectionNumber,
    /// What it is in keys.
    pub index: IndexNumber,
}

impl WordIndex {
    /// Where one record stands under a word.
    pub fn entry(self, word: &str, id: RecordId) -> Key {
        keyspace::with_id(self.entries().text(word), id)
    }

    /// Where all stand that stand by themselves. Blocks come before them.
    pub fn entries(self) -> Key {
        keyspace::index(self.collection, self.index)
    }

    /// Where blocks stand.
    pub fn blocks(self) -> Key {
        self.entries().null()
    }

    fn block(self, word: &str, first: RecordId) -> Key {
        keyspace::with_id(self.blocks().text(word), first)
    }
}

/// The word of a key of an index of words, and whether it is a block's.
pub fn word_of(key: &Key) -> Option<(String, bool)> {
    let mut elements = key.elements();
    elements.space().ok()?;
    elements.int().ok()?;
    elements.int().ok()?;
    match elements.element().ok()? {
        store::Element::Text(word) => Some((word, false)),
        store::Element::Null => Some((elements.text().ok()?, true)),
        _ => None,
    }
}

/// How much a word says of a record, in one byte: how often it stands there, and how many words there are. Never 0.
pub fn weight(times: usize, words: usize) -> u8 {
    let times = u8::try_from(times.clamp(1, 15)).unwrap_or(15);
    let length = u8::try_from(usize::BITS - words.leading_zeros()).unwrap_or(15).min(15);
    times << 4 | length
}

/// How often a word stands in a text, and about how many words that has.
pub fn weighed(weight: u8) -> (u32, f64) {
    (u32::from(weight >> 4), 0.75 * f64::from(1_u32 << (weight & 15)))
}

/// What stands for one record by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Single {
    /// 0 where the record has not the word any more.
    pub weight: u8,
    /// It may be in a block too.
    pub is_beside: bool,
}

impl Single {
    /// As it is stored. Earlier versions stored nothing.
    pub fn of(entry: &Entry) -> Self {
        Self { weight: entry.value.first().copied().unwrap_or(UNKNOWN), is_beside: entry.value.get(1) == Some(&BESIDE) }
    }

    /// The value to store.
    pub fn value(self) -> Vec<u8> {
        if self.is_beside { vec![self.weight, BESIDE] } else { vec![self.weight] }
    }

    /// What has to stand there where a record's word has this weight now, 0 for none; `None` where nothing has.
    pub fn changed(before: Option<Self>, weight: u8, had_it: bool) -> Option<Self> {
        let is_beside = before.map_or(had_it, |before| before.is_beside);
        (weight > 0 || is_beside).then_some(Self { weight, is_beside })
    }
}

/// Records with the weight of a word in each, in their order, as a block has them: each by how far it is from the one before.
pub fn pack(postings: &[(RecordId, u8)]) -> Vec<u8> {
    let (mut bytes, mut last) = (Vec::with_capacity(postings.len() * 8), 0);
    for (id, weight) in postings {
        let id = id.bits().as_u128();
        let mut step = id.wrapping_sub(last);
        last = id;
        while step >= 0x80 {
            bytes.push(step.to_le_bytes()[0] | 0x80);
            step >>= 7;
        }
        bytes.push(step.to_le_bytes()[0]);
        bytes.push(*weight);
    }
    bytes
}

/// What [`pack`] packed; `None` where it is damaged.
pub fn unpack(mut bytes: &[u8]) -> Option<Vec<(RecordId, u8)>> {
    let (mut postings, mut last) = (Vec::with_capacity(bytes.len() / 6), 0_u128);
    while !bytes.is_empty() {
        let (mut step, mut shift) = (0_u128, 0);
        loop {
            let (byte, rest) = bytes.split_first()?;
            bytes = rest;
            step |= u128::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
        }
        let (weight, rest) = bytes.split_first()?;
        bytes = rest;
        last = last.checked_add(step)?;
        postings.push((RecordId::from_uuid(Uuid::from_u128(last)), *weight));
    }
    Some(postings)
}

/// What stands for records that nothing stands for by itself: blocks where there are many. `is_beside`: they may be in other blocks too.
pub fn entries(
    index: WordIndex,
    word: &str,
    mut postings: Vec<(RecordId, u8)>,
    is_beside: bool,
) -> Vec<(Key, Vec<u8>)> {
    postings.sort_unstable_by_key(|(id, _)| *id);
    if postings.len() < WORTH {
        let single = |(id, weight)| (index.entry(word, id), Single { weight, is_beside }.value());
        return postings.into_iter().map(single).collect();
    }
    let block = |some: &[(RecordId, u8)]| (index.block(word, some[0].0), pack(some));
    postings.chunks(LARGEST).map(block).collect()
}

/// What records of one commit bring to indexes of words.
#[derive(Debug, Default)]
pub struct Gathered {
    words: BTreeMap<(WordIndex, String), Vec<(RecordId, u8)>>,
    count: usize,
}

impl Gathered {
    /// One more record with a word, which nothing stands for yet.
    pub fn add(&mut self, index: WordIndex, word: &str, id: RecordId, weight: u8) {
        self.words.entry((index, word.to_owned())).or_default().push((id, weight));
        self.count += 1;
    }

    /// How many were added.
    pub fn count(&self) -> usize {
        self.count
    }

    /// What is to be stored for them: see [`entries`].
    pub fn entries(self, is_beside: bool) -> impl Iterator<Item = (Key, Vec<u8>)> {
        self.words.into_iter().flat_map(move |((index, word), postings)| entries(index, &word, postings, is_beside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_what_was_packed_and_damage_is_seen() {
        let uuid = |n: u128| RecordId::from_uuid(Uuid::from_u128(n));
        let number = |n| RecordId::from_number(n).unwrap();
        for ids in [
            vec![],
            vec![uuid(0)],
            vec![uuid(5), uuid(6), uuid(1 << 90), uuid(u128::MAX)],
            (0..2500).map(|n| uuid((0x0192 << 112) | (n * 0x1_2345_6789))).collect(),
            vec![number(1), number(2), number(300), number(i64::MAX)],
        ] {
            let postings: Vec<_> = ids.iter().map(|id| (*id, weight(3, 80))).collect();
            let packed = pack(&postings);
            assert_eq!(unpack(&packed), Some(postings));
            assert!(packed.is_empty() || unpack(&packed[..packed.len() - 1]).is_none());
        }
        assert_eq!(unpack(&[0xff; 40]), None);
        let entries = entries(
            WordIndex { collection: CollectionNumber(1), index: IndexNumber(2) },
            "gold",
            (0..2500).rev().map(|n| (uuid(n), 0x11)).collect(),
            false,
        );
        let first = |key: &Key| keyspace::last_id(key).unwrap();
        assert_eq!(entries.iter().map(|(key, _)| first(key)).collect::<Vec<_>>(), [uuid(0), uuid(1000), uuid(2000)]);
        assert!(entries.iter().all(|(key, _)| word_of(key) == Some(("gold".to_owned(), true))));
    }

    #[test]
    fn what_stands_by_itself_says_whether_a_block_has_it_too() {
        let single = |weight, is_beside| Some(Single { weight, is_beside });
        for (before, weight, had_it, after) in [
            (None, 0x11, false, single(0x11, false)),
            (None, 0x11, true, single(0x11, true)),
            (None, 0, true, single(0, true)),
            (single(0x11, false), 0, true, None),
            (single(0x11, false), 0x21, true, single(0x21, false)),
            (single(0x11, true), 0, true, single(0, true)),
            (single(0, true), 0x31, false, single(0x31, true)),
        ] {
            assert_eq!(Single::changed(before, weight, had_it), after, "{before:?} {weight} {had_it}");
        }
    }
}
