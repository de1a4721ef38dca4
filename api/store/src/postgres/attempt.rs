//! One try to commit a group: what is there is read under the lock, decided, and written.
//!
//! ```text
//! first trip     begin; the lock; the last commit; whether an earlier try is in; what the batches depend on
//! second trip    the entries; the commit's own row; commit
//! ```
//!
//! Every statement after the lock begins when the lock is held. That matters: PostgreSQL takes a statement's snapshot before the statement
//! waits, so what the locking statement itself read beside its row may be old.
//!
//! The second trip is sent by nobody who does not hold the lock. So when a connection broke in it, the next try finds out under the lock
//! whether the group is in, and it cannot come in later.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use futures_util::future::{join3, join4, join5};
use tokio_postgres::{Error, error::SqlState};

use super::{
    connection::{Session, in_words, is_passing},
    reader::{in_order, moment_of, number_of, version_of},
    shared::Shared,
};
use crate::{
    Batch, CommitError, FORMAT, Key, ReadError, Version,
    group::{Group, StoredEntries, Write},
};

/// A transaction of ours holds the lock no longer than this without a word, however its process stands still; and waits no longer.
const BEGIN: &str = "begin isolation level read committed; set local idle_in_transaction_session_timeout = '5s'; set local \
                     statement_timeout = '10s'; set local lock_timeout = '10s'";

/// Bytes of entries that one statement carries, about.
const SLICE: usize = 4 << 20;

pub(super) type Outcomes = Vec<Result<Version, CommitError>>;

/// Why a try did not settle a group.
pub(super) enum NotDone {
    /// To be tried again.
    Passing(String),
    /// Nothing of the group is in, and trying again is of no use.
    Refused(CommitError),
}

impl From<Error> for NotDone {
    fn from(error: Error) -> NotDone {
        // Somebody wrote a commit without the lock. It cannot be, and is found by the key.
        let is_twice = error.code() == Some(&SqlState::UNIQUE_VIOLATION);
        if is_twice || is_passing(&error) {
            return NotDone::Passing(in_words(&error));
        }
        tracing::error!(reason = in_words(&error), "the database refused a group of commits");
        let is_full = error.code().is_some_and(|code| [SqlState::DISK_FULL, SqlState::OUT_OF_MEMORY].contains(code));
        NotDone::Refused(if is_full { CommitError::DiskFull } else { CommitError::Unavailable { unknown: false } })
    }
}

impl From<ReadError> for NotDone {
    fn from(error: ReadError) -> NotDone {
        NotDone::Refused(error.into())
    }
}

