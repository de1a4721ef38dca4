//! Giving disk space back to the system while the store is open. Best is to write everything anew; where there is no room for that,
//! segments that are nearly empty are swept. What takes long is done by a thread of its own while others read and write, and the
//! committer brings it to its end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use super::Committer;
use crate::local::sled::{NotRewritten, Rewrite};
use crate::{
    CompactError, Compacted,
    local::{page::ApplyError, queue::CompactAnswer},
};

/// A new database is being filled.
pub(super) struct Compaction {
    answers: Vec<CompactAnswer>,
    /// Bytes on the disk when it began.
    before: u64,
    /// Why there is no new database, where that has been tried.
    not_rewritten: Option<NotRewritten>,
    /// How often it was swept, and what it took then.
    swept: (u32, u64),
    /// Who asked when it was under way. What has been deleted by then may not be part of it.
    later: Vec<CompactAnswer>,
}

impl Committer {
    /// Has everything copied into a new database by a thread of its own, which hands it over in the end.
    pub(super) fn begin_compaction(&mut self, answer: CompactAnswer) -> Result<(), ApplyError> {
        if let Some(compaction) = &mut self.compaction {
            compaction.later.push(answer);
            return Ok(());
        }
        self.compact_for(vec![answer])
    }

    fn compact_for(&mut self, answers: Vec<CompactAnswer>) -> Result<(), ApplyError> {
        let before = self.inner.backend.disk_bytes()?;
        self.begin(Compaction { answers, before, not_rewritten: None, swept: (0, before), later: Vec::new() })
    }

    /// Tells what came of it, and begins anew for those who asked meanwhile.
    fn end(&mut self, compaction: Compaction, compacted: Result<Compacted, CompactError>) -> Result<(), ApplyError> {
        let has_erased = self.inner.backend.has_erased();
        let compacted = compacted.map(|compacted| Compacted { has_erased, ..compacted });
        for answer in compaction.answers {
            // A caller that went away has no use for the answer.
            let _ = answer.send(compacted);
        }
        if compaction.later.is_empty() { Ok(()) } else { self.compact_for(compaction.later) }
    }

    fn begin(&mut self, compaction: Compaction) -> Result<(), ApplyError> {
        match self.inner.backend.begin_rewrite() {
            Ok(rewrite) => {
                self.compaction = Some(compaction);
                self.copy(rewrite);
                Ok(())
            }
            Err(why) => self.make_do(compaction, why),
        }
    }

    /// Without a new database: what stands in nearly empty segments is moved together, and the empty ones are given back. What is to
    /// be moved, sled decides as it opens the files.
    fn make_do(&mut self, compaction: Compaction, why: NotRewritten) -> Result<(), ApplyError> {
        tracing::info!(%why, "the store is not written anew");
        self.inner.backend.give_up_rewrite();
        let compacted = self.reopen(compaction.before)?;
        if compaction.not_rewritten.is_some() {
            return self.end(compaction, compacted);
        }
        let swept = (0, compacted.as_ref().map_or(compaction.before, |compacted| compacted.after));
        self.sweep(Compaction { not_rewritten: Some(why), swept, ..compaction });
        Ok(())
    }

    fn sweep(&mut self, compaction: Compaction) {
        self.compaction = Some(compaction);
        let inner = Arc::clone(&self.inner);
        let sweep = move || {
            let swept = catch_unwind(AssertUnwindSafe(|| inner.backend.sweep(|| inner.queue.is_closed())));
            if let Ok(Err(error)) = swept {
                tracing::warn!(%error, "nearly empty segments could not be swept");
            }
            inner.queue.push_swept();
        };
        self.begin_thread(sweep);
    }

    /// Gives back what the sweeping made free, and sweeps again as long as that is of use. A new database may have room then.
    pub(super) fn end_sweep(&mut self) -> Result<(), ApplyError> {
        let Some(compaction) = self.compaction.take() else { return Ok(()) };
        let compacted = self.reopen(compaction.before)?;
        let (times, smallest) = compaction.swept;
        if let Ok(Compacted { after, .. }) = compacted
            && after + (smallest / 100 * SWEPT).max(LEAST_SWEPT) <= smallest
            && times < SWEEPS
        {
            self.sweep(Compaction { swept: (times + 1, after), ..compaction });
            return Ok(());
        }
        let made_room = compacted.is_ok_and(|compacted| compacted.after < compacted.before);
        if made_room && compaction.not_rewritten == Some(NotRewritten::NoRoom) && !compaction.answers.is_empty() {
            return self.begin(compaction);
        }
        self.end(compaction, compacted)
    }

    /// The disk is full, and something was deleted: what that made free can be used again.
    pub(super) fn make_room(&mut self) -> Result<(), ApplyError> {
        let before = self.inner.backend.disk_bytes()?;
        let (answers, later) = (Vec::new(), Vec::new());
        let compaction = Compaction { answers, before, not_rewritten: None, swept: (0, before), later };
        self.make_do(compaction, NotRewritten::NoRoom)
    }

