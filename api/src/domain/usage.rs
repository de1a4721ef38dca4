//! What every owner has: how many records and how many bytes, kept in one entry beside the records. `stage` adds to it in the commit that changes a record, the store's committer holds it under
//! the quota, `check` compares it with the records. Also how many collections there may be.
//!
//! The bytes are those of a record's JSON, without what the server stamps anew with each change (`revision`, `updated_at`), so
//! that a change that makes a record no longer never meets a quota. Indexes and the journal are left out: nobody could bring
//! those down by deleting. Records that nobody owns count together.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

use common::{access::Caller, id::UserId, user::Usage};
use store::{Addition, Batch, CommitError, counters};

use super::{
    core::Core,
    error::{Error, Result},
    keyspace,
    numbers::OwnerNumber,
    quota::OverQuota,
};

/// The error of a commit that was made for `caller`.
pub(super) fn commit_error(core: &Core, caller: &Caller, error: CommitError) -> Error {
    if let CommitError::Full { key, found, additions } = &error
        && let Some(over) =
            OverQuota::of(key, found, additions, caller.user_id().and_then(|user| core.owners.known(user)))
    {
        core.quota.refused.fetch_add(1, Relaxed);
        return Error::OverQuota(over);
    }
    error.into()
}

/// What the records of some owners change by.
#[derive(Default)]
pub struct Changes(BTreeMap<Option<OwnerNumber>, [i64; 2]>);

impl Changes {
    /// An owner has so many more records, and so many more bytes.
    pub fn add(&mut self, owner: Option<OwnerNumber>, records: i64, bytes: i64) {
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

/// What a user has and may have.
pub async fn of(core: &Core, id: UserId, is_admin: bool) -> Result<Usage> {
    let snapshot = core.store.snapshot().await?;
    let kept = match core.owners.number(&snapshot, id).await? {
        Some(owner) => snapshot.get(&keyspace::usage(Some(owner))).await?,
        None => None,
    };
    let kept: [i64; 2] = kept.as_ref().and_then(counters).unwrap_or_default();
    let [records, bytes] = kept.map(|sum| u64::try_from(sum).unwrap_or(0));
    let [max_records, max_bytes] = if is_admin { [None; 2] } else { [core.quota.records, core.quota.bytes] };
    Ok(Usage { records, bytes, max_records, max_bytes })
}
