//! Connections: made within a deadline, kept by a task that makes another when one is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use base::Entropy;
use futures_util::future::{join_all, try_join_all};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinHandle},
    time::{sleep, timeout},
};
use tokio_postgres::{Client, Config, NoTls, Row, Statement, error::SqlState, types::ToSql};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    settings::{DatabaseUrl, Encryption},
    sql::Sql,
    tls,
};
use crate::{OpenError, ReadError, ReadFault};

/// A host has so long for everything: name, TCP, TLS, and its own beginning. The library's own limit ends with TCP.
const DEADLINE: Duration = Duration::from_secs(5);

/// Between two tries, at first and at most. With less, connecting to a closed local port may meet itself.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Where to connect to.
pub(super) struct Connector {
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    pub sql: Arc<Sql>,
    entropy: Entropy,
}

/// A connection that did not come about, or broke. Only what may be logged is in it.
#[derive(Debug, Clone)]
pub(super) struct Lost(pub String);

/// What PostgreSQL said, without the details, in which there may be keys and values.
pub(super) fn in_words(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return format!("{} ({})", told.message(), told.code().code());
    }
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

/// Whether the same may succeed on another connection or a moment later: the connection broke, the server is going away or is a standby,
/// or PostgreSQL asks to try again.
pub(super) fn is_passing(error: &tokio_postgres::Error) -> bool {
    let Some(code) = error.code() else { return true };
    let passing = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::IN_FAILED_SQL_TRANSACTION,
    ];
    // Classes 40, transaction rollback, and 08, connection exception.
    passing.contains(code) || code.code().starts_with("40") || code.code().starts_with("08")
}

impl From<Lost> for ReadError {
    fn from(lost: Lost) -> ReadError {
        ReadError { reason: lost.0, fault: ReadFault::Unavailable }
    }
}

/// What to tell of a statement that failed.
pub(super) fn read_error(error: &tokio_postgres::Error) -> ReadError {
    let fault = match error.code() {
        Some(code) if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => ReadFault::GivenUp,
        _ if is_passing(error) => ReadFault::Unavailable,
        _ => ReadFault::Broken,
    };
    ReadError { reason: in_words(error), fault }
}

/// The statements of daily work, prepared on one connection.
pub(super) struct Statements {
    pub watermark: Statement,
    pub get: Statement,
    pub get_as_of: Statement,
    pub get_many: Statement,
    pub scan: Statement,
    pub scan_backward: Statement,
    pub skip: Statement,
    pub skip_backward: Statement,
    pub count: Statement,
    pub lock: Statement,
    pub fence: Statement,
    pub upsert: Statement,
    pub delete: Statement,
    pub commit: Statement,
}

impl Statements {
    async fn prepare(client: &Client, sql: &Sql) -> Result<Statements, tokio_postgres::Error> {
        // The first alone, since it may ask for types too; the others in one trip.
        let watermark = client.prepare(&sql.watermark).await?;
        let texts = [
            &sql.get,
            &sql.get_as_of,
            &sql.get_many,
            &sql.scan,
            &sql.scan_backward,
            &sql.skip,
            &sql.skip_backward,
            &sql.count,
            &sql.lock,
            &sql.fence,
            &sql.upsert,
            &sql.delete,
            &sql.commit,
        ];
        let mut prepared = try_join_all(texts.map(|text| client.prepare(text))).await?.into_iter();
        let mut next = || prepared.next().unwrap_or_else(|| watermark.clone());
        Ok(Statements {
            get: next(),
            get_as_of: next(),
            get_many: next(),
            scan: next(),
            scan_backward: next(),
            skip: next(),
            skip_backward: next(),
            count: next(),
            lock: next(),
            fence: next(),
            upsert: next(),
            delete: next(),
            commit: next(),
            watermark,
        })
    }
}

/// One connection. It ends when this is dropped and what was sent is answered.
pub(super) struct Session {
    pub client: Client,
    pub statements: Statements,
    /// Statements that wait for their answers.
    in_flight: AtomicUsize,
    /// The task that reads from the socket.
    task: AbortHandle,
}

impl Session {
    /// The rows of a statement.
    pub(super) async fn rows(
        &self,
        statement: &Statement,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let _counted = Counted::new(&self.in_flight);
        self.client.query(statement, values).await
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// Breaks the connection, whatever it waits for.
    pub(super) fn cut(&self) {
        self.task.abort();
    }

    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }
}

