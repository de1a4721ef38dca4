//! The operations that are not over, under one key. It bounds how many there are at once, and tells runners what there may be to do without
//! reading those that are over.

use common::id::OperationId;
use store::{Batch, Entry, Expect};

use super::stored::{Stored, load};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
};

/// How many operations may be under way or wait at once.
pub(crate) const MAX_UNFINISHED: usize = 16;

/// How many of one kind of these may be one user's, where any user may begin them: others find places left.
const MAX_OF_ONE: usize = 4;

/// Notes in `batch` that an operation begins. Says whether others are to be done before it. An operation that ends leaves this key alone, so that its pieces meet nobody there; it is
/// taken out here.
pub(super) async fn begin(core: &Core, id: OperationId, begun: &Stored, batch: &mut Batch) -> Result<bool> {
    let key = keyspace::unfinished_operations();
    let entry = core.store.get(&key).await?;
    let (mut ids, mut like_it) = (Vec::new(), 0);
    for known in entry.as_ref().map_or_else(|| Ok(Vec::new()), parse)? {
        let Some((_, stored)) = load(core, known).await? else { continue };
        if known != id && !stored.state.is_over() && !stored.is_paused {
            ids.push(known);
            like_it += usize::from(stored.by == begun.by && stored.work.kind() == begun.work.kind());
        }
    }
    if like_it >= MAX_OF_ONE && begun.work.is_anyones() {
        return Err(Error::Conflict(format!(
            "{MAX_OF_ONE} operations of this kind are under way or wait for you already. Wait until one is over, or stop one, and try again."
        )));
    }
    if ids.len() >= MAX_UNFINISHED {
        return Err(Error::Conflict(format!(
            "{MAX_UNFINISHED} operations are under way or wait already. Wait until one is over, or stop one, and try again."
        )));
    }
    let waits = !ids.is_empty();
    ids.push(id);
    batch
        .expect(key.clone(), entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version)))
        .put(key, serde_json::to_vec(&ids)?);
    Ok(waits)
}

/// The operations that were not over when the last one began, the oldest first. Some may be over now.
pub(super) async fn list(core: &Core) -> Result<Vec<OperationId>> {
    core.store.get(&keyspace::unfinished_operations()).await?.as_ref().map_or_else(|| Ok(Vec::new()), parse)
}

/// Reads the list.
pub(super) fn parse(entry: &Entry) -> Result<Vec<OperationId>> {
    Ok(serde_json::from_slice(&entry.value)?)
}
