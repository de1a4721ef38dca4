//! Reads of one statement: over a few connections that all requests share, one question sent after another without waiting for answers.
//! A read that meets a broken connection is asked again on another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::{Row, Statement, types::ToSql};

use super::{
    connection::{Link, Session, Statements, all_there, is_passing, read_error},
    range::Range,
    shared::{Moment, Shared},
};
use crate::{Entry, Key, ReadError, ReadFault, Version, last_changes::LastChanges};

/// A read has so long, with all its tries. Then the database counts as not reached.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Reader {
    links: Vec<Link>,
    next: AtomicUsize,
    shared: Arc<Shared>,
}

pub(super) fn version_of(number: i64) -> Version {
    Version::new(number.cast_unsigned())
}

/// As the database has a version.
pub(super) fn number_of(version: Version) -> i64 {
    version.get().cast_signed()
}

/// An entry at these columns.
pub(super) fn entry_of(row: &Row, at: usize) -> Entry {
    Entry { version: version_of(row.get(at)), value: Bytes::copy_from_slice(row.get(at + 1)) }
}

/// A key and its entry, behind the last commit.
pub(super) fn keyed(row: &Row) -> (Key, Entry) {
    (Key::from_encoded(row.get(1)), entry_of(row, 2))
}

/// The moment that a row of the watermark shows.
pub(super) fn moment_of(row: &Row) -> Result<Moment, ReadError> {
    let changes = LastChanges::from_bytes(row.get(1))?;
    Ok(Moment { version: version_of(row.get(0)), changes: Arc::new(changes) })
}

/// Entries in the order of keys; both are sorted, the keys perhaps not.
pub(super) fn in_order(keys: &[Key], rows: &[Row]) -> Vec<Option<Entry>> {
    let mut found: std::collections::HashMap<&[u8], Entry> =
        rows.iter().map(|row| (row.get::<_, &[u8]>(1), entry_of(row, 2))).collect();
    let once = keys.len() == rows.len();
    keys.iter()
        .map(|key| if once { found.remove(key.as_bytes()) } else { found.get(key.as_bytes()).cloned() })
        .collect()
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, connections: usize) -> Reader {
        let links = (0..connections.max(1)).map(|_| Link::new(Arc::clone(&shared.connector))).collect();
        Reader { links, next: AtomicUsize::new(0), shared }
    }

    /// Waits until all connections are there.
    pub(super) async fn ready(&self) {
        all_there(&self.links).await;
    }

    /// The connection with the fewest questions on their way.
    fn session(&self) -> Option<Arc<Session>> {
        let first = self.next.fetch_add(1, Relaxed);
        let sessions = (0..self.links.len()).filter_map(|n| self.links[(first + n) % self.links.len()].now());
        sessions.min_by_key(|session| session.in_flight())
    }

    /// The rows of a statement.
    pub(super) async fn rows(
        &self,
        statement: impl Fn(&Statements) -> &Statement + Send,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, ReadError> {
        let deadline = Instant::now() + PATIENCE;
        let unavailable = |reason: &str| ReadError { reason: reason.to_owned(), fault: ReadFault::Unavailable };
        loop {
            let Some(session) = self.session() else {
                if Instant::now() >= deadline {
                    return Err(unavailable("there is no connection to the database"));
                }
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            match timeout_at(deadline, session.rows(statement(&session.statements), values)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) if is_passing(&error) && Instant::now() < deadline => {
                    // The connection that broke is on its way out.
                    sleep(Duration::from_millis(1)).await;
                }
                Ok(Err(error)) => return Err(read_error(&error)),
                Err(_) => {
                    // What is behind it would wait as long.
                    session.cut();
                    return Err(unavailable("the database did not answer in time"));
                }
            }
        }
    }

    /// The same, with the last commit noted that its first column has.
    async fn noted(
        &self,
        statement: impl Fn(&Statements) -> &Statement + Send,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, ReadError> {
        let before = self.shared.seen();
        let rows = self.rows(statement, values).await?;
        if let Some(row) = rows.first() {
            self.shared.follows(before, version_of(row.get(0)))?;
        }
        Ok(rows)
    }

    pub(super) async fn moment(&self) -> Result<Moment, ReadError> {
        let rows = self.noted(|statements| &statements.watermark, &[]).await?;
        rows.first().map_or_else(|| Err(ReadError::new("the database holds no commit")), moment_of)
    }

    pub(super) async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        let rows = self.noted(|statements| &statements.get, &[&key.as_bytes()]).await?;
        Ok(rows.first().map(|row| entry_of(row, 1)))
    }

    /// The value, and the moment that it is of.
    pub(super) async fn get_as_of(&self, key: &Key) -> Result<(Option<Entry>, Moment), ReadError> {
        let rows = self.noted(|statements| &statements.get_as_of, &[&key.as_bytes()]).await?;
        let row = rows.first().ok_or_else(|| ReadError::new("the database holds no commit"))?;
        let entry = row.get::<_, Option<i64>>(2).map(|_| entry_of(row, 2));
        Ok((entry, moment_of(row)?))
    }

    pub(super) async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        let asked: Vec<&[u8]> = keys.iter().map(Key::as_bytes).collect();
        let rows = self.noted(|statements| &statements.get_many, &[&asked]).await?;
        Ok(in_order(keys, &rows))
    }

    /// What a range has that is read by one statement.
    pub(super) async fn range(&self, range: &Range) -> Result<Vec<(Key, Entry)>, ReadError> {
        let rows = match range.skip {
            0 => self.noted(|statements| range.statement(statements), &[&range.from, &range.to, &range.limit]).await?,
            skip => {
                let values: [&(dyn ToSql + Sync); 4] = [&range.from, &range.to, &range.limit, &skip];
                self.noted(|statements| range.statement(statements), &values).await?
            }
        };
        Ok(rows.iter().map(keyed).collect())
    }
}
