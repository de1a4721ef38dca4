//! `/api/storage/`.

use common::endpoints::storage::{self as endpoints, Compaction};

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Error, Result};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::Compact, _, _>(compact);
}

async fn compact(context: Context, input: Input<endpoints::Compact>) -> Result<Reply<endpoints::Compact>> {
    tracing::info!(user = %input.session()?.user.id, address = %input.origin.address, "the store is being compacted");
    let compacted = context.app.core().store.compact().await.map_err(|error| match error {
        store::CompactError::NoRoom { .. } | store::CompactError::NoFiles | store::CompactError::Elsewhere => {
            Error::Conflict(format!("Nothing was changed: {error}."))
        }
        store::CompactError::Stopped => Error::Stopped,
    })?;
    Reply::new(&Compaction {
        before: compacted.before,
        after: compacted.after,
        free_inside: compacted.free_inside,
        waited_ms: u64::try_from(compacted.waited.as_millis()).unwrap_or(u64::MAX),
        rewritten: compacted.rewritten,
        has_erased: compacted.has_erased,
    })
}
