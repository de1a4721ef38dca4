//! The index of words: what its blocks say, and what stands by itself, compared with the words of the records. First by sums; only where these
//! differ one by one.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
};

use common::id::RecordId;
use store::Key;

use super::{
    ledger::{CheckError, Ledger},
    stored::{load, read},
};
use crate::domain::{
    keyspace,
    schema::Schema,
    search::{
        indexed,
        postings::{Single, WordIndex, unpack, word_of},
    },
    stage::Words,
};

/// The words that records have: how many, and a sum by which they are known.
#[derive(Default)]
pub(super) struct DueWords {
    hasher: RandomState,
    count: u64,
    sum: u64,
}

impl DueWords {
    /// Those of one record, by where each may stand.
    pub(super) fn add(&mut self, keys: &[Key]) {
        for key in keys {
            self.count += 1;
            self.sum = self.sum.wrapping_add(self.hash(key));
        }
    }

    fn hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key.as_bytes())
    }
}

/// What the index says.
struct Said<'a> {
    due: &'a DueWords,
    /// What stands by itself where a block may say something else, by where it stands: whether the record has the word.
    beside: HashMap<u64, bool>,
    count: u64,
    sum: u64,
    /// All of it, where it is looked at one by one.
    all: Option<HashSet<u64>>,
}

impl Said<'_> {
    fn take(&mut self, hash: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(hash);
        if let Some(all) = &mut self.all {
            all.insert(hash);
        }
    }
}

/// Checks the index of a collection, if it has one; gives how many keys that has.
pub(super) async fn check(ledger: &mut Ledger<'_>, schema: &Schema, due: &DueWords) -> Result<u64, CheckError> {
    let Some(index) = schema.keys.words_index() else { return Ok(0) };
    let index = WordIndex { collection: schema.number(), index };
    let mut said = Said { due, beside: HashMap::new(), count: 0, sum: 0, all: None };
    let keys = walk(ledger, schema, index, &mut said).await?;
    if (said.count, said.sum) == (due.count, due.sum) {
        return Ok(keys);
    }
    let mut said = Said { due, beside: HashMap::new(), count: 0, sum: 0, all: Some(HashSet::new()) };
    walk(ledger, schema, index, &mut said).await?;
    let all = said.all.unwrap_or_default();
    let mut pages = ledger.pages(&keyspace::records(schema.number()));
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let Some((id, record)) = read(schema, &key, &entry) else { continue };
            let words = Words { index, weights: indexed(&schema.collection, &record) };
            for (key, weight) in words.keys(id).into_iter().zip(words.weights.into_values()) {
                if !all.contains(&due.hash(&key)) {
                    let value = Single { weight, is_beside: true }.value();
                    ledger
                        .wrong(&key, Some(value.into()), "the index of words has not this word of the record")
                        .await?;
                }
            }
        }
    }
    Ok(keys)
}

/// Walks through the index. Where all of it is wanted, each record is asked for the word, too.
async fn walk(
    ledger: &mut Ledger<'_>,
    schema: &Schema,
    index: WordIndex,
    said: &mut Said<'_>,
) -> Result<u64, CheckError> {
    let (mut keys, mut blocks) = (0, 0);
    let mut pages = ledger.pages(&index.entries());
    // Blocks come first, and what stands beside them after: so those are looked at in a second walk.
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            keys += 1;
            match (word_of(&key), keyspace::last_id(&key)) {
                (Some((_, true)), Some(_)) => blocks += 1,
                (Some((word, false)), Some(id)) => {
                    let single = Single::of(&entry);
                    let mut has_it = single.weight > 0;
                    if has_it && said.all.is_some() && !has_word(ledger, schema, id, &word).await? {
                        let gone = Single { weight: 0, is_beside: true }.value();
                        let due = single.is_beside.then(|| gone.into());
                        ledger.wrong(&key, due, "no record has this word").await?;
                        has_it = false;
                    }
                    let hash = said.due.hash(&key);
                    if single.is_beside {
                        said.beside.insert(hash, has_it);
                    }
                    if has_it {
                        said.take(hash);
                    }
                }
                _ => ledger.wrong(&key, None, "this is no entry of an index of words").await?,
            }
        }
    }
    if blocks > 0 {
        in_blocks(ledger, schema, index, said).await?;
    }
    Ok(keys)
}

async fn in_blocks(
    ledger: &mut Ledger<'_>,
    schema: &Schema,
    index: WordIndex,
    said: &mut Said<'_>,
) -> Result<(), CheckError> {
    // A record may be in two blocks of one word.
    let (mut of, mut seen) = (String::new(), HashSet::new());
    let mut pages = ledger.pages(&index.blocks());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let Some((word, _)) = word_of(&key) else { continue };
            let Some(postings) = unpack(&entry.value) else {
                ledger.wrong(&key, None, "the block of records that have this word cannot be read").await?;
                continue;
            };
            if word != of {
                of.clone_from(&word);
                seen.clear();
            }
            for (id, _) in postings {
                let key = index.entry(&word, id);
                let hash = said.due.hash(&key);
                if said.beside.contains_key(&hash) || !seen.insert(hash) {
                    continue;
                }
                if said.all.is_some() && !has_word(ledger, schema, id, &word).await? {
                    let gone = Single { weight: 0, is_beside: true }.value();
                    ledger.wrong(&key, Some(gone.into()), "no record has this word").await?;
                    continue;
                }
                said.take(hash);
            }
        }
    }
    Ok(())
}

async fn has_word(ledger: &Ledger<'_>, schema: &Schema, id: RecordId, word: &str) -> Result<bool, CheckError> {
    let record = load(ledger.snapshot, schema, id).await?;
    Ok(record.is_some_and(|record| indexed(&schema.collection, &record).contains_key(word)))
}
