//! Order statistics of the keys: how many there are before a key (its rank), and which key has a rank. They make the middle
//! of a long list as near as its beginning.
//!
//! All keys are divided into buckets of sixty or so, and of each bucket only its ends and its count are kept, in memory:
//! about two bytes for every key of the store. Opening reads every key anyway and makes the buckets; the committer keeps them true.
//! Every generation has its own, which shares all but what changed with those before. What is stored is not known here.

use std::{ops::Bound, sync::Arc};

use super::page::PageRequest;
use crate::{Direction, Entry, Key, ReadError};

/// Keys of a bucket that is full. A page is found by passing over about as many, one by one.
const FULL: usize = if cfg!(test) { 4 } else { 64 };

/// A bucket with more is split. Only keys put between others get it there.
const TOO_FULL: usize = 2 * FULL;

/// Buckets that are copied together when one of them changes.
const CHUNK: usize = if cfg!(test) { 4 } else { 64 };

/// The ends of a bucket.
type EncodedKey = Arc<[u8]>;

/// The keys from `first` to before the first of the next bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    first: EncodedKey,
    /// No key of the bucket is larger. Keys that are may begin the next one, which is why those that only ever grow never
    /// need splitting.
    last: EncodedKey,
    count: usize,
}

#[derive(Debug, Clone)]
struct Chunk {
    count: usize,
    buckets: Arc<Vec<Bucket>>,
}

/// The buckets of all keys, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct OrderStatistics {
    chunks: Vec<Chunk>,
    /// The first keys of buckets to be split.
    too_full: Vec<EncodedKey>,
}

impl OrderStatistics {
    pub(super) fn new(buckets: Vec<Bucket>) -> OrderStatistics {
        let mut chunks = Vec::with_capacity(buckets.len().div_ceil(CHUNK));
        let mut buckets = buckets.into_iter().peekable();
        while buckets.peek().is_some() {
            chunks.push(Chunk::new(buckets.by_ref().take(CHUNK).collect()));
        }
        OrderStatistics { chunks, too_full: Vec::new() }
    }

    /// Counts a key that was not there.
    pub(super) fn insert(&mut self, key: &Key) {
        let key = key.as_bytes();
        let alone = || Bucket { first: key.into(), last: key.into(), count: 1 };
        let Some(position) = self.find(key) else {
            self.chunks.push(Chunk::new(vec![alone()]));
            return;
        };
        let chunk = &mut self.chunks[position.chunk];
        let bucket = &chunk.buckets[position.bucket];
        if bucket.count >= FULL && key > &*bucket.last {
            let with = vec![bucket.clone(), alone()];
            return self.replace(position, with);
        }
        chunk.count += 1;
        let bucket = &mut Arc::make_mut(&mut chunk.buckets)[position.bucket];
        bucket.count += 1;
        if key > &*bucket.last {
            bucket.last = key.into();
        } else if key < &*bucket.first {
            bucket.first = key.into();
        }
        if bucket.count == TOO_FULL {
            self.too_full.push(Arc::clone(&bucket.first));
        }
    }

    /// Takes away a key that was there.
    pub(super) fn remove(&mut self, key: &Key) {
        let Some(position) = self.find(key.as_bytes()) else { return };
        let chunk = &mut self.chunks[position.chunk];
        chunk.count -= 1;
        let buckets = Arc::make_mut(&mut chunk.buckets);
        buckets[position.bucket].count -= 1;
        if buckets[position.bucket].count == 0 {
            buckets.remove(position.bucket);
        }
        if buckets.is_empty() {
            self.chunks.remove(position.chunk);
        }
    }

