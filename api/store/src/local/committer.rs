//! The one writer. It gathers the batches that wait, lets a group of them through, makes the group
//! durable in one step, and only then answers all of them: 64 writers cost one sync of the disk.
//!
//! Which batches are let through is decided in `group`; how bytes reach the disk, in the backend.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::backend::{ApplyError, Backend, State};
use super::generation::Generation;
use super::inner::Inner;
use super::order_statistics::OrderStatistics;
use super::queue::{Queue, Waiting};
use crate::group::{Found, Group, Write};
use crate::last_changes::LastChanges;
use crate::{CommitError, Stats};

/// The longest that a batch waits for others to join it.
const MAX_PATIENCE: Duration = Duration::from_millis(1);

/// The committer's thread, and what it keeps true from one group to the next.
pub(super) struct Committer {
    inner: Arc<Inner>,
    /// As of the last group.
    state: State,
    /// Where the keys are then.
    order: OrderStatistics,
    /// The last commit in each space then.
    last_changes: Arc<LastChanges>,
}

impl Committer {
    /// Over what was found when the backend was opened, with what it shares with everybody else.
    pub(super) fn new(backend: Backend, state: State, order: OrderStatistics, queue: Queue) -> (Arc<Inner>, Committer) {
        let last_changes = Arc::new(LastChanges::new(state.version));
        let generation = Generation::new(state.version, BTreeMap::new(), order.clone(), Arc::clone(&last_changes));
        let inner = Arc::new(Inner {
            backend,
            queue,
            current: watch::Sender::new(Arc::new(generation)),
            failure: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            stats: Stats::default(),
        });
        (Arc::clone(&inner), Committer { inner, state, order, last_changes })
    }

    /// Runs until the queue is closed and empty, or a write fails.
    pub(super) fn run(mut self) {
        let inner = Arc::clone(&self.inner);
        match catch_unwind(AssertUnwindSafe(|| self.commit_groups())) {
            Ok(Ok(())) => {}
            Ok(Err(ApplyError { reason })) => inner.fail(reason),
            Err(_) => inner.fail("the engine panicked".to_owned()),
        }
        for waiting in inner.queue.drain() {
            waiting.answer(Err(CommitError::Stopped));
        }
        inner.ended.send_replace(true);
    }

    fn commit_groups(&mut self) -> Result<(), ApplyError> {
        let inner = Arc::clone(&self.inner);
        let (mut expected, mut patience) = (1, Duration::ZERO);
        while let Some(waiting) = inner.queue.take_group(expected, patience) {
            let bytes = waiting.iter().map(|waiting| waiting.bytes).sum();
            if !inner.backend.has_room_for(bytes) {
                inner.stats.refused.fetch_add(waiting.len() as u64, Relaxed);
                for waiting in waiting {
                    waiting.answer(Err(CommitError::DiskFull));
                }
                continue;
            }
            let (started, count) = (Instant::now(), waiting.len());
            self.order.split(&inner.backend);
            self.commit_group(waiting)?;
            // A writer that was answered may be back in a moment with the next batch. Waiting for that moment
            // keeps busy writers together; else they split in two halves that take turns, each waiting
            // for the other's sync. One writer alone is never waited for.
            expected = count + inner.queue.len();
            patience = (started.elapsed() / 8).min(MAX_PATIENCE);
        }
        Ok(())
    }

    fn commit_group(&mut self, waiting: Vec<Waiting>) -> Result<(), ApplyError> {
        let (backend, stats) = (&self.inner.backend, &self.inner.stats);
        stats.group_sizes.observe(waiting.len() as u64);
        let keys = Found::keys(waiting.iter().map(|waiting| &waiting.batch));
        let entries = keys.iter().map(|key| backend.get(key)).collect();
        let found = Found::new(keys, entries);
        let mut group = Group::new(self.state.version, Arc::clone(&self.last_changes), found);
        let (answers, outcomes): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .map(|Waiting { batch, answer, since, .. }: Waiting| ((answer, since), group.admit(batch)))
            .unzip();
        if group.version > self.state.version {
            self.apply(group)?;
        }
        // Refusals wait as well: they may rest on a batch of this group, and so tell of it.
        let stats = &self.inner.stats;
        for ((answer, since), outcome) in answers.into_iter().zip(outcomes) {
            let count = if outcome.is_ok() { &stats.committed } else { &stats.refused };
            count.fetch_add(1, Relaxed);
            stats.commit_time.observe_time(since.elapsed());
            // A caller that went away has no use for the answer.
            let _ = answer.send(outcome);
        }
        Ok(())
    }

    /// Makes a group durable, and then visible.
    fn apply(&mut self, group: Group) -> Result<(), ApplyError> {
        let Group { version, last_changes, writes, .. } = group;
        (self.state.version, self.last_changes) = (version, last_changes);
        let mut undo = BTreeMap::new();
        let mut entries = Vec::with_capacity(writes.len());
        for (key, Write { before, after }) in writes {
            self.state.replace(&key, before.as_ref(), after.as_ref());
            match (&before, &after) {
                (None, Some(_)) => self.order.insert(&key),
                (Some(_), None) => self.order.remove(&key),
                _ => {}
            }
            if let Some(entry) = before {
                undo.insert(key.clone(), entry);
            }
            entries.push((key, after));
        }
        let inner = &self.inner;
        let generation = Generation::new(version, undo, self.order.clone(), Arc::clone(&self.last_changes));
        let generation = Arc::new(generation);
        // From here on readers of the current generation look through the new one's undo.
        let linked = inner.current().next.set(Arc::clone(&generation)).is_ok();
        debug_assert!(linked, "only the committer links generations");
        inner.backend.apply(entries.into_iter(), self.state)?;
        inner.stats.groups.fetch_add(1, Relaxed);
        inner.current.send_replace(generation);
        Ok(())
    }
}
