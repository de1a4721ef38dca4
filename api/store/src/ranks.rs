//! How many keys lie between two: what makes the middle of a long list as near as its beginning.
//!
//! All keys are divided into buckets of a hundred or so, and of each bucket only its ends and its count are kept, in memory:
//! about a byte for every key of the store. Opening reads every key anyway and makes the buckets; the committer keeps them true.
//! Every generation has its own `Ranks`, which shares all but what changed with those before. What is stored is not known here.

use std::ops::Bound;
use std::sync::Arc;

use super::Key;
use super::engine::{Engine, Stretch};
use super::scan::{Direction, Scan, nothing_between};

/// Keys of a bucket that is full. A page is found by passing over about as many, one by one.
const FULL: usize = if cfg!(test) { 4 } else { 128 };

/// A bucket with more is divided. Only keys put between others get it there.
const TOO_FULL: usize = 2 * FULL;

/// Buckets that are copied together when one of them changes.
const CHUNK: usize = if cfg!(test) { 4 } else { 64 };

/// The ends are encoded keys.
type Edge = Arc<[u8]>;

/// The keys from `first` to before the first of the next bucket.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    first: Edge,
    /// No key of the bucket is larger. Keys that are may begin the next one, which is why those that only ever grow never
    /// need dividing.
    last: Edge,
    count: usize,
}

#[derive(Debug, Clone)]
struct Chunk {
    count: usize,
    buckets: Arc<Vec<Bucket>>,
}

/// The buckets of all keys, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranks {
    chunks: Vec<Chunk>,
    /// The first keys of buckets to be divided.
    too_full: Vec<Edge>,
}

impl Ranks {
    pub fn new(buckets: Vec<Bucket>) -> Ranks {
        let mut chunks = Vec::with_capacity(buckets.len().div_ceil(CHUNK));
        let mut buckets = buckets.into_iter().peekable();
        while buckets.peek().is_some() {
            chunks.push(Chunk::new(buckets.by_ref().take(CHUNK).collect()));
        }
        Ranks { chunks, too_full: Vec::new() }
    }