pub(super) struct Attempt<'a> {
    shared: &'a Shared,
    group: i64,
    batches: &'a [Batch],
    keys: Vec<Key>,
    /// True while a second trip is on its way whose end nobody knows.
    sent: &'a AtomicBool,
    /// What was decided in each try whose second trip was sent, by the group's first version.
    decided: Vec<(Version, Outcomes)>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(shared: &'a Shared, group: i64, batches: &'a [Batch], sent: &'a AtomicBool) -> Attempt<'a> {
        Attempt { shared, group, batches, keys: StoredEntries::keys(batches.iter()), sent, decided: Vec::new() }
    }

    /// What became of each batch. The transaction is over then, whatever the answer.
    pub(super) async fn run(&mut self, session: &Session) -> Result<Outcomes, NotDone> {
        let outcome = self.try_once(session).await;
        if outcome.is_err() {
            // The connection may be gone, and the transaction with it.
            let _ = session.client.batch_execute("rollback").await;
        }
        outcome
    }

    async fn try_once(&mut self, session: &Session) -> Result<Outcomes, NotDone> {
        let (client, statements) = (&session.client, &session.statements);
        let keys: Vec<&[u8]> = self.keys.iter().map(Key::as_bytes).collect();
        let seen = self.shared.seen();
        // Sent in this order, each without waiting for the one before.
        let (begun, locked, last, fence, found) = join5(
            client.batch_execute(BEGIN),
            client.query_one(&statements.lock, &[]),
            client.query_one(&statements.watermark, &[]),
            client.query_opt(&statements.fence, &[&self.shared.node, &self.group]),
            client.query(&statements.get_many, &[&keys]),
        )
        .await;
        begun?;
        let (locked, last, fence, found) = (locked?, last?, fence?, found?);
        let (format, exclusive): (i32, Option<String>) = (locked.get(1), locked.get(2));
        if u32::try_from(format).unwrap_or(u32::MAX) != FORMAT {
            tracing::error!(format, "the database has another format now; this program does not write to it");
            return Err(NotDone::Refused(CommitError::Stopped));
        }
        if exclusive.is_some() {
            return Err(NotDone::Refused(CommitError::Unavailable { unknown: false }));
        }
        let moment = moment_of(&last)?;
        self.shared.follows(seen, moment.version)?;
        if let Some(row) = fence {
            self.sent.store(false, Relaxed);
            let _ = client.batch_execute("rollback").await;
            return Ok(self.decided_before(version_of(row.get(0))));
        }
        // No earlier try is in, and none can come in any more.
        self.sent.store(false, Relaxed);
        let entries = in_order(&self.keys, &found).into_iter().map(Ok).collect();
        let mut group = Group::new(moment.version, moment.changes, StoredEntries::new(self.keys.clone(), entries));
        let outcomes: Outcomes = self.batches.iter().map(|batch| group.admit(batch.clone())).collect();
        if group.version == moment.version {
            client.batch_execute("rollback").await?;
            return Ok(outcomes);
        }
        group.finish();
        let first = moment.version.next();
        self.decided.push((first, outcomes.clone()));
        self.write(session, first, &group).await?;
        self.sent.store(false, Relaxed);
        self.shared.stats.groups.fetch_add(1, Relaxed);
        self.shared.see(group.version)?;
        Ok(outcomes)
    }

    /// The outcomes of the try that is in. The database was the same under the lock in every try that began at that version.
    fn decided_before(&self, first: Version) -> Outcomes {
        let known = self.decided.iter().find(|(then, _)| *then == first);
        let unknown = || self.batches.iter().map(|_| Err(CommitError::Unavailable { unknown: true })).collect();
        known.map_or_else(unknown, |(_, outcomes)| outcomes.clone())
    }

    async fn write(&self, session: &Session, first: Version, group: &Group) -> Result<(), NotDone> {
        let (client, statements) = (&session.client, &session.statements);
        let mut gone: Vec<&[u8]> = Vec::new();
        let (mut slices, mut bytes) = (vec![Slice::default()], 0);
        for (key, Write { after, .. }) in &group.writes {
            let Some(entry) = after else {
                gone.push(key.as_bytes());
                continue;
            };
            bytes += key.as_bytes().len() + entry.value.len();
            if bytes > SLICE {
                bytes = key.as_bytes().len() + entry.value.len();
                slices.push(Slice::default());
            }
            if let Some(slice) = slices.last_mut() {
                slice.push(key.as_bytes(), entry.version, &entry.value);
            }
        }
        let last = slices.pop().unwrap_or_default();
        for slice in &slices {
            client.execute(&statements.upsert, &[&slice.keys, &slice.versions, &slice.values]).await?;
        }
        let changed = group.last_changes.to_bytes();
        let (first, version) = (number_of(first), number_of(group.version));
        let commit: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&first, &version, &self.shared.node, &self.group, &changed];
        let last: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&last.keys, &last.versions, &last.values];
        self.sent.store(true, Relaxed);
        let (written, removed, noted, committed) = if gone.is_empty() {
            let sent = join3(
                client.execute(&statements.upsert, &last),
                client.execute(&statements.commit, &commit),
                client.batch_execute("commit"),
            );
            let (written, noted, committed) = sent.await;
            (written, Ok(0), noted, committed)
        } else {
            join4(
                client.execute(&statements.upsert, &last),
                client.execute(&statements.delete, &[&gone]),
                client.execute(&statements.commit, &commit),
                client.batch_execute("commit"),
            )
            .await
        };
        let outcome = written.and(removed).and(noted).map(drop).and(committed);
        if outcome.as_ref().is_err_and(|error| error.as_db_error().is_some() && !is_end(error)) {
            // PostgreSQL itself says that it took nothing of it.
            self.sent.store(false, Relaxed);
        }
        Ok(outcome?)
    }
}

/// Whether the error ends the connection, so that the one before it may not be all.
fn is_end(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("57P") || code.code().starts_with("08"))
}

/// Entries of one statement.
#[derive(Default)]
struct Slice<'a> {
    keys: Vec<&'a [u8]>,
    versions: Vec<i64>,
    values: Vec<&'a [u8]>,
}

impl<'a> Slice<'a> {
    fn push(&mut self, key: &'a [u8], version: Version, value: &'a [u8]) {
        self.keys.push(key);
        self.versions.push(number_of(version));
        self.values.push(value);
    }
}
