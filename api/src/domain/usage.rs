//! What every owner has: how many records and how many bytes, kept in one entry beside the records. `stage` adds to it in the commit that changes a record, the store's committer holds it under
//! the quota, `check` compares it with the records. Also how many collections there may be.
//!
//! The bytes are those of a record's JSON, without what the server stamps anew with each change (`revision`, `updated_at`), so
//! that a change that makes a record no longer never meets a quota. Indexes are left out: nobody could bring those down by
//! deleting. Records that nobody owns count together.
//!
//! Earlier versions count for who made them, by what they hold of changed fields, apart from the records: as many bytes again.
//! Nothing is refused for them: where they are too many, the oldest versions of the record that is changed go first
//! (`journal::room`), and of what is deleted then nothing is kept.

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
pub struct Changes {
    sums: BTreeMap<Option<OwnerNumber>, [i64; 3]>,
    /// Versions are kept whether or not there is room: of the record that is changed none is left to go.
    pub has_made_room: bool,
}

impl Changes {
    /// An owner has so many more records, and so many more bytes.
    pub fn add(&mut self, owner: Option<OwnerNumber>, records: i64, bytes: i64) {
        let sums = self.sums.entry(owner).or_default();
        sums[0] += records;
        sums[1] += bytes;
    }

    /// Somebody made so many bytes of earlier versions.
    pub fn add_history(&mut self, maker: Option<OwnerNumber>, bytes: i64) {
        self.sums.entry(maker).or_default()[2] += bytes;
    }

    /// Into the batch of what `caller` does: all that admins do may be done, and counts.
    pub fn stage(self, core: &Core, caller: &Caller, batch: &mut Batch) {
        let max = |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX);
        let [records, bytes] =
            if caller.is_admin() { [i64::MAX; 2] } else { [max(core.quota.records), max(core.quota.bytes)] };
        let max = [records, bytes, if self.has_made_room { i64::MAX } else { bytes }];
        for (owner, sums) in self.sums.into_iter().filter(|(_, sums)| *sums != [0; 3]) {
            let additions = [0, 1, 2].map(|i| Addition { by: sums[i], max: max[i] });
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
    let kept: [i64; 3] = kept.as_ref().and_then(counters).unwrap_or_default();
    let [records, bytes, history_bytes] = kept.map(|sum| u64::try_from(sum).unwrap_or(0));
    let [max_records, max_bytes] = if is_admin { [None; 2] } else { [core.quota.records, core.quota.bytes] };
    Ok(Usage { records, bytes, history_bytes, max_records, max_bytes })
}
