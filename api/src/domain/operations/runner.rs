//! Doing the work, piece by piece.

use std::time::Duration;

use common::{access::Caller, id::OperationId, operation::OperationState};
use store::{Batch, CommitError, Expect, Key, Reserve, Version};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    history::TrimHistory,
    indexes::SweepIndexes,
    piece::{Budget, Piece},
    stored::{Stored, Work, load},
    sweep::{SweepKeys, SweepOperations, SweepSessions},
    words::PackWords,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{self, Written},
    keyspace, usage,
};

/// A process that works on operations, one at a time. Nothing of it is kept but in the store.
pub struct Runner<'a> {
    pub(super) core: &'a Core,
    /// Names this process in leases.
    holder: Uuid,
}

/// Work that this process holds. The cursor in it may be ahead of the store's by what was only read.
pub(super) struct Held {
    key: Key,
    /// What the record is expected to be; `None` where there is none yet.
    version: Option<Version>,
    pub stored: Stored,
    /// It begins anew after it ended, and has a record only while it changes something.
    is_recurring: bool,
}

/// What became of a piece.
pub(super) enum Outcome {
    /// There is more to do.
    More,
    /// There is not.
    Over,
    /// Nothing of it was done: the work was stopped, somebody else has it, or what was planned no longer fits.
    Lost,
}

impl<'a> Runner<'a> {
    /// A process like no other.
    pub fn new(core: &'a Core) -> Self {
        Self { core, holder: core.ids.next_id() }
    }

    /// A process that does pieces of what another operation has begun, as that operation: whoever holds that one is the only one.
    pub(crate) fn of(core: &'a Core, operation: OperationId) -> Self {
        Self { core, holder: operation.uuid() }
    }

    /// Works on an operation until it is over, without rests. An error where another process holds it.
    pub async fn finish(&self, id: OperationId, progress: &mut (dyn FnMut(u64) + Send)) -> Result<()> {
        while let Some(mut held) = self.take(id).await? {
            loop {
                let before = held.stored.done;
                match self.step(&mut held).await {
                    Ok(Outcome::Lost) => break,
                    Ok(outcome) => {
                        progress(held.stored.done - before);
                        if matches!(outcome, Outcome::Over) {
                            return Ok(());
                        }
                    }
                    Err(error) => return Err(self.fail(id, error).await?),
                }
            }
        }
        match load(self.core, id).await? {
            Some((_, stored)) if !stored.state.is_over() => Err(Error::Busy),
            _ => Ok(()),
        }
    }

    /// Works on an operation without rests for a while, or until it is far enough, and gives it back then.
    pub(super) async fn work_for(
        &self,
        id: OperationId,
        time: Duration,
        is_enough: impl Fn(&Stored) -> bool,
    ) -> Result<()> {
        let until = self.core.clock.elapsed() + time;
        while self.core.clock.elapsed() < until {
            let Some(mut held) = self.take(id).await? else {
                let Some((_, stored)) = load(self.core, id).await? else { return Ok(()) };
                if stored.state.is_over() || is_enough(&stored) {
                    return Ok(());
                }
                sleep(Duration::from_millis(5)).await;
                continue;
            };
            loop {
                match self.step(&mut held).await {
                    Ok(Outcome::Lost) => break,
                    Ok(Outcome::Over) => return Ok(()),
                    Ok(Outcome::More) => {}
                    Err(error) => return Err(self.fail(id, error).await?),
                }
                if is_enough(&held.stored) || self.core.clock.elapsed() >= until {
                    self.release(held).await?;
                    self.core.operation_started.notify_one();
                    return Ok(());
                }
            }
        }
        self.core.operation_started.notify_one();
        Ok(())
    }

