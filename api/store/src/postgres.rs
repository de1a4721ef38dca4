//! The engine in a PostgreSQL database, which any number of processes share. What a local store promises holds here too, for all of them
//! together:
//!
//! - `settings` → `tls` → `connection`: how the database is reached
//! - `sql`, `schema`: the tables, and every statement
//! - `queue` → `committer` → `attempt`: how a batch gets in, exactly once
//! - `reader`, `watermark`: reads of one statement, and how far the database is
//! - `snapshot`, `range`: reads of one moment
//! - `shared`: how far the database was seen to be, so that one that lost commits is found out
//! - `statistics`: what is known of the keys without reading them
//! - `fill`: how a backup gets in
//!
//! There is one row that every group of commits locks first. Versions are given out under it, so they rise in the order in which commits
//! become visible, and what is decided rests on nothing that was read before. The row itself is never written: each group adds its own row to
//! `commits`, and the newest of those is how far the database is.

mod attempt;
mod committer;
mod connection;
mod fill;
mod queue;
mod range;
mod reader;
mod schema;
mod settings;
mod shared;
mod snapshot;
mod sql;
mod statistics;
mod tls;
mod watermark;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use base::Entropy;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_postgres::Client;
use uuid::Uuid;

use self::{
    committer::Committer,
    connection::{Connector, Lost, in_words},
    queue::Queue,
    range::Range,
    reader::Reader,
    schema::Identity,
    shared::{Moment, Shared},
    snapshot::Pool,
    sql::Sql,
    statistics::Statistics,
    watermark::Watermarks,
};
use crate::{
    Batch, CommitError, CompactError, Compacted, Entry, FORMAT, Failure, FillError, Key, OpenError, ReadError, Scan,
    Stats, Version, Watermark,
};

pub use self::settings::{DatabaseUrl, DatabaseUrlError};
pub(crate) use self::snapshot::Snapshot;

/// A start waits so long for a database that is not there yet.
const START: Duration = Duration::from_secs(30);

/// How often what is known without reading is looked at, and what is old is removed.
const LOOK: Duration = Duration::from_secs(30);
/// How often how far the database is is noted.
const NOTE: Duration = Duration::from_secs(1);

/// Versions that are passed over where commits were lost: none is given out twice.
const PASSED_OVER: u64 = 1_000_000_000_000;

/// How to open a store in a database.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Where the database is.
    pub url: DatabaseUrl,
    /// The schema that the tables are in: lower-case letters, digits and underscores.
    pub schema: String,
    /// Make the tables and an empty store if they are not there.
    pub create: bool,
    /// Connections that requests share for reads of one statement.
    pub readers: usize,
    /// Connections for reads of one moment, each one request's for as long as it reads.
    pub snapshots: usize,
    /// How many batches may wait before the next is refused as `Busy`.
    pub queue_batches: usize,
    /// How many bytes of batches may wait.
    pub queue_bytes: usize,
    /// A file of this machine in which is noted how far the database was, so that one that lost commits is refused by the next start too.
    pub note: Option<PathBuf>,
    /// Open even if commits that were acknowledged are missing, or may be after a power cut. They stay lost.
    pub accept_data_loss: bool,
}

impl PostgresOptions {
    /// A store in the schema `coffer`.
    pub fn new(url: DatabaseUrl) -> PostgresOptions {
        PostgresOptions {
            url,
            schema: "coffer".to_owned(),
            create: false,
            readers: 4,
            snapshots: 16,
            queue_batches: 4096,
            queue_bytes: 64 << 20,
            note: None,
            accept_data_loss: false,
        }
    }

    /// A connection for what is done once.
    async fn client(&self) -> Result<(Client, Arc<Connector>), OpenError> {
        if !schema::is_name(&self.schema) {
            return Err(OpenError::Database {
                what: format!("\"{}\" cannot be the name of its schema", self.schema),
                advice: "use lower-case letters, digits and underscores".to_owned(),
            });
        }
        let connector = Arc::new(Connector::new(&self.url, Arc::new(Sql::new(&self.schema)))?);
        let first = timeout(START, async {
            let mut tries = 0;
            loop {
                match connector.client().await {
                    Ok((client, _)) => return client,
                    Err(Lost(reason)) => {
                        tracing::warn!(
                            database = self.url.place(),
                            reason,
                            "the database is not reached; trying again"
                        );
                        sleep(connector.pause(tries)).await;
                        tries += 1;
                    }
                }
            }
        });
        let client = first.await.map_err(|_| OpenError::Database {
            what: format!("{} is not reached", self.url.place()),
            advice:
                "look whether it runs, and whether address, user and password are right; the log above has its words"
                    .to_owned(),
        })?;
        Ok((client, connector))
    }
}

