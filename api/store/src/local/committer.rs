//! The one writer. It gathers the batches that wait, lets a group of them through, makes the group
//! durable in one step, and only then answers all of them: 64 writers cost one sync of the disk.
//!
//! Which batches are let through is decided in `group`; how bytes reach the disk, in the backend.

mod compaction;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use base::MemoryBudget;
use tokio::sync::{RwLock, watch};

use self::compaction::{Compaction, Reopening};
use super::{
    backend::Backend,
    generation::Generation,
    held::HeldSnapshots,
    inner::Inner,
    order_statistics::OrderStatistics,
    overwritten::size,
    page::ApplyError,
    queue::{Queue, Work},
    room::Room,
    state::State,
};
use crate::{
    CommitError, Entry, Key, ReadError, ReadFault, Stats,
    group::{Group, StoredEntries, Write},
    last_changes::LastChanges,
    waiting::Waiting,
};

/// The longest that a batch waits for others to join it.
const MAX_PATIENCE: Duration = Duration::from_millis(1);

/// How long from one look for room on a full disk to the next.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(200);

/// The committer's thread, and what it keeps true from one group to the next.
pub(super) struct Committer {
    inner: Arc<Inner>,
    /// As of the last group.
    state: State,
    /// Where the keys are then.
    order: OrderStatistics,
    /// The last commit in each space then.
    last_changes: Arc<LastChanges>,
    reopening: Reopening,
    compaction: Option<Compaction>,
}

impl Committer {
    /// Over what was found when the backend was opened, with what it shares with everybody else.
    pub(super) fn new(
        backend: Backend,
        state: State,
        order: OrderStatistics,
        queue: Queue,
        memory: &MemoryBudget,
        cache: u64,
    ) -> (Arc<Inner>, Committer) {
        let last_changes = Arc::new(LastChanges::new(state.version));
        let held = HeldSnapshots::new(memory);
        let (nothing, changes) = (held.charge(0), Arc::clone(&last_changes));
        let generation = Generation::new(state.version, BTreeMap::new(), nothing, order.clone(), changes);
        let inner = Arc::new(Inner {
            backend,
            queue,
            current: watch::Sender::new(Arc::new(generation)),
            failure: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            gate: RwLock::new(()),
            openings: AtomicU64::new(0),
            stats: Stats::default(),
            _cache: memory.charge_anyway(cache),
            held,
        });
        let reopening = Reopening::default();
        (Arc::clone(&inner), Committer { inner, state, order, last_changes, reopening, compaction: None })
    }

