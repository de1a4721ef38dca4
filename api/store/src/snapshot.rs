//! Reading: the store as it was after one commit, while later commits go on.
//!
//! Before a group of commits touches the engine, the values it will replace are put into a new
//! [`Generation`], linked to the one before. A snapshot reads the engine and then lets the
//! generations that followed its own correct what it saw. So readers and the writer never wait for
//! each other, a scan is of one moment, and nobody sees a group before it is on disk.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::committer::Shared;
use super::engine::Stretch;
use super::error::ReadError;
use super::ranks::Ranks;
use super::scan::{Direction, Scan, nothing_between};
use super::spaces::Spaces;
use super::{Entry, Key, Version};

/// How many entries are read from the engine in one go.
const STRETCH: usize = 256;

/// A snapshot that has this many generations to look through folds them into one.
const FOLD_AFTER: usize = 16;

/// One group of commits, and how to see the store as it was before it.
pub(super) struct Generation {
    /// The last version of the group.
    pub version: Version,
    /// The values that the group replaces or removes. Keys that it creates are not in here: their
    /// version alone tells an older snapshot that they were not there.
    pub undo: BTreeMap<Key, Entry>,
    /// Where the keys are after the group.
    pub ranks: Arc<Ranks>,
    /// When spaces were last written to, as of the group.
    pub spaces: Arc<Spaces>,
    /// The group after this one, set before that group touches the engine.
    pub next: OnceLock<Arc<Generation>>,
}

impl Generation {
    pub fn new(version: Version, undo: BTreeMap<Key, Entry>, ranks: Ranks, spaces: Arc<Spaces>) -> Generation {
        Generation { version, undo, ranks: Arc::new(ranks), spaces, next: OnceLock::new() }
    }
}

impl Drop for Generation {
    /// Lets go of a long chain one by one; by itself it would be done by recursion.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(generation) = next {
            next = Arc::into_inner(generation).and_then(|mut last| last.next.take());
        }
    }
}

/// The store as it was after the commit [`Snapshot::version`]. Everything read through it is of
/// that moment. It costs memory in proportion to what is overwritten while it is held.
pub struct Snapshot {
    shared: Arc<Shared>,
    version: Version,
    ranks: Arc<Ranks>,
    spaces: Arc<Spaces>,
    later: Mutex<Later>,
}

/// What has been overwritten since the snapshot.
struct Later {
    /// The oldest replaced value of each key, up to `folded`.
    undo: BTreeMap<Key, Entry>,
    folded: Arc<Generation>,
}

impl Later {
    /// The generations after `folded`, oldest first.
    fn generations(&self) -> impl Iterator<Item = &Arc<Generation>> {
        std::iter::successors(self.folded.next.get(), |generation| generation.next.get())
    }

    fn fold(&mut self) {
        while let Some(generation) = self.folded.next.get().map(Arc::clone) {
            for (key, entry) in &generation.undo {
                if !self.undo.contains_key(key) {
                    self.undo.insert(key.clone(), entry.clone());
                }
            }
            self.folded = generation;
        }
    }
}

/// What a snapshot shows of a stretch.
struct Visible {
    entries: Vec<(Key, Entry)>,
    /// Where the rest of the range begins, if there may be more.
    end: Option<Key>,
}

impl Snapshot {
    pub(super) fn new(shared: Arc<Shared>) -> Snapshot {
        let generation = shared.current();
        let later = Later { undo: BTreeMap::new(), folded: Arc::clone(&generation) };
        let (version, ranks, spaces) =
            (generation.version, Arc::clone(&generation.ranks), Arc::clone(&generation.spaces));
        Snapshot { shared, version, ranks, spaces, later: Mutex::new(later) }
    }

    /// The last commit that this snapshot shows.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The last commit that wrote to the space of this name; the one that the store was opened at, if none has since. Where two
    /// snapshots agree on it, they show the same of that space.
    pub fn last_change(&self, space: &'static str) -> Version {
        self.spaces.last_change(space)
    }

