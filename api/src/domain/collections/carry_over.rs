//! The records of a collection as a whole.

use common::id::RecordId;
use store::{Batch, Expect, Key, Snapshot};

use crate::domain::{
    error::{Error, Result},
    keyspace,
    numbers::CollectionNumber,
};

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