    /// Runs until the queue is closed and empty, or a write fails.
    pub(super) fn run(mut self) {
        let inner = Arc::clone(&self.inner);
        match catch_unwind(AssertUnwindSafe(|| self.commit_groups())) {
            Ok(Ok(())) => {}
            Ok(Err(ApplyError { reason, .. })) => inner.fail(reason),
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
        while let Some(work) = inner.queue.take(expected, patience) {
            let (started, mut count) = (Instant::now(), 0);
            let done = match work {
                Work::Group(waiting) => self.let_in_and_commit(waiting, &mut count),
                Work::Compact(answer) => self.begin_compaction(answer),
                Work::Copied(rewrite, outcome) => self.end_compaction(rewrite, outcome),
                Work::Swept => self.end_sweep(),
                // Whoever met it before the files were opened again is late.
                Work::Full(opening) if opening < inner.openings.load(Relaxed) => Ok(()),
                Work::Full(_) => self.open_when_there_is_room(self.state, 0).map(|_| ()),
                Work::Idle => inner.backend.look(),
            };
            match done {
                Err(full) if full.is_full => _ = self.open_when_there_is_room(self.state, 0)?,
                done => done?,
            }
            if count > 0 {
                // A writer that was answered may be back in a moment with the next batch. Waiting for that moment
                // keeps busy writers together; else they split in two halves that take turns, each waiting
                // for the other's sync. One writer alone is never waited for.
                expected = count + inner.queue.len();
                patience = (started.elapsed() / 8).min(MAX_PATIENCE);
            }
        }
        Ok(())
    }

    /// Says how many batches were let in.
    fn let_in_and_commit(&mut self, waiting: Vec<Waiting>, count: &mut usize) -> Result<(), ApplyError> {
        let waiting = self.let_in(waiting)?;
        *count = waiting.len();
        if waiting.is_empty() {
            return Ok(());
        }
        let inner = Arc::clone(&self.inner);
        self.order.split(|request| inner.backend.read(request));
        self.commit_group(waiting)
    }

    /// Refuses the batches that there is no room for, and gives back the others.
    fn let_in(&mut self, waiting: Vec<Waiting>) -> Result<Vec<Waiting>, ApplyError> {
        let has_room = |waiting: &[Waiting], mut room: Room| {
            waiting.iter().map(|waiting| room.take(waiting.bytes, waiting.batch.reserve)).collect::<Vec<_>>()
        };
        let mut fits = has_room(&waiting, self.inner.backend.room());
        if fits.contains(&false) && self.compaction.is_none() && self.reopening.is_due() {
            self.make_room()?;
            fits = has_room(&waiting, self.inner.backend.room());
        }
        let (mut let_in, mut fits) = (Vec::with_capacity(waiting.len()), fits.into_iter());
        for waiting in waiting {
            if fits.next() == Some(true) {
                let_in.push(waiting);
            } else {
                self.inner.stats.refused.fetch_add(1, Relaxed);
                waiting.answer(Err(CommitError::DiskFull));
            }
        }
        Ok(let_in)
    }

    /// Notes that something is erased where that is so, and refuses what erases where the disk has no room for the note.
    fn note_erased(&self, waiting: Vec<Waiting>) -> Result<Vec<Waiting>, ApplyError> {
        if waiting.iter().all(|waiting| !waiting.batch.erases) {
            return Ok(waiting);
        }
        match self.inner.backend.note_erased() {
            Ok(()) => Ok(waiting),
            Err(error) if error.is_full => {
                let (refused, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|waiting| waiting.batch.erases);
                for waiting in refused {
                    self.inner.stats.refused.fetch_add(1, Relaxed);
                    waiting.answer(Err(CommitError::DiskFull));
                }
                Ok(others)
            }
            Err(error) => Err(error),
        }
    }

    fn commit_group(&mut self, waiting: Vec<Waiting>) -> Result<(), ApplyError> {
        let waiting = self.note_erased(waiting)?;
        let inner = Arc::clone(&self.inner);
        inner.stats.group_sizes.observe(waiting.len() as u64);
        let keys = StoredEntries::keys(waiting.iter().map(|waiting| &waiting.batch));
        let found = loop {
            let entries = keys.iter().map(|key| inner.backend.get(key)).collect::<Vec<_>>();
            let is_full =
                |entry: &Result<_, ReadError>| entry.as_ref().is_err_and(|error| error.fault == ReadFault::DiskFull);
            if !entries.iter().any(is_full) {
                break StoredEntries::new(keys, entries);
            }
            self.open_when_there_is_room(self.state, 0)?;
        };
        self.reopening.deletions |= waiting.iter().any(|waiting| waiting.batch.deletes());
        let mut group = Group::new(self.state.version, Arc::clone(&self.last_changes), found);
        let (answers, outcomes): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .map(|Waiting { batch, answer, since, .. }: Waiting| ((answer, since), group.admit(batch)))
            .unzip();
        if group.version > self.state.version {
            group.finish();
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
        let before = self.state;
        (self.state.version, self.last_changes) = (version, last_changes);
        let (mut undo, mut kept) = (BTreeMap::new(), 0);
        let mut entries = Vec::with_capacity(writes.len());
        for (key, Write { before, after }) in writes {
            self.state.replace(&key, before.as_ref(), after.as_ref());
            match (&before, &after) {
                (None, Some(_)) => self.order.insert(&key),
                (Some(_), None) => self.order.remove(&key),
                _ => {}
            }
            if let Some(entry) = before {
                kept += size(&key, &entry);
                undo.insert(key.clone(), entry);
            }
            entries.push((key, after));
        }
        let inner = Arc::clone(&self.inner);
        let (held, changes) = (inner.held.charge(kept), Arc::clone(&self.last_changes));
        let generation = Generation::new(version, undo, held, self.order.clone(), changes);
        let generation = Arc::new(generation);
        // From here on readers of the current generation look through the new one's undo.
        let linked = inner.current().next.set(Arc::clone(&generation)).is_ok();
        debug_assert!(linked, "only the committer links generations");
        self.write(&entries, before)?;
        inner.stats.groups.fetch_add(1, Relaxed);
        inner.current.send_replace(generation);
        inner.held.relieve();
        Ok(())
    }

    /// Writes a group. One that meets a full disk waits for room: others may fill a disk in the middle of a commit, whatever room there was before
    /// it, and to stop would help nobody. Then the files tell whether it is in them.
    fn write(&mut self, entries: &[(Key, Option<Entry>)], before: State) -> Result<(), ApplyError> {
        let inner = Arc::clone(&self.inner);
        let bytes = entries.iter().filter_map(|(_, entry)| Some(entry.as_ref()?.value.len())).sum();
        loop {
            match inner.backend.apply(entries, self.state) {
                Err(full) if full.is_full => {}
                written => return written,
            }
            if self.open_when_there_is_room(before, bytes)? {
                return Ok(());
            }
        }
    }

    /// The engine met a full disk, and does no more with the files as it has them: opens them anew once there is room for that and for so many bytes.
    /// What comes meanwhile is refused. Whether the store is in the state of now, or in that `before` it.
    fn open_when_there_is_room(&mut self, before: State, bytes: usize) -> Result<bool, ApplyError> {
        let inner = &self.inner;
        tracing::error!("the disk is full: the store waits for room");
        loop {
            thread::sleep(LOOK_FOR_ROOM);
            if !inner.backend.has_room_again(bytes) {
                for waiting in inner.queue.drain_batches() {
                    inner.stats.refused.fetch_add(1, Relaxed);
                    waiting.answer(Err(CommitError::DiskFull));
                }
                if inner.queue.is_closed() {
                    return Err(ApplyError {
                        reason: "it was stopped while the disk was full".to_owned(),
                        is_full: false,
                    });
                }
                continue;
            }
            let closed = inner.gate.blocking_write();
            let found = inner.backend.look_again(before, self.state);
            inner.openings.fetch_add(1, Relaxed);
            drop(closed);
            match found {
                Err(full) if full.is_full => {}
                found => {
                    tracing::info!("there is room on the disk again, and the store goes on");
                    return found;
                }
            }
        }
    }
}
