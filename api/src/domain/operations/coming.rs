//! A definition that is coming, as a write meets it that does not fit: the change ends in the batch of that write.

use common::{
    id::{OperationId, RecordId},
    operation::{InvalidRecords, Misfit, OperationState},
    problem::{FieldError, FieldErrors},
};
use store::{Batch, Expect};

use super::stored::{Work, load};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    schema::{Schema, StoredDefinition},
};

/// Records that are told as examples of those that do not fit.
const MAX_EXAMPLES: usize = 5;

/// Notes a record that does not fit.
pub fn push(misfits: &mut InvalidRecords, id: RecordId, errors: FieldErrors) {
    misfits.count += 1;
    if misfits.count > MAX_EXAMPLES as u64 {
        return;
    }
    for (field, faults) in errors.0 {
        for FieldError { code, message, .. } in faults {
            let (code, message) = (code.to_string(), message.clone());
            misfits.examples.push(Misfit { id, field: field.clone(), code, message });
        }
    }
}

/// The definition in force by itself, as it was shown before; what was made for the coming one is removed later.
pub(super) fn stage_without_coming(batch: &mut Batch, schema: &Schema) -> Result<()> {
    let definition = StoredDefinition::without_coming(schema);
    let key = keyspace::collection(&schema.collection.name);
    batch.expect(key.clone(), Expect::Version(schema.version)).put(key, serde_json::to_vec(&definition)?);
    Ok(())
}

/// Ends the change of a definition that a write does not fit, in the batch of that write.
pub async fn end_change(
    core: &Core,
    batch: &mut Batch,
    schema: &Schema,
    operation: OperationId,
    id: RecordId,
    errors: FieldErrors,
) -> Result<()> {
    if let Some((version, mut stored)) = load(core, operation).await?
        && !stored.state.is_over()
    {
        if let Work::Redefine(work) = &mut stored.work {
            work.note_misfit(id, errors);
            if work.skips {
                // At its end it leaves these fields as they are.
                let key = keyspace::operation(operation);
                batch.expect(key.clone(), Expect::Version(version)).put(key, stored.to_bytes()?);
                return Ok(());
            }
            stored.error = Some(format!("A record was written meanwhile that does not fit. {}", work.misfits));
        }
        stored.end(OperationState::Failed, core.timestamp());
        let key = keyspace::operation(operation);
        batch.expect(key.clone(), Expect::Version(version)).put(key, stored.to_bytes()?);
    }
    stage_without_coming(batch, schema)
}