    /// Works on an operation without rests for a while, and keeps it. Says whether it is this process's.
    pub(crate) async fn keep_at(&self, id: OperationId, time: Duration) -> Result<bool> {
        let Some(mut held) = self.take(id).await? else { return Ok(false) };
        let until = self.core.clock.elapsed() + time;
        loop {
            match self.step(&mut held).await {
                Ok(Outcome::Over | Outcome::Lost) => return Ok(true),
                Ok(Outcome::More) => {}
                Err(error) => return Err(self.fail(id, error).await?),
            }
            if self.core.clock.elapsed() >= until {
                // What was only read is written down too, or it would be read again.
                held.stored.hold(self.holder, self.core.clock.unix_seconds());
                self.write(&held).await?;
                return Ok(true);
            }
        }
    }

    /// Names this process in leases.
    pub(super) fn holder(&self) -> Uuid {
        self.holder
    }

    /// Clears everything away that is due, without rests. Gives the number of pieces.
    pub async fn sweep(&self) -> Result<usize> {
        let mut pieces = 0;
        for (name, work) in recurring() {
            let Some(mut held) = self.take_recurring(name, work).await? else { continue };
            pieces += 1;
            while matches!(self.step(&mut held).await?, Outcome::More) {
                pieces += 1;
            }
        }
        Ok(pieces)
    }

    /// Does one piece of an operation, if it is this process's to do. Says whether there is more to do.
    pub async fn one_piece(&self, id: OperationId) -> Result<bool> {
        let Some(mut held) = self.take(id).await? else { return Ok(false) };
        Ok(!matches!(self.step(&mut held).await?, Outcome::Over))
    }

    /// The work of an operation that is not over and that no other process holds.
    pub(super) async fn take(&self, id: OperationId) -> Result<Option<Held>> {
        let Some((version, stored)) = load(self.core, id).await? else { return Ok(None) };
        Ok(self.take_loaded(id, version, stored).await)
    }

    /// The same of one that was loaded.
    pub(super) async fn take_loaded(&self, id: OperationId, version: Version, mut stored: Stored) -> Option<Held> {
        if stored.state.is_over()
            || stored.is_paused
            || !stored.is_free_for(self.holder, self.core.clock.unix_seconds())
        {
            return None;
        }
        if stored.lease.is_none_or(|lease| lease.holder != self.holder) {
            // While it waited, another operation may have done a part of it.
            // What cannot be counted is told by the piece that cannot be planned either.
            let left = stored.work.count(self.core).await.unwrap_or_default();
            stored.of = left.map(|left| stored.done.saturating_add(left)).or(stored.of);
        }
        Some(Held { key: keyspace::operation(id), version: Some(version), stored, is_recurring: false })
    }

    pub(super) async fn take_recurring(&self, name: &str, work: Work) -> Result<Option<Held>> {
        let key = keyspace::recurring(name);
        let found = self.core.store.get(&key).await?;
        let (version, stored) = match &found {
            Some(entry) => (Some(entry.version), Stored::parse(entry)?),
            None => (None, Stored::new(work, None, self.core.timestamp(), None)),
        };
        let is_free = stored.is_free_for(self.holder, self.core.clock.unix_seconds());
        Ok(is_free.then_some(Held { key, version, stored, is_recurring: true }))
    }

