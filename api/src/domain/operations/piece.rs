//! What kinds of work have in common: each does a piece at a time, within bounds.

use std::time::Duration;

use base::Clock;
use common::operation::OperationState;
use store::{Batch, Entry, Key, Scan, Snapshot};

use crate::domain::{core::Core, error::Result};

/// Keys that a piece may read or write.
const MAX_KEYS: usize = 500;
/// Bytes that a piece may read or write, about: it ends with the entry that passes them. Each word of a record can be an entry of an index, and
/// these are bounded too by that.
const MAX_BYTES: usize = 128 * 1024;
/// Entries that are read at once: what is read and not come to is read again by the next piece.
const AT_ONCE: usize = 256;
/// How long a piece may be planned.
const MAX_TIME: Duration = Duration::from_millis(20);

/// How long a request waits for a change of a definition.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Work of one kind: how far it is, which is stored after each piece.
pub(crate) trait Steps {
    /// Plans the next piece within `budget`, and moves on to the one after it. Nothing may be written but by the piece's batch.
    /// What is planned may not come to be; then the work is read back as it was stored, and this is called again.
    fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> impl Future<Output = Result<Piece>> + Send;
}

/// A planned piece.
#[derive(Default)]
pub(crate) struct Piece {
    /// What it changes; nothing where it only read.
    pub batch: Batch,
    /// How many entries it is done with, of those that are counted.
    pub done: u64,
    /// How many there are to do, where that is known only now.
    pub of: Option<u64>,
    /// There is no more to do.
    pub is_last: bool,
    /// How it ends, where not well, and why.
    pub ended: Option<(OperationState, Option<String>)>,
}

/// What a piece may take.
pub(crate) struct Budget<'a> {
    clock: &'a Clock,
    until: Duration,
    keys: usize,
    bytes: usize,
}

impl<'a> Budget<'a> {
    /// A whole one, from now on.
    pub(crate) fn new(clock: &'a Clock) -> Self {
        Self { clock, until: clock.elapsed().saturating_add(MAX_TIME), keys: MAX_KEYS, bytes: MAX_BYTES }
    }

    /// The next entries of `scan`, no more of them than are left: whatever they are, they take no more memory than a piece may.
    pub(crate) async fn scan(&self, snapshot: &Snapshot, scan: Scan) -> Result<Entries> {
        let (most, bytes) = (self.keys.clamp(1, AT_ONCE), self.bytes.max(1));
        let entries = snapshot.scan(scan.limit(most).limit_bytes(bytes)).await?;
        let read: usize = entries.iter().map(|(_, entry)| entry.value.len()).sum();
        let is_end = entries.len() < most && read < bytes;
        Ok(Entries { entries, is_end })
    }

    /// Takes one key, and the bytes that stand there.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.keys = self.keys.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Whether the piece has to end.
    pub(crate) fn is_spent(&self) -> bool {
        self.keys == 0 || self.bytes == 0 || self.clock.elapsed() >= self.until
    }
}

/// Entries that were read within a [`Budget`].
pub(crate) struct Entries {
    pub entries: Vec<(Key, Entry)>,
    /// There are no more behind these.
    pub is_end: bool,
}

#[cfg(test)]
mod tests {
    use store::{Options, Store};

    use super::*;

    #[tokio::test]
    async fn m1_what_a_piece_reads_at_once_is_bounded_in_bytes_however_large_entries_are() {
        let store = Store::open(Options::memory()).unwrap();
        let keys: Vec<Key> = (0..5).map(|n| Key::space("piece").int(n)).collect();
        let large = vec![0; MAX_BYTES / 2];
        let mut batch = Batch::new();
        for key in &keys {
            batch.put(key.clone(), large.clone());
        }
        store.commit(batch).await.unwrap();
        let (snapshot, clock) = (store.snapshot().await.unwrap(), Clock::system());
        let (mut scan, mut seen) = (Scan::prefix(&Key::space("piece")), Vec::new());
        loop {
            let Entries { entries, is_end } = Budget::new(&clock).scan(&snapshot, scan.clone()).await.unwrap();
            assert!(entries.len() <= 2, "{}", entries.len());
            seen.extend(entries.into_iter().map(|(key, _)| key));
            scan = scan.after(seen.last().unwrap());
            if is_end {
                break;
            }
        }
        assert_eq!(seen, keys);
        // What is left of a piece bounds it too.
        let mut budget = Budget::new(&clock);
        budget.spend(MAX_BYTES - 1);
        let rest = budget.scan(&snapshot, Scan::prefix(&Key::space("piece"))).await.unwrap();
        assert_eq!((rest.entries.len(), rest.is_end), (1, false));
    }
}
