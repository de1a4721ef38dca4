//! The beginning of an operation, in a batch that may do more: what is done at once and what is left for later are in one commit then.

use common::{
    change::{Change, Subject, Verb},
    id::OperationId,
};
use serde_json::{Value, json};
use store::{Batch, Expect, Reserve};

use super::{
    erase::{Erase, EraseTarget},
    stored::{Stored, Work},
    unfinished,
};
use crate::domain::{
    core::Core,
    error::Result,
    journal::{self, Actor},
    keyspace,
};

/// The journal's entry of an operation that begins, where more is told of it than what it does.
pub(super) fn told(core: &Core, by: Actor<'_>, id: OperationId, details: Value) -> Change {
    by.entry(core, Subject::Operation, &id, Verb::Start).values(Value::Null, details)
}

/// Notes in `batch` that an operation begins. Says whether others are to be done before it. What may be done while the disk is nearly full is
/// for the batch to say.
pub(super) async fn stage(
    core: &Core,
    id: OperationId,
    stored: &Stored,
    told: Option<&Change>,
    batch: &mut Batch,
) -> Result<bool> {
    let key = keyspace::operation(id);
    batch.expect(key.clone(), Expect::Absent).put(key, stored.to_bytes()?);
    if let Some(told) = told {
        batch.append(journal::bytes(told));
    }
    unfinished::begin(core, id, stored, batch).await
}

/// Notes in `batch`, which removes what something is now, that the journal is to forget it as the operation `id`.
pub(in crate::domain) async fn stage_erasing(
    core: &Core,
    by: Actor<'_>,
    id: OperationId,
    what: EraseTarget,
    batch: &mut Batch,
) -> Result<()> {
    let told = told(core, by, id, json!({"kind": "erase", "of": what.word()}));
    let stored = Stored::new(Work::Erase(Erase::new(what)), None, core.timestamp(), by.caller.user_id());
    stage(core, id, &stored, Some(&told), batch.use_reserve(Reserve::Most).erase()).await?;
    Ok(())
}