    /// Splits the buckets that grew too full. `read` gives pages of exactly the keys that are counted.
    pub(super) fn split(&mut self, read: impl Fn(&PageRequest<'_>) -> Result<Vec<(Key, Entry)>, ReadError>) {
        for first in std::mem::take(&mut self.too_full) {
            let Some(position) = self.find(&first) else { continue };
            let Some(Bucket { first, last, count }) = self.bucket(position).cloned() else { continue };
            if count < TOO_FULL {
                continue;
            }
            let [from, to] = [first, last].map(|end| Key::from_encoded(end.to_vec()));
            let (from, to) = (Bound::Included(&from), Bound::Included(&to));
            let request =
                PageRequest { from, to, direction: Direction::Forward, limit: count, bytes: usize::MAX, values: false };
            // Where they cannot be read, the bucket stays as it is: right, and slower to pass over.
            let Ok(keys) = read(&request) else { continue };
            let mut builder = BucketBuilder::default();
            for (key, _) in keys {
                builder.push(key);
            }
            self.replace(position, builder.finish());
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.count).sum()
    }

    /// The first key of the bucket where `key` belongs, there or not, and how many keys the buckets before it hold; `None` if
    /// there are no keys.
    pub(super) fn bucket_of(&self, key: &Key) -> Option<(Key, usize)> {
        let position = self.find(key.as_bytes())?;
        let bucket = self.bucket(position)?;
        Some((Key::from_encoded(bucket.first.to_vec()), self.before(position)))
    }

    /// The bucket that holds the key with `rank` others before it.
    pub(super) fn select(&self, rank: usize) -> Option<Selected> {
        let (position, before) = self.holding(rank)?;
        let bucket = self.bucket(position)?;
        let next = self.bucket(self.next(position));
        Some(Selected {
            first: Key::from_encoded(bucket.first.to_vec()),
            end: next.map_or(Bound::Unbounded, |next| Bound::Excluded(Key::from_encoded(next.first.to_vec()))),
            before,
            after: bucket.count - before - 1,
        })
    }

    /// Where a key belongs, there or not; `None` if there are no keys.
    fn find(&self, key: &[u8]) -> Option<Position> {
        let chunk = self.chunks.partition_point(|chunk| &*chunk.buckets[0].first <= key).saturating_sub(1);
        let buckets = &self.chunks.get(chunk)?.buckets;
        let bucket = buckets.partition_point(|bucket| &*bucket.first <= key).saturating_sub(1);
        Some(Position { chunk, bucket })
    }

    /// The bucket that holds the key with so many before it, and how many of these are in the bucket.
    fn holding(&self, mut rank: usize) -> Option<(Position, usize)> {
        for (at, chunk) in self.chunks.iter().enumerate() {
            if rank >= chunk.count {
                rank -= chunk.count;
                continue;
            }
            for (within, bucket) in chunk.buckets.iter().enumerate() {
                if rank < bucket.count {
                    return Some((Position { chunk: at, bucket: within }, rank));
                }
                rank -= bucket.count;
            }
        }
        None
    }

    /// How many keys the buckets before a place hold.
    fn before(&self, position: Position) -> usize {
        let chunks: usize = self.chunks[..position.chunk].iter().map(|chunk| chunk.count).sum();
        let buckets = self.chunks.get(position.chunk).map_or(&[][..], |chunk| &chunk.buckets[..position.bucket]);
        chunks + buckets.iter().map(|bucket| bucket.count).sum::<usize>()
    }

    fn bucket(&self, position: Position) -> Option<&Bucket> {
        self.chunks.get(position.chunk)?.buckets.get(position.bucket)
    }

    fn next(&self, Position { chunk, bucket }: Position) -> Position {
        let last = self.chunks.get(chunk).is_none_or(|chunk| bucket + 1 >= chunk.buckets.len());
        if last { Position { chunk: chunk + 1, bucket: 0 } } else { Position { chunk, bucket: bucket + 1 } }
    }

    /// Puts buckets in the place of one, and sees to it that the chunk does not grow too large.
    fn replace(&mut self, position: Position, with: Vec<Bucket>) {
        let chunk = &mut self.chunks[position.chunk];
        let buckets = Arc::make_mut(&mut chunk.buckets);
        buckets.splice(position.bucket..=position.bucket, with);
        if buckets.len() <= CHUNK {
            chunk.count = buckets.iter().map(|bucket| bucket.count).sum();
            return;
        }
        // Where keys only grow, what is left behind stays full.
        let rest = Chunk::new(buckets.split_off(CHUNK));
        chunk.count = buckets.iter().map(|bucket| bucket.count).sum();
        self.chunks.insert(position.chunk + 1, rest);
    }
}

/// A bucket with a key that was asked for by its rank.
#[derive(Debug)]
pub(super) struct Selected {
    /// The bucket's first key.
    pub first: Key,
    /// Where the bucket ends.
    pub end: Bound<Key>,
    /// How many keys of the bucket come before the one.
    pub before: usize,
    /// How many come after it.
    pub after: usize,
}

/// Where a bucket is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Position {
    chunk: usize,
    bucket: usize,
}