/// One that is counted for as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Counted<'a> {
        count.fetch_add(1, Relaxed);
        Counted(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Connector {
    pub(super) fn new(url: &DatabaseUrl, sql: Arc<Sql>) -> Result<Connector, OpenError> {
        let tls = match &url.encryption {
            Encryption::Off => None,
            Encryption::Verified(roots) => Some(tls::connector(roots.as_deref())?),
        };
        Ok(Connector { hosts: url.configs(), tls, sql, entropy: Entropy::system() })
    }

    /// A connection to the first host that takes writes, and the task that drives it.
    pub(super) async fn client(&self) -> Result<(Client, JoinHandle<()>), Lost> {
        let mut told = Vec::new();
        for host in &self.hosts {
            match timeout(DEADLINE, self.client_of(host)).await {
                Ok(Ok(made)) => return Ok(made),
                Ok(Err(error)) => told.push(in_words(&error)),
                Err(_) => told.push(format!("no answer within {} seconds", DEADLINE.as_secs())),
            }
        }
        Err(Lost(told.join("; ")))
    }

    async fn client_of(&self, host: &Config) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
        let end = |outcome: Result<(), tokio_postgres::Error>| {
            if let Err(error) = outcome {
                tracing::debug!(reason = in_words(&error), "a connection to the database ended");
            }
        };
        if let Some(tls) = &self.tls {
            let (client, connection) = host.connect(tls.clone()).await?;
            return Ok((client, tokio::spawn(async move { end(connection.await) })));
        }
        let (client, connection) = host.connect(NoTls).await?;
        Ok((client, tokio::spawn(async move { end(connection.await) })))
    }

    /// The same with everything prepared.
    pub(super) async fn session(&self) -> Result<(Session, JoinHandle<()>), Lost> {
        let (client, task) = self.client().await?;
        let statements = match timeout(DEADLINE, Statements::prepare(&client, &self.sql)).await {
            Ok(Ok(statements)) => statements,
            Ok(Err(error)) => {
                task.abort();
                return Err(Lost(in_words(&error)));
            }
            Err(_) => {
                task.abort();
                return Err(Lost("preparing statements took too long".to_owned()));
            }
        };
        Ok((Session { client, statements, in_flight: AtomicUsize::new(0), task: task.abort_handle() }, task))
    }

    /// How long to wait before try `n`, counted from 0: longer each time, and never the same for two.
    pub(super) fn pause(&self, n: u32) -> Duration {
        let most = FIRST_PAUSE.saturating_mul(1 << n.min(8)).min(LAST_PAUSE);
        let [chance] = self.entropy.bytes();
        most / 2 + most.mul_f64(f64::from(chance) / 512.0)
    }
}

/// A connection that is made again whenever it is lost. Its task ends with it.
pub(super) struct Link {
    current: watch::Receiver<Option<Arc<Session>>>,
    task: AbortHandle,
}

impl Link {
    pub(super) fn new(connector: Arc<Connector>) -> Link {
        let (sender, current) = watch::channel(None);
        let task = tokio::spawn(keep(connector, sender)).abort_handle();
        Link { current, task }
    }

    /// The connection, if there is one now.
    pub(super) fn now(&self) -> Option<Arc<Session>> {
        self.current.borrow().clone().filter(|session| session.is_open())
    }

    /// The connection as soon as there is one.
    pub(super) async fn session(&self) -> Arc<Session> {
        let mut current = self.current.clone();
        loop {
            if let Some(session) = current.borrow_and_update().clone().filter(|session| session.is_open()) {
                return session;
            }
            if current.changed().await.is_err() {
                // The task lives as long as this.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps one connection there.
async fn keep(connector: Arc<Connector>, current: watch::Sender<Option<Arc<Session>>>) {
    let mut failures = 0;
    loop {
        match connector.session().await {
            Ok((session, task)) => {
                if failures > 0 {
                    tracing::info!("the database is reached again");
                }
                failures = 0;
                current.send_replace(Some(Arc::new(session)));
                let _ = task.await;
                current.send_replace(None);
            }
            Err(Lost(reason)) => {
                if failures == 0 {
                    tracing::warn!(reason, "the database is not reached; trying again");
                }
                sleep(connector.pause(failures)).await;
                failures = failures.saturating_add(1);
            }
        }
    }
}

/// Waits until all of these links have a connection.
pub(super) async fn all_there(links: &[Link]) {
    join_all(links.iter().map(Link::session)).await;
}
