//! Reading: the store as it was after one commit, while later commits go on. How the past is kept is in `generation`.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{inner::Inner, order_statistics::OrderStatistics, overwritten::Overwritten, page::PageRequest};
use crate::{Direction, Entry, Key, ReadError, Scan, Version, last_changes::LastChanges, scan::nothing_between};

/// How many entries are read from the backend in one go.
const PAGE: usize = 256;
/// About how many bytes of values are.
const PAGE_BYTES: usize = 1024 * 1024;

/// A snapshot that has this many generations to look through folds them into one.
const FOLD_AFTER: usize = 16;

/// A reader's view of the store.
pub(crate) struct Snapshot {
    inner: Arc<Inner>,
    /// The last commit that it shows.
    version: Version,
    order: Arc<OrderStatistics>,
    last_changes: Arc<LastChanges>,
    overwritten: Arc<Mutex<Overwritten>>,
    /// Among those that are open.
    number: u64,
}

/// What a snapshot shows of a page.
struct Page {
    entries: Vec<(Key, Entry)>,
    /// The key after which the rest of the range begins, if there may be more.
    end: Option<Key>,
}

impl Snapshot {
    pub(super) fn new(inner: Arc<Inner>) -> Snapshot {
        let generation = inner.current();
        let (version, order, last_changes) =
            (generation.version, Arc::clone(&generation.order), Arc::clone(&generation.last_changes));
        let (undo, held) = (BTreeMap::new(), inner.held.charge(0));
        let overwritten = Overwritten { undo, folded: Some(generation), held };
        let overwritten = Arc::new(Mutex::new(overwritten));
        let number = inner.held.open(&overwritten);
        Snapshot { inner, version, order, last_changes, overwritten, number }
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn last_change(&self, space: &str) -> Version {
        self.last_changes.of(space)
    }

    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        let _open = self.inner.gate.read().await;
        self.get_now(key)
    }

