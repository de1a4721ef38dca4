//! Giving disk space back to the system: it goes on when nobody waits for it, and how it stands is known until the server ends. It is no operation, since it
//! is of one process's files.

mod last;

use std::sync::Arc;

use common::{endpoints::storage::Compaction, operation::OperationState};
use logging::in_current_request;
use store::{CompactError, Compacted};
use tokio::time::timeout;

use super::{
    core::Core,
    error::{Error, Result},
    operations::PATIENCE,
};

pub use last::LastCompaction;

/// Compacts the store, or says how that stands where it takes longer.
pub async fn compact(core: &Core) -> Result<Compaction> {
    let (store, last) = (core.store.clone(), Arc::clone(&core.last_compaction));
    {
        let mut known = last.known();
        known.running += 1;
        known.before = store.disk_bytes().unwrap_or_default();
    }
    let running = tokio::spawn(in_current_request(async move {
        let compacted = store.compact().await;
        let mut known = last.known();
        known.running -= 1;
        known.ended = Some(compacted);
        drop(known);
        if let Err(error) = &compacted {
            tracing::warn!(%error, "the store was not compacted");
        }
        compacted
    }));
    match timeout(PATIENCE, running).await {
        Ok(Ok(Ok(compacted))) => Ok(done(&compacted)),
        Ok(Ok(Err(CompactError::Stopped))) => Err(Error::Stopped),
        Ok(Ok(Err(error))) => Err(Error::Conflict(refused(&error))),
        Ok(Err(error)) => Err(Error::caused("the compaction ended early", error)),
        Err(_) => state(core),
    }
}

/// How the last one stands.
pub fn state(core: &Core) -> Result<Compaction> {
    let known = core.last_compaction.known();
    match &known.ended {
        _ if known.running > 0 => {
            let now = core.store.disk_bytes().unwrap_or_default();
            Ok(Compaction { state: OperationState::Running, after: now, ..nothing(known.before) })
        }
        Some(Ok(compacted)) => Ok(done(compacted)),
        Some(Err(error)) => Ok(Compaction {
            state: OperationState::Failed,
            error: Some(refused(error)),
            after: known.before,
            ..nothing(known.before)
        }),
        None => {
            let now = core.store.disk_bytes()?;
            Ok(Compaction { after: now, ..nothing(now) })
        }
    }
}

fn nothing(before: u64) -> Compaction {
    Compaction {
        state: OperationState::Done,
        error: None,
        before,
        after: 0,
        free_inside: 0,
        waited_ms: 0,
        rewritten: false,
        has_erased: false,
    }
}

/// What came of one.
pub fn done(compacted: &Compacted) -> Compaction {
    Compaction {
        after: compacted.after,
        free_inside: compacted.free_inside,
        waited_ms: u64::try_from(compacted.waited.as_millis()).unwrap_or(u64::MAX),
        rewritten: compacted.rewritten,
        has_erased: compacted.has_erased,
        ..nothing(compacted.before)
    }
}

fn refused(error: &CompactError) -> String {
    format!("Nothing was changed: {error}.")
}
