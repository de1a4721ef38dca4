//! Rows off the keys of a store, a few at a time, until there are enough of them or they fill an answer.

use common::id::RecordId;
use store::{Entry, Key, Scan, Snapshot};

use super::MAX_PAGE_BYTES;
use crate::domain::{error::Result, keyspace, record, schema::Schema, work};

/// Entries that are read at once: one may have half a megabyte.
const STRETCH: usize = 16;

/// A record as it is stored.
pub(super) type Found = (RecordId, Entry);

/// Rows that were read.
#[derive(Default)]
pub(super) struct Rows {
    /// The rows, in the order in which they were asked for.
    pub found: Vec<Found>,
    /// How many match in all, where that was counted.
    pub count: Option<u64>,
    /// There are fewer than were asked for, since more would not fit into an answer.
    pub is_cut: bool,
    /// There is at least one more, where nothing was counted.
    pub goes_on: bool,
    bytes: usize,
}

impl Rows {
    /// None yet, of so many that match.
    pub(super) fn of(count: u64) -> Self {
        Self { count: Some(count), ..Self::default() }
    }

    /// Takes one more row, unless an answer is full.
    pub(super) fn push(&mut self, row: Found) {
        let bytes = self.bytes + record::json_size(&row.1.value);
        if self.is_cut || (bytes > MAX_PAGE_BYTES && !self.found.is_empty()) {
            self.is_cut = true;
            return;
        }
        self.bytes = bytes;
        self.found.push(row);
    }

    /// Takes up to `wanted` more rows off the keys that `scan` visits: records, or entries of an index of them.
    pub(super) async fn read(
        &mut self,
        snapshot: &Snapshot,
        schema: &Schema,
        mut scan: Scan,
        wanted: usize,
    ) -> Result<()> {
        let mut left = wanted;
        while left > 0 && !self.is_cut {
            let stretch = left.min(STRETCH);
            let entries = snapshot.scan(scan.clone().limit(stretch)).await?;
            let Some((last, _)) = entries.last() else { break };
            let is_last = entries.len() < stretch;
            scan = scan.skip(0).after(last);
            left -= entries.len();
            for row in resolve(snapshot, schema, entries).await? {
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
    pub(super) async fn read_by_id(&mut self, snapshot: &Snapshot, schema: &Schema, ids: &[RecordId]) -> Result<()> {
        for ids in ids.chunks(STRETCH) {
            for row in by_id(snapshot, schema, ids.iter().copied()).await? {
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
pub(super) async fn resolve(snapshot: &Snapshot, schema: &Schema, entries: Vec<(Key, Entry)>) -> Result<Vec<Found>> {
    let found = entries.into_iter().filter_map(|(key, entry)| Some((keyspace::last_id(&key)?, entry)));
    let (records, indexed): (Vec<_>, Vec<_>) = found.partition(|(_, entry)| !entry.value.is_empty());
    if indexed.is_empty() {
        return Ok(records);
    }
    by_id(snapshot, schema, indexed.into_iter().map(|(id, _)| id)).await
}

/// The records with these ids, in their order.
async fn by_id(snapshot: &Snapshot, schema: &Schema, ids: impl Iterator<Item = RecordId>) -> Result<Vec<Found>> {
    let ids: Vec<_> = ids.collect();
    let keys: Vec<_> = ids.iter().map(|id| keyspace::record(schema.number(), *id)).collect();
    let entries = snapshot.get_many(&keys).await?;
    Ok(ids.into_iter().zip(entries).filter_map(|(id, entry)| Some((id, entry?))).collect())
}
