//! Batches that wait for the committer: bounded by count and by bytes, so that a slow disk shows
//! as `Busy` at once and not as memory that grows.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::{Batch, CommitError, Version};

/// A group takes no more than this, so that the first to arrive does not wait for all, and readers
/// are not kept out for long while a group enters the backend.
const GROUP_BATCHES: usize = 1024;
const GROUP_BYTES: usize = 2 << 20;

type Answer = oneshot::Sender<Result<Version, CommitError>>;

pub(super) struct Waiting {
    pub batch: Batch,
    pub bytes: usize,
    pub since: Instant,
    pub answer: Answer,
}

impl Waiting {
    pub(super) fn answer(self, outcome: Result<Version, CommitError>) {
        // A caller that went away has no use for the answer.
        let _ = self.answer.send(outcome);
    }
}

pub(super) struct Queue {
    max_batches: usize,
    max_bytes: usize,
    line: Mutex<Line>,
    arrived: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn new(max_batches: usize, max_bytes: usize) -> Queue {
        Queue { max_batches, max_bytes, line: Mutex::default(), arrived: Condvar::new() }
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

    /// Waits for batches and takes the next group; `None` when the queue is closed and empty. Once
    /// there is one batch, it waits as long as `patience` for `expected` of them.
    pub(super) fn take_group(&self, expected: usize, patience: Duration) -> Option<Vec<Waiting>> {
        let none = |line: &mut Line| line.waiting.is_empty() && !line.closed;
        let line = self.arrived.wait_while(self.line(), none);
        let few = |line: &mut Line| line.waiting.len() < expected && !line.closed;
        let line = line.unwrap_or_else(PoisonError::into_inner);
        let line = self.arrived.wait_timeout_while(line, patience, few);
        let (mut line, _) = line.unwrap_or_else(PoisonError::into_inner);
        let mut bytes = 0;
        let mut group = Vec::new();
        while let Some(next) = line.waiting.front()
            && (group.is_empty() || (group.len() < GROUP_BATCHES && bytes + next.bytes <= GROUP_BYTES))
        {
            bytes += next.bytes;
            group.extend(line.waiting.pop_front());
        }
        line.bytes -= bytes;
        (!group.is_empty()).then_some(group)
    }

    /// How many batches wait.
    pub(super) fn len(&self) -> usize {
        self.line().waiting.len()
    }

    /// Takes no more batches; what waits can still be taken.
    pub(super) fn close(&self) {
        self.line().closed = true;
        self.arrived.notify_one();
    }

    /// Everything that still waits.
    pub(super) fn drain(&self) -> Vec<Waiting> {
        let mut line = self.line();
        line.bytes = 0;
        line.waiting.drain(..).collect()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
