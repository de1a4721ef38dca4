//! The one writer. It gathers the batches that wait, lets a group of them through, makes the group
//! durable in one step, and only then answers all of them: 64 writers cost one sync of the disk.
//!
//! What a batch may change is decided in `group`; how bytes reach the disk, in the engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::engine::{ApplyError, Engine, State};
use super::error::{CommitError, Failure};
use super::group::Group;
use super::queue::{Queue, Waiting};
use super::ranks::Ranks;
use super::snapshot::Generation;
use super::spaces::Spaces;
use super::{Batch, Key, Stats, Version};

/// The longest that a batch waits for others to join it.
const MAX_PATIENCE: Duration = Duration::from_millis(1);

/// What the store's handles, its snapshots and the committer's thread have in common.
pub(super) struct Shared {
    pub engine: Engine,
    pub queue: Queue,
    /// The last group that is on disk. Readers start here; its version wakes who waits for news.
    pub current: watch::Sender<Arc<Generation>>,
    /// Set once, when the store can write no more.
    pub failure: watch::Sender<Option<Failure>>,
    /// True once the committer has ended.
    pub ended: watch::Sender<bool>,
    pub stats: Stats,
}

impl Shared {
    pub fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.current.borrow())
    }

    fn fail(&self, reason: String) {
        self.queue.close();
        let durable = self.current().version;
        tracing::error!(%durable, %reason, "the store stopped writing");
        self.failure.send_replace(Some(Failure { durable, reason }));
    }
}

/// The committer's thread: runs until the queue is closed and empty, or a write fails.
pub(super) fn run(shared: &Shared, state: State, ranks: Ranks, spaces: Arc<Spaces>) {
    let work = AssertUnwindSafe(|| commit_groups(shared, state, ranks, spaces));
    match catch_unwind(work) {
        Ok(Ok(())) => {}
        Ok(Err(ApplyError { reason })) => shared.fail(reason),
        Err(_) => shared.fail("the engine panicked".to_owned()),
    }
    for waiting in shared.queue.drain() {
        waiting.answer(Err(CommitError::Stopped));
    }
    shared.ended.send_replace(true);
}

fn commit_groups(
    shared: &Shared,
    mut state: State,
    mut ranks: Ranks,
    mut spaces: Arc<Spaces>,
) -> Result<(), ApplyError> {
    let (mut expected, mut patience) = (1, Duration::ZERO);
    while let Some(waiting) = shared.queue.take_group(expected, patience) {
        let bytes = waiting.iter().map(|waiting| waiting.bytes).sum();
        if !shared.engine.has_room_for(bytes) {
            shared.stats.refused.fetch_add(waiting.len() as u64, Relaxed);
            for waiting in waiting {
                waiting.answer(Err(CommitError::DiskFull));
            }
            continue;
        }
        let (started, count) = (Instant::now(), waiting.len());
        ranks.divide(&shared.engine);
        (state, ranks, spaces) = commit_group(shared, state, ranks, spaces, waiting)?;
        // Whoever was answered may be back in a moment with the next batch. To wait for that moment
        // keeps busy writers together; else they split in two halves that take turns, each waiting
        // for the other's sync. One writer alone is never waited for.
        expected = count + shared.queue.len();
        patience = (started.elapsed() / 8).min(MAX_PATIENCE);
    }
    Ok(())
}

fn commit_group(
    shared: &Shared,
    state: State,
    ranks: Ranks,
    spaces: Arc<Spaces>,
    waiting: Vec<Waiting>,
) -> Result<(State, Ranks, Arc<Spaces>), ApplyError> {
    let mut group = Group::new(&shared.engine, state, ranks, spaces);
    shared.stats.group_sizes.observe(waiting.len() as u64);
    let (answers, outcomes): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .map(|Waiting { batch, answer, since, .. }: Waiting| ((answer, since), group.admit(batch)))
        .unzip();
    let Group { state: after, ranks, spaces, writes, undo, .. } = group;
    if after != state {
        let generation = Arc::new(Generation::new(after.version, undo, ranks.clone(), Arc::clone(&spaces)));
        // From here on readers of the current generation look through the new one's undo.
        let linked = shared.current().next.set(Arc::clone(&generation)).is_ok();
        debug_assert!(linked, "only the committer links generations");
        shared.engine.apply(writes.into_iter(), after)?;
        shared.stats.groups.fetch_add(1, Relaxed);
        shared.current.send_replace(generation);
    }
    // Refusals wait as well: they may rest on a batch of this group, and so tell of it.
    for ((answer, since), outcome) in answers.into_iter().zip(outcomes) {
        let count = if outcome.is_ok() { &shared.stats.committed } else { &shared.stats.refused };
        count.fetch_add(1, Relaxed);
        shared.stats.commit_time.observe_time(since.elapsed());
        // A caller that went away has no use for the answer.
        let _ = answer.send(outcome);
    }
    Ok((after, ranks, spaces))
}

impl Shared {
    pub async fn commit(&self, batch: Batch) -> Result<Version, CommitError> {
        if let Some(key) = batch.written_keys().find(|key| key.as_bytes().len() > Key::MAX_BYTES) {
            return Err(CommitError::KeyTooLong { key: key.clone() });
        }
        let answer = self.queue.push(batch)?;
        // Without an answer the committer ended first.
        answer.await.unwrap_or(Err(CommitError::Stopped))
    }
}