    /// Plans the next piece and commits it together with the record.
    pub(super) async fn step(&self, held: &mut Held) -> Result<Outcome> {
        let core = self.core;
        let operation = keyspace::operation_id(&held.key);
        let mut budget = Budget::new(&core.clock);
        let planned = held.stored.work.step(core, &mut budget);
        let Piece { mut batch, done, of, is_last, ended } = match operation {
            Some(id) => journal::in_operation(id, &Written::default(), planned).await?,
            None => planned.await?,
        };
        if let Some(id) = operation {
            // No two pieces find the record at the same version.
            let part = Some(held.version.unwrap_or_default());
            held.stored.has_parts |= journal::count_part(&mut batch, id, part, held.stored.has_parts);
        }
        held.stored.done += done;
        held.stored.of = of.or(held.stored.of);
        let (outcome, now) = (if is_last { Outcome::Over } else { Outcome::More }, core.clock.unix_seconds());
        // What only read need not be written down, but the lease must be renewed, and the end noted.
        let is_due = held.version.is_some() && (is_last || held.stored.must_be_renewed(now));
        if batch.is_empty() && !is_due {
            return Ok(outcome);
        }
        batch.expect(held.key.clone(), held.version.map_or(Expect::Absent, Expect::Version));
        batch.use_reserve(Reserve::Most);
        let is_kept = !(is_last && held.is_recurring);
        if is_last {
            // What was counted before was right for that moment.
            held.stored.of = held.stored.of.map(|_| held.stored.done);
            let (state, error) = ended.unwrap_or((OperationState::Done, None));
            held.stored.end(state, core.timestamp());
            held.stored.error = error.or_else(|| held.stored.work.remark());
        } else {
            held.stored.hold(self.holder, now);
        }
        if is_kept {
            batch.put(held.key.clone(), held.stored.to_bytes()?);
        } else {
            batch.delete(held.key.clone());
        }
        match core.store.commit(batch).await {
            Ok(version) => {
                held.version = is_kept.then_some(version);
                Ok(outcome)
            }
            Err(CommitError::Conflict { .. }) => {
                if let (Some(id), Work::Import(_)) = (operation, &held.stored.work) {
                    self.forget_stopped(id).await?;
                }
                Ok(Outcome::Lost)
            }
            Err(error) => Err(usage::commit_error(core, &Caller::Anonymous, error)),
        }
    }

    /// Removes what is kept of an import that somebody stopped while this process was at it.
    async fn forget_stopped(&self, id: OperationId) -> Result<()> {
        if load(self.core, id).await?.is_none_or(|(_, stored)| stored.state.is_over()) {
            self.core.spool.forget(id);
        }
        Ok(())
    }

    /// Notes that an operation cannot go on, where the error will not pass, and gives the error back.
    pub(super) async fn fail(&self, id: OperationId, error: Error) -> Result<Error> {
        if matches!(error, Error::Busy | Error::DiskFull | Error::Stopped) {
            return Ok(error);
        }
        // Somebody stopped it, and what it was at is gone.
        let Some(mut held) = self.take(id).await? else { return Ok(error) };
        tracing::error!(operation = %id, reason = error.with_causes(), "an operation failed");
        let told = match &error {
            Error::Internal { .. } => "Something went wrong on the server; its log says what.".to_owned(),
            error => error.to_string(),
        };
        if let Work::Import(work) = &mut held.stored.work
            && work.take_back(Some(told.clone()))
        {
            held.stored.lease = None;
            self.write(&held).await?;
            self.core.operation_started.notify_one();
            return Ok(error);
        }
        held.stored.error = Some(told);
        held.stored.end(OperationState::Failed, self.core.timestamp());
        self.write(&held).await?;
        self.core.spool.forget(id);
        Ok(error)
    }

    /// Gives work back, so that another process need not wait for the end of the lease.
    pub(super) async fn release(&self, mut held: Held) -> Result<()> {
        held.stored.lease = None;
        self.write(&held).await
    }

    /// Writes the record, unless somebody else did.
    async fn write(&self, held: &Held) -> Result<()> {
        let Some(version) = held.version else { return Ok(()) };
        let mut batch = Batch::new();
        batch
            .expect(held.key.clone(), Expect::Version(version))
            .put(held.key.clone(), held.stored.to_bytes()?)
            .use_reserve(Reserve::Most);
        match self.core.store.commit(batch).await {
            Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What is begun anew again and again, by the names under which it is held.
pub(super) fn recurring() -> [(&'static str, Work); 6] {
    [
        ("sweep_sessions", Work::SweepSessions(SweepSessions::default())),
        ("sweep_operations", Work::SweepOperations(SweepOperations::default())),
        ("sweep_keys", Work::SweepKeys(SweepKeys::default())),
        ("sweep_indexes", Work::SweepIndexes(SweepIndexes::default())),
        ("pack_words", Work::PackWords(PackWords::default())),
        ("trim_history", Work::TrimHistory(TrimHistory::default())),
    ]
}
