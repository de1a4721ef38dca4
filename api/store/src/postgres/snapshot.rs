//! Reading several times as of one moment: a transaction that only reads, on a connection of its own while it lasts.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};
use tokio_postgres::{Row, Statement, types::ToSql};

use super::{
    connection::{Session, Statements, in_words, is_passing, read_error},
    range::{Range, ends, rest},
    reader::{entry_of, in_order, keyed, moment_of},
    shared::{Moment, Shared},
};
use crate::{Entry, Key, ReadError, ReadFault, Scan, Version};

/// So long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// After this a request may take one of the spare ones: those that wait may be the very ones that hold the others, and read a second moment
/// beside their first.
const BEFORE_SPARE: Duration = Duration::from_millis(50);

/// A reader that asks for nothing for so long is given up: an old snapshot keeps PostgreSQL from clearing away what was overwritten since.
const BEGIN: &str = "begin isolation level repeatable read read only; set local idle_in_transaction_session_timeout = '60s'; set local \
                     statement_timeout = '30s'";

/// Connections for snapshots.
pub(super) struct Pool {
    shared: Arc<Shared>,
    free: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
}

impl Pool {
    pub(super) fn new(shared: Arc<Shared>, connections: usize) -> Arc<Pool> {
        let free = Arc::new(Semaphore::new(connections));
        Arc::new(Pool { shared, spare: Arc::new(Semaphore::new(connections)), free, idle: Mutex::default() })
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let usual = || Arc::clone(&self.free).acquire_owned();
        if let Ok(permit) = timeout(BEFORE_SPARE, usual()).await {
            return permit.ok();
        }
        tokio::select! {
            permit = usual() => permit.ok(),
            permit = Arc::clone(&self.spare).acquire_owned() => permit.ok(),
        }
    }

    fn idle(&self) -> Option<Box<Session>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(session) = idle.pop() {
            if session.is_open() {
                return Some(Box::new(session));
            }
        }
        None
    }

    /// A snapshot of a moment after this call.
    pub(super) async fn snapshot(self: &Arc<Pool>) -> Result<Snapshot, ReadError> {
        let unavailable = |reason: &str| ReadError { reason: reason.to_owned(), fault: ReadFault::Unavailable };
        let deadline = Instant::now() + PATIENCE;
        let Ok(Some(permit)) = timeout_at(deadline, self.permit()).await else {
            return Err(unavailable("all connections for snapshots are taken"));
        };
        let begun = timeout_at(deadline, async {
            loop {
                let (session, is_new) = match self.idle() {
                    Some(session) => (session, false),
                    None => (Box::new(self.shared.connector.session().await?.0), true),
                };
                let before = self.shared.seen();
                let (begun, last) =
                    join(session.client.batch_execute(BEGIN), session.rows(&session.statements.watermark, &[])).await;
                match begun.and(last) {
                    Ok(rows) => {
                        let moment = rows.first().map(moment_of);
                        let moment = moment.unwrap_or_else(|| Err(ReadError::new("the database holds no commit")))?;
                        self.shared.follows(before, moment.version)?;
                        return Ok((session, moment));
                    }
                    // One that lay idle while the database was started again.
                    Err(error) if is_passing(&error) && !is_new => {}
                    Err(error) => return Err(read_error(&error)),
                }
            }
        });
        let (session, moment) =
            begun.await.unwrap_or_else(|_| Err(unavailable("the database did not answer in time")))?;
        let lease = Lease { pool: Arc::clone(self), session: Some(session), permit: Some(permit) };
        Ok(Snapshot { lease, moment })
    }
}

/// A connection with a transaction on it; it goes back to the pool when that is over.
struct Lease {
    pool: Arc<Pool>,
    session: Option<Box<Session>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(session), permit, pool) = (self.session.take(), self.permit.take(), Arc::clone(&self.pool)) else {
            return;
        };
        // Outside of a runtime, which is ending then, the connection just ends.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            match timeout(Duration::from_secs(5), session.client.batch_execute("commit")).await {
                Ok(Ok(())) => pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(*session),
                Ok(Err(error)) => tracing::debug!(reason = in_words(&error), "a snapshot ended with its connection"),
                // Somebody's query goes on that nobody waits for.
                Err(_) => session.cut(),
            }
            drop(permit);
        });
    }
}

/// A reader's view of the store.
pub(crate) struct Snapshot {
    lease: Lease,
    moment: Moment,
}

impl Snapshot {
    pub(crate) fn version(&self) -> Version {
        self.moment.version
    }

    pub(crate) fn last_change(&self, space: &str) -> Version {
        self.moment.changes.of(space)
    }

    async fn rows(
        &self,
        statement: impl Fn(&Statements) -> &Statement + Send,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, ReadError> {
        // There is one until it is dropped.
        let Some(session) = &self.lease.session else { return Err(ReadError::new("a snapshot without a connection")) };
        let rows = session.rows(statement(&session.statements), values).await;
        rows.map_err(|error| {
            let error = read_error(&error);
            // The moment is gone with the transaction; a new one can be read.
            let is_gone = error.fault == ReadFault::Unavailable && !session.is_open();
            if is_gone { ReadError { fault: ReadFault::GivenUp, ..error } } else { error }
        })
    }

    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        let rows = self.rows(|statements| &statements.get, &[&key.as_bytes()]).await?;
        Ok(rows.first().map(|row| entry_of(row, 1)))
    }

    pub(crate) async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<&[u8]> = keys.iter().map(Key::as_bytes).collect();
        let rows = self.rows(|statements| &statements.get_many, &[&asked]).await?;
        Ok(in_order(keys, &rows))
    }

    pub(crate) async fn scan(&self, scan: Scan) -> Result<Vec<(Key, Entry)>, ReadError> {
        let mut result = Vec::new();
        let mut left = Some(scan);
        while let Some(scan) = left.take() {
            let Some(step) = Range::first(&scan) else { break };
            let Range { from, to, limit, skip, .. } = &step;
            let rows = if *skip == 0 {
                self.rows(|statements| step.statement(statements), &[from, to, limit]).await?
            } else {
                self.rows(|statements| step.statement(statements), &[from, to, limit, skip]).await?
            };
            let mut found: Vec<_> = rows.iter().map(keyed).collect();
            left = rest(scan, &step, &mut found);
            result.append(&mut found);
        }
        Ok(result)
    }

    pub(crate) async fn count(&self, scan: &Scan) -> Result<usize, ReadError> {
        let (from, to) = ends(scan);
        if from >= to {
            return Ok(0);
        }
        let rows = self.rows(|statements| &statements.count, &[&from, &to]).await?;
        let count: i64 = rows.first().map_or(0, |row| row.get(0));
        Ok(usize::try_from(count).unwrap_or(0))
    }

    pub(crate) fn estimate(&self, scan: &Scan) -> usize {
        let (from, to) = ends(scan);
        if from >= to { 0 } else { self.lease.pool.shared.statistics.estimate(&from, &to) }
    }
}
