//! Ranges of one index that are read side by side: of each the rows are in the order of a query, of all of them only so.

use std::collections::VecDeque;

use common::id::RecordId;
use store::{Key, Scan};

use crate::domain::{error::Result, keyspace, records::list::view::View};

/// Keys of one range that are read at first, and at once at most.
pub(super) const FIRST: usize = 8;
const MOST: usize = 256;
/// Keys that are handed on at first.
const HANDED: usize = 32;

/// The ranges.
pub(super) struct Merged {
    sides: Vec<Side>,
    backward: bool,
    handed: usize,
}

/// One of them.
struct Side {
    /// What is left of it to read.
    scan: Option<Scan>,
    /// Bytes of its keys that say nothing of the order.
    stem: usize,
    at_once: usize,
    read: VecDeque<Key>,
}

impl Side {
    async fn fill(&mut self, view: &View<'_>) -> Result<()> {
        let Some(scan) = self.scan.take().filter(|_| self.read.is_empty()) else { return Ok(()) };
        let entries = view.snapshot.scan(scan.clone().limit(self.at_once)).await?;
        view.looked.keys(entries.len());
        let is_all = entries.len() < self.at_once;
        self.read = entries.into_iter().map(|(key, _)| key).collect();
        self.scan = self.read.back().filter(|_| !is_all).map(|last| scan.after(last));
        self.at_once = (self.at_once * 2).min(MOST);
        Ok(())
    }

    /// What the next key is ordered by.
    fn place(&self) -> Option<&[u8]> {
        self.read.front().and_then(|key| key.as_bytes().get(self.stem..))
    }
}

impl Merged {
    /// Scans, each with how many bytes its keys begin with alike.
    pub(super) fn new(scans: Vec<(Scan, usize)>, backward: bool) -> Self {
        let side = |(scan, stem)| Side { scan: Some(scan), stem, at_once: FIRST, read: VecDeque::new() };
        Self { sides: scans.into_iter().map(side).collect(), backward, handed: HANDED }
    }

    /// The next few; none at the end.
    pub(super) async fn next(&mut self, view: &View<'_>, at_once: usize) -> Result<Vec<RecordId>> {
        let mut found = Vec::new();
        while found.len() < at_once.min(self.handed) {
            for side in self.sides.iter_mut().filter(|side| side.read.is_empty() && side.scan.is_some()) {
                side.fill(view).await?;
            }
            let sides = self.sides.iter_mut().filter(|side| side.place().is_some());
            let next = if self.backward {
                sides.max_by(|a, b| a.place().cmp(&b.place()))
            } else {
                sides.min_by(|a, b| a.place().cmp(&b.place()))
            };
            let Some(key) = next.and_then(|side| side.read.pop_front()) else { break };
            found.extend(keyspace::last_id(&key));
        }
        self.handed = self.handed.saturating_mul(2);
        Ok(found)
    }
}
