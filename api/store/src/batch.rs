//! What a caller wants to happen in one commit, all of it or nothing.

use bytes::Bytes;

use super::{Key, Version};

/// What must be true of a key for a batch to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is no value.
    Absent,
    /// There is a value, whichever.
    Present,
    /// The value is the one that this version wrote.
    Version(Version),
}

/// What is added to one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addition {
    /// How much; less than nothing takes away.
    pub by: i64,
    /// What an addition may bring the counter to. Taking away is always allowed, and adding nothing.
    pub max: i64,
}

impl Addition {
    /// Without a ceiling.
    pub const fn of(by: i64) -> Addition {
        Addition { by, max: i64::MAX }
    }
}

/// How much of the room that is kept free on the disk a batch may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reserve {
    /// Nothing.
    #[default]
    Kept,
    /// Much of it: for deletions.
    Much,
    /// Most of it: for what makes the store smaller by itself, and lets people in and out who have it do so. The rest is for opening the store.
    Most,
}

/// Expectations and changes that are committed together or not at all.
///
/// Changes take effect in this order, whatever the order of the calls: puts and deletes (the last
/// one of a key wins), then additions, then appended change entries.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(super) expect: Vec<(Key, Expect)>,
    pub(super) write: Vec<(Key, Option<Bytes>)>,
    pub(super) keep: Vec<(Key, Bytes)>,
    pub(super) add: Vec<(Key, Vec<Addition>)>,
    pub(super) append: Vec<Bytes>,
    pub(super) reserve: Reserve,
    pub(super) erases: bool,
}

impl Batch {
    /// A batch that changes nothing yet.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// A batch in one expression: `Batch::with(|batch| batch.expect(…).put(…))`.
    pub fn with(fill: impl FnOnce(&mut Batch) -> &mut Batch) -> Batch {
        let mut batch = Batch::new();
        fill(&mut batch);
        batch
    }

    /// The keys that are written under, one as often as it is.
    pub fn written(&self) -> impl Iterator<Item = &Key> {
        self.write.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key)
    }

    /// Applies the batch only if `key` is as expected. The first expectation that does not hold
    /// is the one that the conflict names.
    pub fn expect(&mut self, key: Key, expect: Expect) -> &mut Batch {
        self.expect.push((key, expect));
        self
    }

    /// Sets the value of `key`.
    pub fn put(&mut self, key: Key, value: impl Into<Bytes>) -> &mut Batch {
        self.write.push((key, Some(value.into())));
        self
    }

    /// Sets the value of `key` and leaves its version as it is: what is written says the same in another way. The batch is applied only
    /// if that version is `version`.
    pub fn keep(&mut self, key: Key, version: Version, value: impl Into<Bytes>) -> &mut Batch {
        self.expect.push((key.clone(), Expect::Version(version)));
        self.keep.push((key, value.into()));
        self
    }

    /// Takes all of another batch too.
    pub fn extend(&mut self, other: Batch) -> &mut Batch {
        let Batch { expect, write, keep, add, append, reserve, erases } = other;
        self.expect.extend(expect);
        self.write.extend(write);
        self.keep.extend(keep);
        self.add.extend(add);
        self.append.extend(append);
        self.erases |= erases;
        self.use_reserve(reserve)
    }

    /// Removes `key` if it is there.
    pub fn delete(&mut self, key: Key) -> &mut Batch {
        self.write.push((key, None));
        self
    }

    /// Adds `n` to the counter at `key`, which starts at 0. Additions of different batches never
    /// conflict with each other, so that a hot counter costs no retries. Read it with
    /// [`counter`](super::counter).
    pub fn add(&mut self, key: Key, n: i64) -> &mut Batch {
        self.add_up_to(key, [Addition::of(n)])
    }

    /// Adds to the counters at `key`, of which there are always as many as here; they start at 0. If one would pass its
    /// ceiling, the batch is refused as [`Full`](super::CommitError::Full). That is found out while committing, so of
    /// batches at once exactly those get in that there is room for, and none has to be tried again. Read them with
    /// [`counters`](super::counters).
    pub fn add_up_to(&mut self, key: Key, additions: impl Into<Vec<Addition>>) -> &mut Batch {
        self.add.push((key, additions.into()));
        self
    }

    /// How many entries the batch appends so far: the place of the next one.
    pub fn appended(&self) -> u32 {
        u32::try_from(self.append.len()).unwrap_or(u32::MAX)
    }

    /// Appends an entry to the journal, under this commit's own version: see [`journal`](super::journal).
    pub fn append(&mut self, change: impl Into<Bytes>) -> &mut Batch {
        self.append.push(change.into());
        self
    }

    /// Lets the batch use that much of the room that is kept free on the disk, or more if it may already.
    pub fn use_reserve(&mut self, reserve: Reserve) -> &mut Batch {
        self.reserve = self.reserve.max(reserve);
        self
    }

    /// Nothing of what the batch removes or overwrites may be left on the disk: the next compaction writes everything anew, whatever that is
    /// worth otherwise.
    pub fn erase(&mut self) -> &mut Batch {
        self.erases = true;
        self
    }

    /// How many entries the batch writes at most, of keys and of the journal.
    pub fn entries(&self) -> usize {
        self.write.len() + self.keep.len() + self.add.len() + self.append.len()
    }

    /// Takes back everything that the batch would write or add below `prefix`.
    pub fn withdraw(&mut self, prefix: &Key) -> &mut Batch {
        self.write.retain(|(key, _)| !key.starts_with(prefix));
        self.add.retain(|(key, _)| !key.starts_with(prefix));
        self
    }

    /// True if committing the batch would change nothing.
    pub fn is_empty(&self) -> bool {
        self.write.is_empty() && self.keep.is_empty() && self.add.is_empty() && self.append.is_empty()
    }

    /// True if the batch removes any key.
    pub(super) fn deletes(&self) -> bool {
        self.write.iter().any(|(_, value)| value.is_none())
    }

    /// The keys that the batch writes.
    pub(super) fn written_keys(&self) -> impl Iterator<Item = &Key> {
        let added = self.add.iter().map(|(key, _)| key);
        let kept = self.keep.iter().map(|(key, _)| key);
        self.write.iter().map(|(key, _)| key).chain(kept).chain(added)
    }

    /// The keys that the decision about the batch depends on; some may come twice.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.expect.iter().map(|(key, _)| key).chain(self.written_keys())
    }

    /// Roughly how much memory the batch holds while it waits.
    pub(super) fn bytes(&self) -> usize {
        let kept = self.keep.iter().map(|(_, value)| value);
        let values = self.write.iter().filter_map(|(_, value)| value.as_ref()).chain(kept);
        self.keys().map(|key| key.as_bytes().len() + 64).sum::<usize>()
            + values.chain(&self.append).map(Bytes::len).sum::<usize>()
    }
}
