//! What undoing did, as it is told.

use common::{
    id::OperationId,
    operation::OperationState,
    undo::{NotRestored, Reverted},
};

use crate::domain::journal::summary::Counts;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub counts: Counts,
    pub skipped: u64,
    pub not_restored: Vec<NotRestored>,
}

/// As it is sent: `operation` undid `reverts`.
pub(super) fn reverted(operation: OperationId, reverts: OperationId, state: OperationState, done: Done) -> Reverted {
    let Done { counts, skipped, not_restored } = done;
    Reverted { operation, reverts, state, count: counts.total(), counts: counts.into_inner(), skipped, not_restored }
}
