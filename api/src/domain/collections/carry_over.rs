//! The records of a collection as a whole.

use common::id::RecordId;
use store::{Batch, Entry, Expect, Key, Scan, Snapshot};

use crate::domain::{
    error::{Error, Result},
    keyspace,
    numbers::CollectionNumber,
};

/// Records that one commit deletes at most.
const MAX_RECORDS: usize = 100_000;

/// All records of a collection, if they are few enough for one commit.
pub(super) async fn all_records(snapshot: &Snapshot, number: CollectionNumber) -> Result<Vec<(Key, Entry)>> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::records(number)).limit(MAX_RECORDS + 1)).await?;
    if entries.len() > MAX_RECORDS {
        let message = format!(
            "This collection has more than {MAX_RECORDS} records, too many to delete at once. Delete some first."
        );
        return Err(Error::Conflict(message));
    }
    Ok(entries)
}

/// The id of the record of a key.
pub(super) fn id_of(key: &Key) -> Result<RecordId> {
    keyspace::last_id(key).ok_or_else(|| Error::internal("a stored record has no id; run coffer check"))
}

/// Holds the commit back if a record was made or deleted since `snapshot`.
pub(super) async fn expect_no_new_records(
    snapshot: &Snapshot,
    batch: &mut Batch,
    number: CollectionNumber,
) -> Result<()> {
    let key = keyspace::count(number);
    let expect = snapshot.get(&key).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch.expect(key, expect);
    Ok(())
}
