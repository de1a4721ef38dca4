//! What every owner has: how many records and how many bytes, kept in one entry beside the records. `stage` adds to it in the commit that changes a record, the store's committer holds it under
//! the quota, `check` compares it with the records. Also how many collections there may be.
//!
//! The bytes are those of a record's JSON, without what the server stamps anew with each change (`revision`, `updated_at`), so
//! that a change that makes a record no longer never meets a quota. Indexes and the journal are left out: nobody could bring
//! those down by deleting. Records that nobody owns count together.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

use common::{access::Caller, id::UserId, user::Usage};
use serde::Deserialize;
use store::{Addition, Batch, CommitError, FORMAT, Key, ReadError, Scan, Store, counters};
use thiserror::Error;

use super::{
    core::Core,
    error::{Error, Result},
    keyspace,
    quota::OverQuota,
};

/// The error of a commit that was made for `caller`.
pub(super) fn commit_error(core: &Core, caller: &Caller, error: CommitError) -> Error {
    if let CommitError::Full { key, found, additions } = &error
        && let Some(over) = OverQuota::of(key, found, additions, caller)
    {
        core.quota.refused.fetch_add(1, Relaxed);
        return Error::OverQuota(over);
    }
    error.into()
}

/// What the records of some owners change by.
#[derive(Default)]
pub struct Changes(BTreeMap<Option<UserId>, [i64; 2]>);

impl Changes {
    /// An owner has so many more records, and so many more bytes.
    pub fn add(&mut self, owner: Option<UserId>, records: i64, bytes: i64) {
        let sums = self.0.entry(owner).or_default();
        sums[0] += records;
        sums[1] += bytes;
    }

    /// Into the batch of what `caller` does: all that admins do may be done, and counts.
    pub fn stage(self, core: &Core, caller: &Caller, batch: &mut Batch) {
        let max = |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX);
        let max = if caller.is_admin() { [i64::MAX; 2] } else { [max(core.quota.records), max(core.quota.bytes)] };
        for (owner, sums) in self.0.into_iter().filter(|(_, sums)| *sums != [0; 2]) {
            let additions = [0, 1].map(|i| Addition { by: sums[i], max: max[i] });
            batch.add_up_to(keyspace::usage(owner), additions);
        }
    }
}

/// The bytes that a stored record counts for.
pub fn counted_size(json: &[u8], updated_at: Option<&str>) -> i64 {
    let counted = json.len().saturating_sub(updated_at.map_or(0, str::len));
    i64::try_from(counted).unwrap_or(i64::MAX)
}

/// What a user has and may have.
pub async fn of(core: &Core, id: UserId, is_admin: bool) -> Result<Usage> {
    let kept = core.store.get(&keyspace::usage(Some(id))).await?;
    let kept: [i64; 2] = kept.as_ref().and_then(counters).unwrap_or_default();
    let [records, bytes] = kept.map(|sum| u64::try_from(sum).unwrap_or(0));
    let [max_records, max_bytes] = if is_admin { [None; 2] } else { [core.quota.records, core.quota.bytes] };
    Ok(Usage { records, bytes, max_records, max_bytes })
}

/// Why what the owners have could not be counted.
#[derive(Debug, Error)]
pub enum CountError {
    /// Something cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The counts could not be written.
    #[error("what every owner has could not be written: {0}")]
    Commit(#[from] CommitError),
    /// Nor that they are there.
    #[error("what every owner has could not be written: {0}")]
    Format(#[from] std::io::Error),
}

/// Counts once in a store that an earlier version made. Whoever opens a store calls it before anything else.
pub async fn upgrade(store: &Store) -> std::result::Result<(), CountError> {
    if store.format() < FORMAT {
        tracing::info!("counting what every owner has, once, in a store of an earlier version");
        recount(store).await?;
        // Cut off before this, it is counted again.
        store.raise_format()?;
    }
    Ok(())
}

/// What stands in a record, as far as it is counted.
#[derive(Deserialize)]
struct Counted {
    owner: Option<UserId>,
    updated_at: Option<String>,
}

/// Counts anew from the records, and writes what is kept otherwise. Nobody else may write meanwhile.
pub async fn recount(store: &Store) -> std::result::Result<(), CountError> {
    let snapshot = store.snapshot().await?;
    let mut due: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::all_records()));
    while let Some(page) = pages.next().await? {
        for (_, entry) in page {
            // `coffer check` tells of one that cannot be read.
            let Ok(Counted { owner, updated_at }) = serde_json::from_slice(&entry.value) else { continue };
            let sums = due.entry(keyspace::usage(owner)).or_insert_with(|| vec![0; 2]);
            sums[0] += 1;
            sums[1] += counted_size(&entry.value, updated_at.as_deref());
        }
    }
    let collections = snapshot.scan(Scan::prefix(&keyspace::collections())).await?.len();
    due.insert(keyspace::collection_count(), vec![i64::try_from(collections).unwrap_or(i64::MAX)]);
    let mut kept = snapshot.scan(Scan::prefix(&keyspace::usages())).await?;
    kept.extend(snapshot.scan(Scan::prefix(&keyspace::collection_count())).await?);
    let mut batch = Batch::new();
    for (key, entry) in kept {
        match due.remove(&key) {
            Some(sums) if bytes(&sums) == entry.value => {}
            Some(sums) => {
                batch.put(key, bytes(&sums));
            }
            None => {
                batch.delete(key);
            }
        }
    }
    for (key, sums) in due.into_iter().filter(|(_, sums)| sums.iter().any(|sum| *sum != 0)) {
        batch.put(key, bytes(&sums));
    }
    // An empty batch changes nothing, and takes no version.
    store.commit(batch).await?;
    Ok(())
}

fn bytes(sums: &[i64]) -> Vec<u8> {
    sums.iter().flat_map(|sum| sum.to_be_bytes()).collect()
}
