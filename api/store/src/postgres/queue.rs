//! Batches that wait for the committer: bounded by count and by bytes, so that a slow database shows as `Busy` at once and not as memory
//! that grows.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::{Batch, CommitError, Version};

/// A group takes no more than this, so that the first to arrive does not wait for all.
const GROUP_BATCHES: usize = 1024;
const GROUP_BYTES: usize = 2 << 20;

pub(super) type Answer = oneshot::Sender<Result<Version, CommitError>>;

pub(super) struct Waiting {
    pub batch: Batch,
    pub bytes: usize,
    pub since: Instant,
    pub answer: Answer,
}

pub(super) struct Queue {
    max_batches: usize,
    max_bytes: usize,
    line: Mutex<Line>,
    arrived: Notify,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(max_batches: usize, max_bytes: usize) -> Queue {
        Queue { max_batches, max_bytes, line: Mutex::default(), arrived: Notify::new() }
    }

    /// Lines up a batch. One that is larger than the bound is still taken when nothing waits.
    pub(super) fn push(&self, batch: Batch) -> Result<oneshot::Receiver<Result<Version, CommitError>>, CommitError> {
        let bytes = batch.bytes();
        let (answer, answered) = oneshot::channel();
        let mut line = self.line();
        if line.closed {
            return Err(CommitError::Stopped);
        }
        let full = line.waiting.len() >= self.max_batches || line.bytes + bytes > self.max_bytes;
        if full && !line.waiting.is_empty() {
            return Err(CommitError::Busy);
        }
        line.bytes += bytes;
        line.waiting.push_back(Waiting { batch, bytes, since: Instant::now(), answer });
        drop(line);
        self.arrived.notify_one();
        Ok(answered)
    }

    /// The next group, `None` when the queue is closed and empty. Where fewer than `expected` wait, others are given a moment to join.
    pub(super) async fn take(&self, expected: usize, patience: Duration) -> Option<Vec<Waiting>> {
        self.until(|line| !line.waiting.is_empty() || line.closed).await;
        // Late is no harm: the group is smaller then.
        let _ = timeout(patience, self.until(|line| line.waiting.len() >= expected || line.closed)).await;
        let mut line = self.line();
        let (mut bytes, mut group) = (0, Vec::new());
        while let Some(next) = line.waiting.front()
            && (group.is_empty() || (group.len() < GROUP_BATCHES && bytes + next.bytes <= GROUP_BYTES))
        {
            bytes += next.bytes;
            group.extend(line.waiting.pop_front());
        }
        line.bytes -= bytes;
        (!group.is_empty()).then_some(group)
    }

    /// Waits until the line is as wanted.
    async fn until(&self, is_so: impl Fn(&Line) -> bool) {
        while !is_so(&self.line()) {
            self.arrived.notified().await;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.line().waiting.len()
    }

    /// Takes no more batches; what waits can still be taken.
    pub(super) fn close(&self) {
        self.line().closed = true;
        self.arrived.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.line().closed
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
