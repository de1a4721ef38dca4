//! What a process has in hand of an import that it works on: it is begun anew where another goes on.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::{Checked, Pieces, seen::Seen};
use crate::domain::{
    intake::{Prepared, Received, Unreadable},
    schema::Schema,
};

/// A file that is being taken apart.
pub(super) struct TakingApart {
    pub schema: Arc<Schema>,
    pub task: JoinHandle<Result<(Received, Prepared), Unreadable>>,
}

/// How far rows were looked at.
#[derive(Default)]
pub(super) struct LookedAt {
    pub pieces: Pieces,
    pub offset: u64,
    pub seen: Seen,
    pub checked: Checked,
}

impl Drop for TakingApart {
    fn drop(&mut self) {
        // Before it began; what has begun comes to its end, and is left there.
        self.task.abort();
    }
}
