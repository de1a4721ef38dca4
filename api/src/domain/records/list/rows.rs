//! Rows off the keys of a store, a few at a time, until there are enough of them or they fill an answer.

use common::id::RecordId;
use store::{Entry, Key, Scan};

use super::view::View;
use crate::domain::{
    error::Result,
    indexes::IndexKind,
    keyspace, record, stage,
    work::{self, AT_ONCE, MAX_PAGE_BYTES},
};

/// Records that are read at once with their neighbours, which ends where they are large.
const NEIGHBOURS: usize = 64;
const STRETCH_BYTES: usize = 512 * 1024;

/// A record as it is stored.
pub(in crate::domain::records) type Row = (RecordId, Entry);

/// Rows that were read.
#[derive(Default)]
pub(super) struct Rows {
    /// The rows, in the order in which they were asked for.
    pub found: Vec<Row>,
    /// How many match in all, where that was counted.
    pub count: Option<u64>,
    /// There are fewer than were asked for, since more would not fit into an answer.
    pub is_cut: bool,
    /// There is at least one more, where nothing was counted.
    pub goes_on: bool,
    /// About how many bytes they have when they are sent.
    pub bytes: usize,
}

impl Rows {
    /// Takes one more row, unless an answer is full.
    pub(super) fn push(&mut self, row: Row) {
        let bytes = self.bytes + record::json_size(&row.1.value);
        if self.is_cut || (bytes > MAX_PAGE_BYTES && !self.found.is_empty()) {
            self.is_cut = true;
            return;
        }
        self.bytes = bytes;
        self.found.push(row);
    }

    /// Waits for a turn where the rows are large.
    async fn pause(&self, view: &View<'_>) -> Result<()> {
        if self.bytes < STRETCH_BYTES { Ok(()) } else { view.deadline.pause().await }
    }

    /// Takes up to `wanted` more rows off the keys that `scan` visits: records, or entries of an index of them.
    pub(super) async fn read(&mut self, view: &View<'_>, kind: IndexKind, mut scan: Scan, wanted: usize) -> Result<()> {
        let mut left = wanted;
        while left > 0 && !self.is_cut {
            self.pause(view).await?;
            let stretch = left.min(if kind == IndexKind::Records { NEIGHBOURS } else { AT_ONCE });
            let entries = view.snapshot.scan(scan.clone().limit(stretch).limit_bytes(STRETCH_BYTES)).await?;
            let bytes: usize = entries.iter().map(|(_, entry)| entry.value.len()).sum();
            view.looked.keys(entries.len());
            let Some((last, _)) = entries.last() else { break };
            let is_last = entries.len() < stretch && bytes < STRETCH_BYTES;
            scan = scan.skip(0).after(last);
            left -= entries.len();
            for row in resolve(view, kind, entries).await? {
                work::hold(row.1.value.len())?;
                self.push(row);
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// Takes the records with these ids, in their order.
    pub(super) async fn read_by_id(&mut self, view: &View<'_>, ids: &[RecordId]) -> Result<()> {
        for ids in ids.chunks(AT_ONCE) {
            self.pause(view).await?;
            for row in by_id(view, ids.iter().copied()).await? {
                work::hold(row.1.value.len())?;
                self.push(row);
            }
            if self.is_cut {
                break;
            }
        }
        Ok(())
    }
}

/// Records, from a scan over records or over an index of them.
async fn resolve(view: &View<'_>, kind: IndexKind, entries: Vec<(Key, Entry)>) -> Result<Vec<Row>> {
    let ids = |entries: Vec<(Key, Entry)>| entries.into_iter().filter_map(|(key, _)| keyspace::last_id(&key));
    match kind {
        IndexKind::Records => {
            let found = entries.into_iter().filter_map(|(key, entry)| Some((keyspace::last_id(&key)?, entry)));
            Ok(found.collect())
        }
        IndexKind::Entries => by_id(view, ids(entries)).await,
        IndexKind::Unique => by_id(view, entries.iter().filter_map(|(_, entry)| stage::unique_holder(entry))).await,
    }
}

/// The records with these ids, in their order.
pub(super) async fn by_id(view: &View<'_>, ids: impl Iterator<Item = RecordId>) -> Result<Vec<Row>> {
    let ids: Vec<_> = ids.collect();
    let keys: Vec<_> = ids.iter().map(|id| keyspace::record(view.schema.number(), *id)).collect();
    let entries = view.snapshot.get_many(&keys).await?;
    Ok(ids.into_iter().zip(entries).filter_map(|(id, entry)| Some((id, entry?))).collect())
}