    /// Counts a key that was not there.
    pub fn insert(&mut self, key: &Key) {
        let key = key.as_bytes();
        let alone = || Bucket { first: key.into(), last: key.into(), count: 1 };
        let Some(place) = self.find(key) else {
            self.chunks.push(Chunk::new(vec![alone()]));
            return;
        };
        let chunk = &mut self.chunks[place.chunk];
        let bucket = &chunk.buckets[place.bucket];
        if bucket.count >= FULL && key > &*bucket.last {
            let with = vec![bucket.clone(), alone()];
            return self.replace(place, with);
        }
        chunk.count += 1;
        let bucket = &mut Arc::make_mut(&mut chunk.buckets)[place.bucket];
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
    pub fn remove(&mut self, key: &Key) {
        let Some(place) = self.find(key.as_bytes()) else { return };
        let chunk = &mut self.chunks[place.chunk];
        chunk.count -= 1;
        let buckets = Arc::make_mut(&mut chunk.buckets);
        buckets[place.bucket].count -= 1;
        if buckets[place.bucket].count == 0 {
            buckets.remove(place.bucket);
        }
        if buckets.is_empty() {
            self.chunks.remove(place.chunk);
        }
    }

    /// Divides what grew too full. The engine must hold exactly the keys that are counted.
    pub fn divide(&mut self, engine: &Engine) {
        for edge in std::mem::take(&mut self.too_full) {
            let Some(place) = self.find(&edge) else { continue };
            let Some(Bucket { first, last, count }) = self.bucket(place).cloned() else { continue };
            if count < TOO_FULL {
                continue;
            }
            let [from, to] = [first, last].map(|edge| Key::from_encoded(edge.to_vec()));
            let (from, to) = (Bound::Included(&from), Bound::Included(&to));
            let stretch = Stretch { from, to, direction: Direction::Forward, limit: count, values: false };
            // Where they cannot be read, the bucket stays as it is: right, and slower to pass over.
            let Ok(keys) = engine.read(&stretch) else { continue };
            let mut gather = Gather::default();
            for (key, _) in keys {
                gather.push(key);
            }
            self.replace(place, gather.finish());
        }
    }

    /// The first end of a bucket that a scan comes to, if it does: a bound, not a place. The keys up to there have to be counted
    /// one by one.
    pub fn edge(&self, scan: &Scan) -> Option<Key> {
        let place = match (scan.direction, &scan.from, &scan.to) {
            (Direction::Forward, Bound::Unbounded, _) => Place::default(),
            (Direction::Forward, Bound::Included(from) | Bound::Excluded(from), _) => {
                self.next(self.find(from.as_bytes())?)
            }
            (Direction::Backward, _, Bound::Included(to) | Bound::Excluded(to)) => self.find(to.as_bytes())?,
            (Direction::Backward, _, Bound::Unbounded) => self.find(&[u8::MAX])?,
        };
        let edge = Key::from_encoded(self.bucket(place)?.first.to_vec());
        let beyond = match scan.direction {
            Direction::Forward => nothing_between(&Bound::Included(edge.clone()), &scan.to),
            Direction::Backward => nothing_between(&scan.from, &Bound::Excluded(edge.clone())),
        };
        (!beyond).then_some(edge)
    }

    /// A scan that begins `count` keys beyond an edge, or so near before that the rest is still to be skipped.
    pub fn leap(&self, scan: Scan, edge: &Key, count: usize) -> Scan {
        let place = self.find(edge.as_bytes());
        let before = place.map_or(0, |place| self.before(place));
        let leapt = match scan.direction {
            Direction::Forward => self.holding(before.saturating_add(count)),
            // Bounds are where buckets begin, so it is the one after that of the key.
            Direction::Backward => {
                before.checked_sub(count + 1).and_then(|rank| self.holding(rank)).map(|(place, within)| {
                    let held = self.bucket(place).map_or(0, |bucket| bucket.count);
                    (self.next(place), held - within - 1)
                })
            }
        };
        let Some((place, skip)) = leapt else { return Scan { skip: 0, limit: 0, ..scan } };
        let first = self.bucket(place).map(|bucket| Key::from_encoded(bucket.first.to_vec()));
        match (scan.direction, first) {
            (_, None) => scan,
            (Direction::Forward, Some(first)) => Scan { from: Bound::Included(first), skip, ..scan },
            (Direction::Backward, Some(first)) => Scan { to: Bound::Excluded(first), skip, ..scan },
        }
    }

    /// Where a key belongs, there or not; `None` if there are no keys.
    fn find(&self, key: &[u8]) -> Option<Place> {
        let chunk = self.chunks.partition_point(|chunk| &*chunk.buckets[0].first <= key).saturating_sub(1);
        let buckets = &self.chunks.get(chunk)?.buckets;
        let bucket = buckets.partition_point(|bucket| &*bucket.first <= key).saturating_sub(1);
        Some(Place { chunk, bucket })
    }

    /// The bucket that holds the key with so many before it, and how many of these are in the bucket.
    fn holding(&self, mut rank: usize) -> Option<(Place, usize)> {
        for (at, chunk) in self.chunks.iter().enumerate() {
            if rank >= chunk.count {
                rank -= chunk.count;
                continue;
            }
            for (within, bucket) in chunk.buckets.iter().enumerate() {
                if rank < bucket.count {
                    return Some((Place { chunk: at, bucket: within }, rank));
                }
                rank -= bucket.count;
            }
        }
        None
    }

    /// How many keys the buckets before a place hold.
    fn before(&self, place: Place) -> usize {
        let chunks: usize = self.chunks[..place.chunk].iter().map(|chunk| chunk.count).sum();
        let buckets = self.chunks.get(place.chunk).map_or(&[][..], |chunk| &chunk.buckets[..place.bucket]);
        chunks + buckets.iter().map(|bucket| bucket.count).sum::<usize>()
    }

    fn bucket(&self, place: Place) -> Option<&Bucket> {
        self.chunks.get(place.chunk)?.buckets.get(place.bucket)
    }

    fn next(&self, Place { chunk, bucket }: Place) -> Place {
        let last = self.chunks.get(chunk).is_none_or(|chunk| bucket + 1 >= chunk.buckets.len());
        if last { Place { chunk: chunk + 1, bucket: 0 } } else { Place { chunk, bucket: bucket + 1 } }
    }

    /// Puts buckets in the place of one, and sees to it that the chunk does not grow too large.
    fn replace(&mut self, place: Place, with: Vec<Bucket>) {
        let chunk = &mut self.chunks[place.chunk];
        let buckets = Arc::make_mut(&mut chunk.buckets);
        buckets.splice(place.bucket..=place.bucket, with);
        if buckets.len() <= CHUNK {
            chunk.count = buckets.iter().map(|bucket| bucket.count).sum();
            return;
        }
        // Where keys only grow, what is left behind stays full.
        let rest = Chunk::new(buckets.split_off(CHUNK));
        chunk.count = buckets.iter().map(|bucket| bucket.count).sum();
        self.chunks.insert(place.chunk + 1, rest);
    }
}

/// Where a bucket is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
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
pub(super) struct Gather<K> {
    buckets: Vec<Bucket>,
    /// The bucket that is being filled: where it began, where it is, its count.
    open: Option<(K, K, usize)>,
}

impl<K> Default for Gather<K> {
    fn default() -> Gather<K> {
        Gather { buckets: Vec::new(), open: None }
    }
}

impl<K: AsRef<[u8]> + Clone> Gather<K> {
    pub fn push(&mut self, key: K) {
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
    pub fn finish(mut self) -> Vec<Bucket> {
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

    use super::super::memory::Memory;
    use super::super::{Entry, Version};
    use super::*;

    fn key(n: u16) -> Key {
        Key::space("k").int(i64::from(n))
    }

    /// Passes over the first keys of a scan as a snapshot does: up to the edge one by one, then by counts, then one by one.
    fn page(ranks: &Ranks, keys: &BTreeSet<Key>, scan: Scan) -> Vec<Key> {
        let visit = |scan: &Scan| -> Vec<Key> {
            if nothing_between(&scan.from, &scan.to) {
                return Vec::new();
            }
            let range = keys.range((scan.from.clone(), scan.to.clone())).cloned();
            match scan.direction {
                Direction::Forward => range.skip(scan.skip).take(scan.limit).collect(),
                Direction::Backward => range.rev().skip(scan.skip).take(scan.limit).collect(),
            }
        };
        let Some(edge) = ranks.edge(&scan) else { return visit(&scan) };
        let all = Scan { skip: 0, limit: usize::MAX, ..scan.clone() };
        let before = match scan.direction {
            Direction::Forward => Scan { to: Bound::Excluded(edge.clone()), ..all },
            Direction::Backward => Scan { from: Bound::Included(edge.clone()), ..all },
        };
        let before = visit(&before).len();
        match scan.skip.checked_sub(before) {
            None => visit(&scan),
            Some(rest) => {
                let leapt = ranks.leap(scan, &edge, rest);
                assert!(leapt.skip < 2 * TOO_FULL, "{} keys are left to be passed over", leapt.skip);
                visit(&leapt)
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn pages_are_those_of_the_keys_that_are_there(
            loaded in prop::collection::btree_set(0..500_u16, 0..200),
            changes in prop::collection::vec((any::<bool>(), 0..500_u16), 0..400),
            growing in 0..100_u16,
            pages in prop::collection::vec((0..600_u16, 0..600_u16, any::<bool>(), 0..400_usize), 20),
        ) {
            let mut keys: BTreeSet<Key> = loaded.into_iter().map(key).collect();
            let mut gather = Gather::default();
            keys.iter().cloned().for_each(|key| gather.push(key));
            let mut ranks = Ranks::new(gather.finish());
            let growing = (0..growing).map(|n| (true, 500 + n));
            for (put, n) in changes.into_iter().chain(growing) {
                let key = key(n);
                if put && keys.insert(key.clone()) {
                    ranks.insert(&key);
                } else if !put && keys.remove(&key) {
                    ranks.remove(&key);
                }
                if !ranks.too_full.is_empty() {
                    let engine = Memory::default();
                    let entry = Entry { version: Version::ZERO, value: Bytes::new() };
                    engine.apply(keys.iter().map(|key| (key.clone(), Some(entry.clone()))));
                    ranks.divide(&Engine::Memory(engine));
                }
            }
            for (a, b, backward, skip) in pages {
                let scan = Scan::range(Bound::Included(key(a.min(b))), Bound::Excluded(key(a.max(b)))).skip(skip).limit(5);
                let scan = if backward { scan.backward() } else { scan };
                let due = Scan { skip: 0, limit: usize::MAX, ..scan.clone() };
                let mut due = page(&Ranks::default(), &keys, due);
                due.drain(..skip.min(due.len()));
                due.truncate(5);
                prop_assert_eq!(page(&ranks, &keys, scan), due);
            }
        }
    }
}