    fn begin_thread(&mut self, work: impl FnOnce() + Send + 'static) {
        if let Err(error) = thread::Builder::new().name("compactor".to_owned()).spawn(work) {
            tracing::error!(%error, "a thread could not be started");
            // Whoever waits is told by the end of the channel.
            self.compaction = None;
        }
    }

    fn copy(&mut self, rewrite: Rewrite) {
        let inner = Arc::clone(&self.inner);
        let mut rewrite = rewrite;
        let copy = move || {
            let copied =
                catch_unwind(AssertUnwindSafe(|| inner.backend.copy(&mut rewrite, || inner.queue.is_closed())));
            let copied = copied.unwrap_or_else(|_| Err(NotRewritten::Failed("the engine panicked".to_owned())));
            inner.queue.push_copied(rewrite, copied);
        };
        self.begin_thread(copy);
    }

    /// Takes a new database into use, or gives it up and makes do with less.
    pub(super) fn end_compaction(
        &mut self,
        rewrite: Rewrite,
        outcome: Result<(), NotRewritten>,
    ) -> Result<(), ApplyError> {
        let Some(compaction) = self.compaction.take() else { return Ok(()) };
        let began = Instant::now();
        let caught_up = outcome.and_then(|()| self.inner.backend.catch_up(rewrite, self.state));
        let new = match caught_up {
            Ok(new) => new,
            Err(why) => return self.make_do(compaction, why),
        };
        let inner = Arc::clone(&self.inner);
        let closed = inner.gate.blocking_write();
        inner.backend.swap(&new)?;
        inner.openings.fetch_add(1, Relaxed);
        drop(closed);
        let (before, after) = (compaction.before, inner.backend.disk_bytes()?);
        let compacted =
            Compacted { before, after, free_inside: 0, waited: began.elapsed(), rewritten: true, has_erased: false };
        log(&compacted);
        self.reopening.note(Some(&compacted));
        self.end(compaction, Ok(compacted))
    }

    /// Gives whole segments that hold nothing back to the system. Nobody reads meanwhile.
    pub(super) fn reopen(&mut self, before: u64) -> Result<Result<Compacted, CompactError>, ApplyError> {
        let inner = Arc::clone(&self.inner);
        let began = Instant::now();
        let closed = inner.gate.blocking_write();
        let reopened = inner.backend.reopen(self.state)?;
        inner.openings.fetch_add(1, Relaxed);
        drop(closed);
        let after = inner.backend.disk_bytes()?;
        let compacted = reopened.map(|free_inside| Compacted {
            before,
            after,
            free_inside,
            waited: began.elapsed(),
            rewritten: false,
            has_erased: false,
        });
        match &compacted {
            Ok(compacted) => log(compacted),
            Err(error) => tracing::warn!(%error, "no space went back to the system"),
        }
        self.reopening.note(compacted.as_ref().ok());
        Ok(compacted)
    }
}

/// How often the files are swept at most, as each time makes them smaller by so many hundredths, and so many bytes.
const SWEEPS: u32 = 8;
const SWEPT: u64 = 2;
const LEAST_SWEPT: u64 = 2 << 20;

fn log(compacted: &Compacted) {
    let Compacted { before, after, free_inside, waited, rewritten, .. } = compacted;
    let waited_ms = waited.as_millis();
    tracing::info!(before, after, free_inside, waited_ms, rewritten, "the store was compacted");
}

/// When a full disk is a reason to open the files again.
pub(super) struct Reopening {
    /// Something was deleted since the last time.
    pub deletions: bool,
    last: Option<Instant>,
    pause: Duration,
}

impl Default for Reopening {
    fn default() -> Self {
        Self { deletions: false, last: None, pause: PAUSE }
    }
}

/// From one time to the next at least, and at most where it is of no use. Everybody waits meanwhile, so it is many times as long as they do.
const PAUSE: Duration = Duration::from_secs(1);
const TIMES: u32 = 20;
const LONG_PAUSE: Duration = Duration::from_mins(10);

impl Reopening {
    pub(super) fn is_due(&self) -> bool {
        self.deletions && self.last.is_none_or(|last| last.elapsed() >= self.pause)
    }

    pub(super) fn note(&mut self, compacted: Option<&Compacted>) {
        let useful = compacted.is_some_and(|compacted| compacted.after < compacted.before);
        let least = compacted.map_or(PAUSE, |compacted| PAUSE.max(compacted.waited * TIMES));
        self.pause = if useful { least } else { (self.pause * 2).max(least).min(LONG_PAUSE) };
        (self.deletions, self.last) = (false, Some(Instant::now()));
    }
}
