//! Where a new record comes to stand: under a new id, or under the number that an admin brings with it, from a database that it was in.

use common::{access::Caller, collection::Ids, id::RecordId, problem::FieldError, record::Record};
use store::{Entry, Snapshot};

use crate::domain::{core::Core, error::Result, keyspace, new_ids, schema::Schema};

/// The number that an admin's body brings for a new record; `None` where it is given one. From others, and in a collection that has UUIDs,
/// the member counts for nothing, as with any that is read-only.
pub(super) fn brought_id(
    caller: &Caller,
    schema: &Schema,
    body: &Record,
) -> std::result::Result<Option<RecordId>, FieldError> {
    let ids = schema.collection.ids;
    if ids == Ids::Uuid || !caller.is_admin() { Ok(None) } else { ids.asked(body.get("id")) }
}

/// Where a new record comes to stand.
pub(super) struct NewIdentity {
    pub id: RecordId,
    /// When it was made.
    pub at: String,
    /// A record is there.
    pub is_taken: bool,
    /// One was there.
    pub tombstone: Option<Entry>,
}

impl NewIdentity {
    /// Of the record with this id, or of one that gets a new id.
    pub(super) async fn of(
        core: &Core,
        snapshot: &Snapshot,
        schema: &Schema,
        brought: Option<RecordId>,
    ) -> Result<Self> {
        let Some(id) = brought else {
            let (id, at) = new_ids::next(core, schema).await?;
            return Ok(Self { id, at, is_taken: false, tombstone: None });
        };
        let keys = [keyspace::record(schema.number(), id), keyspace::tombstone(schema.number(), id)];
        let mut found = snapshot.get_many(&keys).await?.into_iter();
        let is_taken = found.next().flatten().is_some();
        Ok(Self { id, at: core.timestamp(), is_taken, tombstone: found.next().flatten() })
    }
}
