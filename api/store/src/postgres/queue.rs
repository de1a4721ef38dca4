//! Batches that wait for the committer.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};

use crate::{
    Batch, CommitError, Version,
    waiting::{Line, Waiting},
};

pub(super) struct Queue {
    line: Mutex<Line>,
    arrived: Notify,
}

impl Queue {
    pub(super) fn new(max_batches: usize, max_bytes: usize) -> Queue {
        Queue { line: Mutex::new(Line::new(max_batches, max_bytes)), arrived: Notify::new() }
    }

    /// Lines up a batch. One that is larger than the bound is still taken when nothing waits.
    pub(super) fn push(&self, batch: Batch) -> Result<oneshot::Receiver<Result<Version, CommitError>>, CommitError> {
        let answered = self.line().push(batch)?;
        self.arrived.notify_one();
        Ok(answered)
    }

    /// The next group, `None` when the queue is closed and empty. Where fewer than `expected` wait, others are given a moment to join.
    pub(super) async fn take(&self, expected: usize, patience: Duration) -> Option<Vec<Waiting>> {
        self.until(|line| !line.is_empty() || line.is_closed).await;
        // Late is no harm: the group is smaller then.
        let _ = timeout(patience, self.until(|line| line.len() >= expected || line.is_closed)).await;
        let group = self.line().group();
        (!group.is_empty()).then_some(group)
    }

    /// Waits until the line is as wanted.
    async fn until(&self, is_so: impl Fn(&Line) -> bool) {
        while !is_so(&self.line()) {
            self.arrived.notified().await;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.line().len()
    }

    /// Takes no more batches; what waits can still be taken.
    pub(super) fn close(&self) {
        self.line().is_closed = true;
        self.arrived.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.line().is_closed
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