/// A handle to the engine; it is closed with the last one.
#[derive(Clone)]
pub(crate) struct Postgres(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    reader: Arc<Reader>,
    watermarks: Arc<Watermarks>,
    pool: Arc<Pool>,
    /// True once the committer has ended.
    ended: watch::Receiver<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Postgres {
    pub(crate) async fn create(options: &PostgresOptions) -> Result<(), OpenError> {
        let (client, connector) = options.client().await?;
        if schema::look(&client, &connector.sql).await?.is_none() {
            let id = Uuid::from_bytes(Entropy::system().bytes());
            schema::make_tables(&client, &options.schema).await?;
            schema::make_store(&client, &options.schema, id, Version::ZERO).await?;
        }
        Ok(())
    }

    pub(crate) async fn open(options: PostgresOptions) -> Result<Postgres, OpenError> {
        let (client, connector) = options.client().await?;
        let mut found = schema::look(&client, &connector.sql).await?;
        if found.is_none() && options.create {
            Postgres::create(&options).await?;
            found = schema::look(&client, &connector.sql).await?;
        }
        let Some(identity) = found else {
            return Err(OpenError::Database {
                what: format!("{} has no store in the schema \"{}\"", options.url.place(), options.schema),
                advice: "make one with coffer database init, or start with --database-create".to_owned(),
            });
        };
        if identity.format != FORMAT {
            return Err(OpenError::Database {
                what: format!("the store has format {}, and this program knows format {FORMAT}", identity.format),
                advice: "run a newer coffer".to_owned(),
            });
        }
        if !options.accept_data_loss {
            schema::check_durable(&client).await?;
        }
        let last = compare(&client, &connector, &options, identity).await?;
        let shared = Arc::new(Shared {
            connector,
            store: identity.store,
            node: Uuid::from_bytes(Entropy::system().bytes()),
            format: identity.format,
            stats: Stats::default(),
            statistics: Statistics::default(),
            failure: watch::Sender::new(None),
            seen: watch::Sender::new(last),
            down_since: Mutex::default(),
            note: options.note.clone(),
            noted: AtomicU64::new(0),
        });
        // What it cannot tell yet it can tell later.
        let _ = shared.statistics.refresh(&client, &shared.connector.sql).await;
        Ok(Postgres::start(shared, &options).await)
    }

    async fn start(shared: Arc<Shared>, options: &PostgresOptions) -> Postgres {
        let queue = Arc::new(Queue::new(options.queue_batches, options.queue_bytes));
        let reader = Arc::new(Reader::new(Arc::clone(&shared), options.readers));
        let watermarks = Arc::new(Watermarks::default());
        let pool = Pool::new(Arc::clone(&shared), options.snapshots.max(1));
        let (ended_sender, ended) = watch::channel(false);
        let committer = Committer::new(Arc::clone(&shared), Arc::clone(&queue));
        // It ends by itself, when what was queued is committed.
        tokio::spawn(async move {
            committer.run().await;
            ended_sender.send_replace(true);
        });
        let tasks = vec![
            tokio::spawn(Arc::clone(&watermarks).run(Arc::clone(&reader))),
            tokio::spawn(look_now_and_then(Arc::clone(&shared))),
            tokio::spawn(note_now_and_then(Arc::clone(&shared))),
        ];
        // A start that found the database a moment ago finds it again.
        let _ = timeout(START, reader.ready()).await;
        Postgres(Arc::new(Handle { shared, queue, reader, watermarks, pool, ended, tasks }))
    }

    pub(crate) async fn fill<E>(
        options: &PostgresOptions,
        version: Version,
        entries: impl Iterator<Item = Result<(Key, Entry), E>>,
    ) -> Result<(), FillError<E>> {
        if options.create {
            Postgres::create(options).await?;
        }
        let (client, _) = options.client().await?;
        fill::fill(&client, &options.schema, version, entries).await
    }

    pub(crate) async fn snapshot(&self) -> Result<Snapshot, ReadError> {
        self.0.pool.snapshot().await
    }

    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        self.0.reader.get(key).await
    }

    pub(crate) async fn get_as_of<const N: usize>(
        &self,
        key: &Key,
        spaces: [&'static str; N],
    ) -> Result<(Option<Entry>, Watermark<N>), ReadError> {
        let (entry, moment) = self.0.reader.get_as_of(key).await?;
        Ok((entry, watermark_of(&moment, spaces)))
    }

    pub(crate) async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        if keys.is_empty() { Ok(Vec::new()) } else { self.0.reader.get_many(keys).await }
    }

    pub(crate) async fn scan(&self, scan: Scan) -> Result<Vec<(Key, Entry)>, ReadError> {
        match Range::first(&scan) {
            None => Ok(Vec::new()),
            // One statement is one moment.
            Some(range) if scan.bytes == usize::MAX && usize::try_from(range.limit) == Ok(scan.limit) => {
                self.0.reader.range(&range).await
            }
            Some(_) => self.snapshot().await?.scan(scan).await,
        }
    }

    pub(crate) async fn watermark<const N: usize>(&self, spaces: [&'static str; N]) -> Result<Watermark<N>, ReadError> {
        Ok(watermark_of(&self.0.watermarks.now().await?, spaces))
    }

    pub(crate) async fn later_than(&self, version: Version) -> Version {
        self.0.watermarks.later_than(&self.0.shared, version).await
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<Version, CommitError> {
        if self.0.shared.failure.borrow().is_some() {
            return Err(CommitError::Stopped);
        }
        let answer = self.0.queue.push(batch)?;
        // Without an answer the committer ended first.
        answer.await.unwrap_or(Err(CommitError::Stopped))
    }

    pub(crate) async fn compact(&self) -> Result<Compacted, CompactError> {
        std::future::ready(Err(CompactError::Elsewhere)).await
    }

    pub(crate) fn format(&self) -> u32 {
        self.0.shared.format
    }

    pub(crate) fn raise_format(&self) -> std::io::Result<()> {
        // One of another format is not opened.
        if self.format() == FORMAT { Ok(()) } else { Err(std::io::ErrorKind::Unsupported.into()) }
    }

    pub(crate) fn takes_writes(&self) -> Result<(), CommitError> {
        if self.0.shared.failure.borrow().is_some() || self.0.queue.is_closed() {
            return Err(CommitError::Stopped);
        }
        if self.0.shared.down_since().is_some() { Err(CommitError::Unavailable { unknown: false }) } else { Ok(()) }
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.0.shared.stats
    }

    pub(crate) fn waiting(&self) -> usize {
        self.0.queue.len()
    }

    /// What the database's tables take, as it was a moment ago.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.0.shared.statistics.bytes.load(Relaxed)
    }

    pub(crate) async fn close(&self) {
        self.0.queue.close();
        let mut ended = self.0.ended.clone();
        // An error says that it is gone, which is as good.
        let _ = ended.wait_for(|ended| *ended).await;
        self.0.shared.keep_note();
    }

    pub(crate) fn failure(&self) -> watch::Receiver<Option<Failure>> {
        self.0.shared.failure.subscribe()
    }
}

fn watermark_of<const N: usize>(moment: &Moment, spaces: [&'static str; N]) -> Watermark<N> {
    Watermark { version: moment.version, changes: spaces.map(|space| moment.changes.of(space)) }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
        self.shared.keep_note();
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Compares a database with what this machine saw of it earlier, and gives its last commit.
async fn compare(
    client: &Client,
    connector: &Connector,
    options: &PostgresOptions,
    identity: Identity,
) -> Result<Version, OpenError> {
    let last = || async {
        let row = client.query_one(&connector.sql.watermark, &[]).await.map_err(|error| schema::refused(&error))?;
        reader::moment_of(&row).map_err(|error| OpenError::Database {
            what: error.reason,
            advice: "restore the database from a backup".to_owned(),
        })
    };
    let (found, seen) = (last().await?.version, shared::read_note(options.note.as_ref(), identity.store)?);
    if found >= seen {
        return Ok(found);
    }
    if !options.accept_data_loss {
        return Err(OpenError::LostCommits { found, seen });
    }
    // Every version that was lost may be known to somebody.
    let later = Version::new(seen.get().max(found.get()) + PASSED_OVER);
    schema::pass_over(client, &options.schema, found, later).await?;
    Ok(last().await?.version)
}

/// Keeps what is known without reading at hand, and removes rows of commits that nobody asks for any more.
async fn look_now_and_then(shared: Arc<Shared>) {
    let connector = &shared.connector;
    loop {
        sleep(LOOK).await;
        let Ok((client, _)) = connector.client().await else { continue };
        let looked = shared.statistics.refresh(&client, &connector.sql).await;
        let trimmed = client.execute(&connector.sql.trim, &[]).await;
        if let Err(error) = looked.and(trimmed) {
            tracing::debug!(reason = in_words(&error), "the database could not be looked at");
        }
    }
}

async fn note_now_and_then(shared: Arc<Shared>) {
    loop {
        sleep(NOTE).await;
        shared.keep_note();
    }
}
