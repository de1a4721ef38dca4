//! Batches that wait for the committer, and what else it is to do.

use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::sled::{NotRewritten, Rewrite};
use crate::{
    Batch, CommitError, CompactError, Compacted, Version,
    waiting::{Line, Waiting},
};

/// How long the committer has nothing to do before it is told so.
const LOOK: Duration = Duration::from_secs(1);

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
    /// A reader met a full disk, with the files as they were opened that time.
    Full(u64),
    /// Nothing has come for a while.
    Idle,
}

pub(super) struct Queue {
    tasks: Mutex<Tasks>,
    arrived: Condvar,
}

struct Tasks {
    batches: Line,
    compactions: VecDeque<CompactAnswer>,
    copied: Option<(Rewrite, Result<(), NotRewritten>)>,
    swept: bool,
    full: Option<u64>,
}

impl Queue {
    pub(super) fn new(max_batches: usize, max_bytes: usize) -> Queue {
        let batches = Line::new(max_batches, max_bytes);
        let tasks = Tasks { batches, compactions: VecDeque::new(), copied: None, swept: false, full: None };
        Queue { tasks: Mutex::new(tasks), arrived: Condvar::new() }
    }

    /// Lines up a batch. One that is larger than the bound is still taken when nothing waits.
    pub(super) fn push(&self, batch: Batch) -> Result<oneshot::Receiver<Result<Version, CommitError>>, CommitError> {
        let answered = self.tasks().batches.push(batch)?;
        self.arrived.notify_one();
        Ok(answered)
    }

    /// Asks for space to be given back.
    pub(super) fn push_compaction(&self) -> Result<oneshot::Receiver<Result<Compacted, CompactError>>, CompactError> {
        let (answer, answered) = oneshot::channel();
        let mut tasks = self.tasks();
        if tasks.batches.is_closed {
            return Err(CompactError::Stopped);
        }
        tasks.compactions.push_back(answer);
        drop(tasks);
        self.arrived.notify_one();
        Ok(answered)
    }

    /// Hands over what was copied.
    pub(super) fn push_copied(&self, rewrite: Rewrite, outcome: Result<(), NotRewritten>) {
        self.tasks().copied = Some((rewrite, outcome));
        self.arrived.notify_one();
    }

    /// Says that the sweeping is over.
    pub(super) fn push_swept(&self) {
        self.tasks().swept = true;
        self.arrived.notify_one();
    }

    /// Says that a reader met a full disk.
    pub(super) fn push_full(&self, opening: u64) {
        let mut tasks = self.tasks();
        tasks.full = tasks.full.max(Some(opening));
        drop(tasks);
        self.arrived.notify_one();
    }

    /// Nothing more is taken.
    pub(super) fn is_closed(&self) -> bool {
        self.tasks().batches.is_closed
    }

    /// Waits for work and takes the next; `None` when the queue is closed and empty. Once there is one batch, it waits as long as
    /// `patience` for `expected` of them.
    pub(super) fn take(&self, expected: usize, patience: Duration) -> Option<Work> {
        let none = |tasks: &mut Tasks| {
            tasks.batches.is_empty()
                && tasks.compactions.is_empty()
                && tasks.copied.is_none()
                && !tasks.swept
                && tasks.full.is_none()
                && !tasks.batches.is_closed
        };
        let waited = self.arrived.wait_timeout_while(self.tasks(), LOOK, none);
        let (mut tasks, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Some(Work::Idle);
        }
        if let Some(opening) = tasks.full.take() {
            return Some(Work::Full(opening));
        }
        if let Some((rewrite, outcome)) = tasks.copied.take() {
            return Some(Work::Copied(rewrite, outcome));
        }
        if mem::take(&mut tasks.swept) {
            return Some(Work::Swept);
        }
        if let Some(answer) = tasks.compactions.pop_front() {
            return Some(Work::Compact(answer));
        }
        let few = |tasks: &mut Tasks| tasks.batches.len() < expected && !tasks.batches.is_closed;
        let waited = self.arrived.wait_timeout_while(tasks, patience, few);
        let (mut tasks, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let group = tasks.batches.group();
        (!group.is_empty()).then_some(Work::Group(group))
    }

    /// The batches that wait, for which there is no room.
    pub(super) fn drain_batches(&self) -> Vec<Waiting> {
        self.tasks().batches.drain()
    }

    /// How many batches wait.
    pub(super) fn len(&self) -> usize {
        self.tasks().batches.len()
    }

    /// Takes no more batches; what waits can still be taken.
    pub(super) fn close(&self) {
        self.tasks().batches.is_closed = true;
        self.arrived.notify_one();
    }

    /// Everything that still waits.
    pub(super) fn drain(&self) -> Vec<Waiting> {
        let mut tasks = self.tasks();
        // Whoever waits for a compaction is told by the end of the channel.
        tasks.compactions.clear();
        tasks.batches.drain()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