impl Chunk {
    fn new(buckets: Vec<Bucket>) -> Chunk {
        Chunk { count: buckets.iter().map(|bucket| bucket.count).sum(), buckets: Arc::new(buckets) }
    }
}

/// Makes buckets of keys that come in order.
#[derive(Debug)]
pub(super) struct BucketBuilder<K> {
    buckets: Vec<Bucket>,
    /// The bucket that is being filled: where it began, where it is, its count.
    open: Option<(K, K, usize)>,
}

impl<K> Default for BucketBuilder<K> {
    fn default() -> BucketBuilder<K> {
        BucketBuilder { buckets: Vec::new(), open: None }
    }
}

impl<K: AsRef<[u8]> + Clone> BucketBuilder<K> {
    pub(super) fn push(&mut self, key: K) {
        self.open = match self.open.take() {
            None => Some((key.clone(), key, 1)),
            Some((begin, _, count)) if count < FULL => Some((begin, key, count + 1)),
            Some(full) => {
                self.close(&full);
                Some((key.clone(), key, 1))
            }
        };
    }

    /// The buckets, in order.
    pub(super) fn finish(mut self) -> Vec<Bucket> {
        if let Some(last) = self.open.take() {
            self.close(&last);
        }
        self.buckets
    }

    fn close(&mut self, (first, last, count): &(K, K, usize)) {
        self.buckets.push(Bucket { first: first.as_ref().into(), last: last.as_ref().into(), count: *count });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::{Version, local::memory::Memory};

    fn key(n: u16) -> Key {
        Key::space("k").int(i64::from(n))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn ranks_are_those_of_the_keys_that_are_there(
            loaded in prop::collection::btree_set(0..500_u16, 0..200),
            changes in prop::collection::vec((any::<bool>(), 0..500_u16), 0..400),
            growing in 0..100_u16,
            asked in prop::collection::vec(0..600_u16, 20),
        ) {
            let mut keys: BTreeSet<Key> = loaded.into_iter().map(key).collect();
            let mut builder = BucketBuilder::default();
            keys.iter().cloned().for_each(|key| builder.push(key));
            let mut order = OrderStatistics::new(builder.finish());
            let growing = (0..growing).map(|n| (true, 500 + n));
            for (put, n) in changes.into_iter().chain(growing) {
                let key = key(n);
                if put && keys.insert(key.clone()) {
                    order.insert(&key);
                } else if !put && keys.remove(&key) {
                    order.remove(&key);
                }
                if !order.too_full.is_empty() {
                    let memory = Memory::default();
                    let entry = Entry { version: Version::ZERO, value: Bytes::new() };
                    memory.apply(&keys.iter().map(|key| (key.clone(), Some(entry.clone()))).collect::<Vec<_>>());
                    order.split(|request| Ok(memory.read(request)));
                }
            }
            prop_assert_eq!(order.len(), keys.len());
            for asked in asked {
                let key = key(asked);
                let (first, before) = order.bucket_of(&key).unwrap_or((key.clone(), 0));
                let beyond = if first < key { keys.range(&first..&key).count() } else { 0 };
                prop_assert_eq!(before + beyond, keys.range(..&key).count(), "its rank");
                prop_assert!(beyond <= 2 * TOO_FULL, "{} keys are left to be counted", beyond);
                let Some(selected) = order.select(usize::from(asked)) else {
                    prop_assert!(usize::from(asked) >= keys.len());
                    continue;
                };
                let bucket: Vec<_> = keys.range((Bound::Included(selected.first), selected.end)).collect();
                prop_assert_eq!(bucket.len(), selected.before + 1 + selected.after);
                prop_assert_eq!(Some(bucket[selected.before]), keys.iter().nth(usize::from(asked)));
            }
        }
    }
}
