//! Batches that wait for an engine's committer, in the order in which they came: bounded by count and by bytes, so that a slow disk or
//! database shows as `Busy` at once and not as memory that grows.

use std::{collections::VecDeque, time::Instant};

use tokio::sync::oneshot;

use crate::{Batch, CommitError, Version};

/// A group takes no more than this, so that the first to arrive does not wait for all, and readers
/// are not kept out for long while a group enters the backend.
const GROUP_BATCHES: usize = 1024;
const GROUP_BYTES: usize = 2 << 20;
/// The engine on disk keeps a copy of the page for each entry until the group is in, about 6 KiB.
const GROUP_ENTRIES: usize = 20_000;

/// Whom to tell what became of a batch.
type Answer = oneshot::Sender<Result<Version, CommitError>>;

/// A batch that waits.
pub(crate) struct Waiting {
    pub batch: Batch,
    pub bytes: usize,
    pub since: Instant,
    pub answer: Answer,
}

impl Waiting {
    pub(crate) fn answer(self, outcome: Result<Version, CommitError>) {
        // A caller that went away has no use for the answer.
        let _ = self.answer.send(outcome);
    }
}

/// All that wait.
pub(crate) struct Line {
    max_batches: usize,
    max_bytes: usize,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Nothing more is taken; what waits can still be committed.
    pub is_closed: bool,
}

impl Line {
    pub(crate) fn new(max_batches: usize, max_bytes: usize) -> Line {
        Line { max_batches, max_bytes, waiting: VecDeque::new(), bytes: 0, is_closed: false }
    }

    /// Lines up a batch. One that is larger than the bound is still taken when nothing waits.
    pub(crate) fn push(
        &mut self,
        batch: Batch,
    ) -> Result<oneshot::Receiver<Result<Version, CommitError>>, CommitError> {
        let bytes = batch.bytes();
        if self.is_closed {
            return Err(CommitError::Stopped);
        }
        let is_full = self.waiting.len() >= self.max_batches || self.bytes + bytes > self.max_bytes;
        if is_full && !self.waiting.is_empty() {
            return Err(CommitError::Busy);
        }
        let (answer, answered) = oneshot::channel();
        self.bytes += bytes;
        self.waiting.push_back(Waiting { batch, bytes, since: Instant::now(), answer });
        Ok(answered)
    }

    /// The next group; empty where nothing waits.
    pub(crate) fn group(&mut self) -> Vec<Waiting> {
        let (mut bytes, mut entries, mut group) = (0, 0, Vec::new());
        while let Some(next) = self.waiting.front() {
            entries += next.batch.entries();
            let has_room = group.len() < GROUP_BATCHES && bytes + next.bytes <= GROUP_BYTES && entries <= GROUP_ENTRIES;
            if !group.is_empty() && !has_room {
                break;
            }
            bytes += next.bytes;
            group.extend(self.waiting.pop_front());
        }
        self.bytes -= bytes;
        group
    }

    /// How many batches wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Everything that still waits.
    pub(crate) fn drain(&mut self) -> Vec<Waiting> {
        self.bytes = 0;
        self.waiting.drain(..).collect()
    }
}