    /// The value of `key`, if there is one.
    // Reading in place takes a microsecond; `async` is for engines on the other end of a network.
    #[expect(clippy::unused_async, reason = "an engine over the network will wait here")]
    pub async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        let found = self.shared.engine.get(key)?;
        // Only after the engine has been read: what it showed is covered by then.
        let later = self.later();
        let older = later.undo.get(key).or_else(|| later.generations().find_map(|generation| generation.undo.get(key)));
        Ok(older.cloned().or(found).filter(|entry| entry.version <= self.version))
    }

    /// The values of several keys, in their order.
    pub async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        let mut entries = Vec::with_capacity(keys.len());
        for key in keys {
            entries.push(self.get(key).await?);
        }
        Ok(entries)
    }

    /// The entries that `scan` visits, in its order.
    pub async fn scan(&self, scan: Scan) -> Result<Vec<(Key, Entry)>, ReadError> {
        let Scan { mut from, mut to, direction, mut skip, limit } = self.leap(scan).await?;
        let mut result = Vec::new();
        let mut values = skip < STRETCH;
        while result.len() < limit && !nothing_between(&from, &to) {
            let limit_now = skip.saturating_add(limit - result.len()).min(STRETCH);
            let stretch = Stretch { from: from.as_ref(), to: to.as_ref(), direction, limit: limit_now, values };
            let Visible { entries, end } = self.read(&stretch)?;
            if !values && entries.len() > skip {
                // What was deleted since made the stretch longer than what is passed over.
                values = true;
                continue;
            }
            let passed = skip.min(entries.len());
            skip -= passed;
            values = skip < STRETCH;
            let room = limit - result.len();
            result.extend(entries.into_iter().skip(passed).take(room));
            match (direction, end) {
                (_, None) => break,
                (Direction::Forward, Some(end)) => from = Bound::Excluded(end),
                (Direction::Backward, Some(end)) => to = Bound::Excluded(end),
            }
            // A long scan lets others have the thread now and then.
            tokio::task::yield_now().await;
        }
        Ok(result)
    }

    /// The same scan with less to skip: keys that it passes over are counted where counts are kept, except for those up to the
    /// first count.
    async fn leap(&self, scan: Scan) -> Result<Scan, ReadError> {
        let Some(edge) = self.ranks.edge(&scan).filter(|_| scan.skip >= STRETCH) else { return Ok(scan) };
        let (mut from, to) = match scan.direction {
            Direction::Forward => (scan.from.clone(), Bound::Excluded(edge.clone())),
            Direction::Backward => (Bound::Included(edge.clone()), scan.to.clone()),
        };
        let mut passed = 0;
        while passed <= scan.skip && !nothing_between(&from, &to) {
            let (direction, limit) = (Direction::Forward, STRETCH);
            let stretch = Stretch { from: from.as_ref(), to: to.as_ref(), direction, limit, values: false };
            let Visible { entries, end } = self.read(&stretch)?;
            passed += entries.len();
            let Some(end) = end else { break };
            from = Bound::Excluded(end);
            tokio::task::yield_now().await;
        }
        Ok(match scan.skip.checked_sub(passed) {
            Some(rest) => self.ranks.leap(scan, &edge, rest),
            None => scan,
        })
    }

    /// What was there at the snapshot of a stretch.
    fn read(&self, stretch: &Stretch<'_>) -> Result<Visible, ReadError> {
        let &Stretch { from, to, direction, limit, .. } = stretch;
        let found = self.shared.engine.read(stretch)?;
        // What has been read reaches to the last key, or to the end of the range.
        let end = found.last().filter(|_| found.len() == limit).map(|(key, _)| key.clone());
        let entries = match (direction, &end) {
            (_, None) => self.correct(found, from, to, direction),
            (Direction::Forward, Some(end)) => self.correct(found, from, Bound::Included(end), direction),
            (Direction::Backward, Some(end)) => self.correct(found, Bound::Included(end), to, direction),
        };
        Ok(Visible { entries, end })
    }

    /// Turns what the engine showed between two bounds into what was there at the snapshot.
    fn correct(
        &self,
        found: Vec<(Key, Entry)>,
        from: Bound<&Key>,
        to: Bound<&Key>,
        direction: Direction,
    ) -> Vec<(Key, Entry)> {
        let later = self.later();
        let newest_first = later.generations().collect::<Vec<_>>().into_iter().rev();
        let maps = newest_first.map(|generation| &generation.undo).chain([&later.undo]);
        let mut changed = maps.flat_map(|undo| undo.range::<Key, _>((from, to))).peekable();
        if changed.peek().is_none() {
            let mut found = found;
            found.retain(|(_, entry)| entry.version <= self.version);
            return found;
        }
        let mut entries: BTreeMap<Key, Entry> = found.into_iter().collect();
        // The oldest value comes last and stays.
        entries.extend(changed.map(|(key, entry)| (key.clone(), entry.clone())));
        let visible = entries.into_iter().filter(|(_, entry)| entry.version <= self.version);
        match direction {
            Direction::Forward => visible.collect(),
            Direction::Backward => visible.rev().collect(),
        }
    }

    fn later(&self) -> MutexGuard<'_, Later> {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        if later.generations().nth(FOLD_AFTER).is_some() {
            later.fold();
        }
        later
    }
}