    pub(crate) async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        let _open = self.inner.gate.read().await;
        keys.iter().map(|key| self.get_now(key)).collect()
    }

    fn get_now(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        let found = self.inner.read(|backend| backend.get(key))?;
        // Only after the backend has been read: what it showed is covered by then.
        let later = self.overwritten()?;
        let older = later.undo.get(key).or_else(|| later.generations().find_map(|generation| generation.undo.get(key)));
        Ok(older.cloned().or(found).filter(|entry| entry.version <= self.version))
    }

    pub(crate) async fn scan(&self, scan: Scan) -> Result<Vec<(Key, Entry)>, ReadError> {
        let Scan { mut from, mut to, direction, mut skip, limit, bytes } = self.seek(scan).await?;
        let mut result = Vec::new();
        let mut taken = 0;
        let mut values = skip < PAGE;
        while result.len() < limit && taken < bytes && !nothing_between(&from, &to) {
            let limit_now = skip.saturating_add(limit - result.len()).min(PAGE);
            let request = PageRequest {
                from: from.as_ref(),
                to: to.as_ref(),
                direction,
                limit: limit_now,
                bytes: PAGE_BYTES,
                values,
            };
            let Page { entries, end } = self.read(&request).await?;
            if !values && entries.len() > skip {
                // What was deleted since made the page longer than what is passed over.
                values = true;
                continue;
            }
            let passed = skip.min(entries.len());
            skip -= passed;
            values = skip < PAGE;
            for entry in entries.into_iter().skip(passed) {
                if result.len() >= limit || taken >= bytes {
                    break;
                }
                taken += entry.1.value.len();
                result.push(entry);
            }
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

    pub(crate) async fn count(&self, scan: &Scan) -> Result<usize, ReadError> {
        if nothing_between(&scan.from, &scan.to) {
            return Ok(0);
        }
        let bucket = |bound: &Bound<Key>| match bound {
            Bound::Included(key) | Bound::Excluded(key) => self.order.bucket_of(key),
            Bound::Unbounded => None,
        };
        // In one bucket there are few enough to be counted one by one.
        if let (Some((from, _)), Some((to, _))) = (bucket(&scan.from), bucket(&scan.to))
            && from == to
        {
            return self.read_count(scan.from.clone(), &scan.to).await;
        }
        Ok(self.end(&scan.to).await?.saturating_sub(self.begin(&scan.from).await?))
    }

    pub(crate) fn estimate(&self, scan: &Scan) -> usize {
        if nothing_between(&scan.from, &scan.to) {
            return 0;
        }
        let rank = |bound: &Bound<Key>, open: usize| match bound {
            Bound::Included(key) | Bound::Excluded(key) => self.order.bucket_of(key).map_or(0, |(_, rank)| rank),
            Bound::Unbounded => open,
        };
        rank(&scan.to, self.order.len()).saturating_sub(rank(&scan.from, 0))
    }

    /// The same scan with less to skip: where the first entry is, is looked up by its rank.
    async fn seek(&self, scan: Scan) -> Result<Scan, ReadError> {
        if scan.skip < PAGE || nothing_between(&scan.from, &scan.to) {
            return Ok(scan);
        }
        let rank = match scan.direction {
            Direction::Forward => self.begin(&scan.from).await?.checked_add(scan.skip),
            Direction::Backward => {
                self.end(&scan.to).await?.checked_sub(scan.skip).and_then(|rank| rank.checked_sub(1))
            }
        };
        let Some(selected) = rank.and_then(|rank| self.order.select(rank)) else {
            return Ok(Scan { skip: 0, limit: 0, ..scan });
        };
        Ok(match scan.direction {
            Direction::Forward => Scan { from: Bound::Included(selected.first), skip: selected.before, ..scan },
            Direction::Backward => Scan { to: selected.end, skip: selected.after, ..scan },
        })
    }

    /// How many keys there are before a range that begins so.
    async fn begin(&self, from: &Bound<Key>) -> Result<usize, ReadError> {
        match from {
            Bound::Unbounded => Ok(0),
            Bound::Included(key) => self.rank(key, Bound::Excluded(key)).await,
            Bound::Excluded(key) => self.rank(key, Bound::Included(key)).await,
        }
    }

    /// How many keys there are up to the end of a range that ends so.
    async fn end(&self, to: &Bound<Key>) -> Result<usize, ReadError> {
        match to {
            Bound::Unbounded => Ok(self.order.len()),
            Bound::Included(key) | Bound::Excluded(key) => self.rank(key, to.as_ref()).await,
        }
    }

    /// How many keys there are up to a bound at `key`: those before its bucket are counted already, the others one by one.
    async fn rank(&self, key: &Key, to: Bound<&Key>) -> Result<usize, ReadError> {
        let Some((first, rank)) = self.order.bucket_of(key) else { return Ok(0) };
        Ok(rank + self.read_count(Bound::Included(first), &to.cloned()).await?)
    }

    /// How many keys there are between two bounds, read one by one.
    async fn read_count(&self, mut from: Bound<Key>, to: &Bound<Key>) -> Result<usize, ReadError> {
        let mut count = 0;
        while !nothing_between(&from, to) {
            let (from_now, direction) = (from.as_ref(), Direction::Forward);
            let request = PageRequest {
                from: from_now,
                to: to.as_ref(),
                direction,
                limit: PAGE,
                bytes: usize::MAX,
                values: false,
            };
            let Page { entries, end } = self.read(&request).await?;
            count += entries.len();
            let Some(end) = end else { break };
            from = Bound::Excluded(end);
            tokio::task::yield_now().await;
        }
        Ok(count)
    }

    /// What was there at the snapshot of a page.
    async fn read(&self, request: &PageRequest<'_>) -> Result<Page, ReadError> {
        let &PageRequest { from, to, direction, .. } = request;
        let _open = self.inner.gate.read().await;
        let found = self.inner.read(|backend| backend.read(request))?;
        // What has been read reaches to the last key, or to the end of the range.
        let end = found.last().filter(|_| request.is_full(&found)).map(|(key, _)| key.clone());
        let (from, to) = match (direction, &end) {
            (_, None) => (from, to),
            (Direction::Forward, Some(end)) => (from, Bound::Included(end)),
            (Direction::Backward, Some(end)) => (Bound::Included(end), to),
        };
        let entries = self.correct(found, from, to, direction)?;
        Ok(Page { entries, end })
    }

    /// Turns what the backend showed between two bounds into what was there at the snapshot.
    fn correct(
        &self,
        found: Vec<(Key, Entry)>,
        from: Bound<&Key>,
        to: Bound<&Key>,
        direction: Direction,
    ) -> Result<Vec<(Key, Entry)>, ReadError> {
        let later = self.overwritten()?;
        let newest_first = later.generations().collect::<Vec<_>>().into_iter().rev();
        let maps = newest_first.map(|generation| &generation.undo).chain([&later.undo]);
        let mut changed = maps.flat_map(|undo| undo.range::<Key, _>((from, to))).peekable();
        if changed.peek().is_none() {
            let mut found = found;
            found.retain(|(_, entry)| entry.version <= self.version);
            return Ok(found);
        }
        let mut entries: BTreeMap<Key, Entry> = found.into_iter().collect();
        // The oldest value comes last and stays.
        entries.extend(changed.map(|(key, entry)| (key.clone(), entry.clone())));
        let visible = entries.into_iter().filter(|(_, entry)| entry.version <= self.version);
        Ok(match direction {
            Direction::Forward => visible.collect(),
            Direction::Backward => visible.rev().collect(),
        })
    }

    /// What has been overwritten, to be looked through after the backend was read; an error if it is not kept any longer.
    fn overwritten(&self) -> Result<MutexGuard<'_, Overwritten>, ReadError> {
        let mut later = self.overwritten.lock().unwrap_or_else(PoisonError::into_inner);
        if later.generations().nth(FOLD_AFTER).is_some() {
            later.fold();
        }
        if later.folded.is_none() { Err(ReadError::given_up()) } else { Ok(later) }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.inner.held.close(self.number);
    }
}
