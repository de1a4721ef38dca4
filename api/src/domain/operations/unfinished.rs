//! The operations that are not over, under one key. It bounds how many there are at once, and tells runners what there may be to do without
//! reading those that are over.

use common::id::OperationId;
use store::{Batch, Entry, Expect, Version};

use super::stored::Stored;
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
    let (entry, known) = load_all(core, |known| *known == id).await?;
    let mut known: Vec<_> =
        known.into_iter().filter(|(_, _, known)| !known.state.is_over() && !known.is_paused).collect();
    let is_like_it = |known: &Stored| known.by == begun.by && known.work.kind() == begun.work.kind();
    let like_it = known.iter().filter(|(_, _, known)| is_like_it(known)).count();
    let mut ids: Vec<OperationId> = known.drain(..).map(|(id, ..)| id).collect();
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

/// The operations that were not over when the last one began, the oldest first, without those that are passed over; and the entry that they stand in. Some may
/// be over now.
pub(super) async fn load_all(
    core: &Core,
    is_passed_over: impl Fn(&OperationId) -> bool,
) -> Result<(Option<Entry>, Vec<(OperationId, Version, Stored)>)> {
    let snapshot = core.store.snapshot().await?;
    let entry = snapshot.get(&keyspace::unfinished_operations()).await?;
    let mut ids = entry.as_ref().map_or_else(|| Ok(Vec::new()), parse)?;
    ids.retain(|id| !is_passed_over(id));
    let keys: Vec<_> = ids.iter().map(|id| keyspace::operation(*id)).collect();
    let mut all = Vec::with_capacity(ids.len());
    for (id, found) in ids.into_iter().zip(snapshot.get_many(&keys).await?) {
        if let Some(found) = found {
            all.push((id, found.version, Stored::parse(&found)?));
        }
    }
    Ok((entry, all))
}

/// Reads the list.
pub(super) fn parse(entry: &Entry) -> Result<Vec<OperationId>> {
    Ok(serde_json::from_slice(&entry.value)?)
}
