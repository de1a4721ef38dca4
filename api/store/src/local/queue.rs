//! Batches that wait for the committer: bounded by count and by bytes, so that a slow disk shows
//! as `Busy` at once and not as memory that grows.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::sled::{NotRewritten, Rewrite};
use crate::{Batch, CommitError, CompactError, Compacted, Version};

/// A group takes no more than this, so that the first to arrive does not wait for all, and readers
/// are not kept out for long while a group enters the backend.
const GROUP_BATCHES: usize = 1024;
const GROUP_BYTES: usize = 2 << 20;

/// How long the committer has nothing to do before it is told so.
const LOOK: Duration = Duration::from_secs(1);

type Answer = oneshot::Sender<Result<Version, CommitError>>;

/// Whom to tell what became of a compaction.
pub(super) type CompactAnswer = oneshot::Sender<Result<Compacted, CompactError>>;

/// What the committer is to do next.
pub(super) enum Work {
    /// Commit these.
    Group(Vec<Waiting>),
    /// Give space back to the system.
    Compact(CompactAnswer),
    /// Everything was copied into a new database, or why it was not.
    Copied(Rewrite, Result<(), NotRewritten>),
    /// What stands in parts of the files that are nearly empty was moved together.
    Swept,
    /// Nothing has come for a while.
    Idle,
}

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
    compactions: VecDeque<CompactAnswer>,
    copied: Option<(Rewrite, Result<(), NotRewritten>)>,
    swept: bool,
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

    /// Asks for space to be given back.
    pub(super) fn push_compaction(&self) -> Result<oneshot::Receiver<Result<Compacted, CompactError>>, CompactError> {
        let (answer, answered) = oneshot::channel();
        let mut line = self.line();
        if line.closed {
            return Err(CompactError::Stopped);
        }
        line.compactions.push_back(answer);
        drop(line);
        self.arrived.notify_one();
        Ok(answered)
    }

    /// Hands over what was copied.
    pub(super) fn push_copied(&self, rewrite: Rewrite, outcome: Result<(), NotRewritten>) {
        self.line().copied = Some((rewrite, outcome));
        self.arrived.notify_one();
    }

    /// Says that the sweeping is over.
    pub(super) fn push_swept(&self) {
        self.line().swept = true;
        self.arrived.notify_one();
    }

    /// Nothing more is taken.
    pub(super) fn is_closed(&self) -> bool {
        self.line().closed
    }

    /// Waits for work and takes the next; `None` when the queue is closed and empty. Once there is one batch, it waits as long as
    /// `patience` for `expected` of them.
    pub(super) fn take(&self, expected: usize, patience: Duration) -> Option<Work> {
        let none = |line: &mut Line| {
            line.waiting.is_empty()
                && line.compactions.is_empty()
                && line.copied.is_none()
                && !line.swept
                && !line.closed
        };
        let line = self.arrived.wait_timeout_while(self.line(), LOOK, none);
        let (mut line, waited) = line.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Some(Work::Idle);
        }
        if let Some((rewrite, outcome)) = line.copied.take() {
            return Some(Work::Copied(rewrite, outcome));
        }
        if mem::take(&mut line.swept) {
            return Some(Work::Swept);
        }
        if let Some(answer) = line.compactions.pop_front() {
            return Some(Work::Compact(answer));
        }
        let few = |line: &mut Line| line.waiting.len() < expected && !line.closed;
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
        (!group.is_empty()).then_some(Work::Group(group))
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
        // Whoever waits for a compaction is told by the end of the channel.
        line.compactions.clear();
        line.waiting.drain(..).collect()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
