//! A store, whichever engine keeps it.

#[cfg(feature = "postgres")]
use crate::postgres::{Postgres, PostgresOptions};
use crate::{
    Batch, CommitError, CompactError, Compacted, Entry, Failure, FillError, Key, OpenError, Options, ReadError,
    Salvaged, Scan, Snapshot, Stats, Version, Watermark,
    local::{Local, fill, salvage},
};

/// An open store. Clones are handles to the same one; when the last is gone, what was queued is
/// committed and the store is closed.
#[derive(Clone)]
pub struct Store(Engine);

/// Futures of the database are boxed where they are awaited: they are large, and a request of the local store would hold their room too.
#[derive(Clone)]
enum Engine {
    Local(Local),
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
}

impl Store {
    /// Opens a store, and makes it if it is not there. Blocks until everything has been checked.
    pub fn open(options: Options) -> Result<Store, OpenError> {
        Local::open(options).map(|local| Store(Engine::Local(local)))
    }

    /// Makes a store, puts entries into it and closes it; all is on disk then. Its next commit gets a version later than
    /// `version`, which none of the entries may exceed. Blocks.
    pub fn fill<E>(
        options: &Options,
        version: Version,
        entries: impl Iterator<Item = Result<(Key, Entry), E>>,
    ) -> Result<(), FillError<E>> {
        fill(options, version, entries)
    }

    /// Makes a store in the directory `to` of what can still be read of a damaged one in `from`, which is not changed. It is in the same
    /// format. Blocks.
    pub fn salvage(from: &std::path::Path, to: &std::path::Path) -> Result<Salvaged, OpenError> {
        salvage(from, to)
    }

    /// The store as it is now, to be read as often as needed.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(clippy::unused_async, reason = "only a database has to be waited for")
    )]
    pub async fn snapshot(&self) -> Result<Snapshot, ReadError> {
        match &self.0 {
            Engine::Local(local) => Ok(Snapshot::local(local.snapshot())),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Ok(Snapshot::postgres(Box::pin(postgres.snapshot()).await?)),
        }
    }

    /// Opens the store in a database, which others may have open too. Returns when everything has been checked.
    #[cfg(feature = "postgres")]
    pub async fn connect(options: PostgresOptions) -> Result<Store, OpenError> {
        Postgres::open(options).await.map(|postgres| Store(Engine::Postgres(postgres)))
    }

    /// Makes the tables of a store in a database, and an empty store in them. What is there already stays as it is.
    #[cfg(feature = "postgres")]
    pub async fn create(options: &PostgresOptions) -> Result<(), OpenError> {
        Postgres::create(options).await
    }

    /// What [`fill`](Self::fill) does, for a store in a database that is empty, and where the options say so is made. It appears with the last entry, all at once.
    #[cfg(feature = "postgres")]
    pub async fn fill_database<E>(
        options: &PostgresOptions,
        version: Version,
        entries: impl Iterator<Item = Result<(Key, Entry), E>>,
    ) -> Result<(), FillError<E>> {
        Postgres::fill(options, version, entries).await
    }

    /// The value of `key`, if there is one.
    pub async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.snapshot().get(key).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.get(key)).await,
        }
    }

    /// The value of `key`, and how far the store is at that very moment: one trip to an engine over the network.
    pub async fn get_as_of<const N: usize>(
        &self,
        key: &Key,
        spaces: [&'static str; N],
    ) -> Result<(Option<Entry>, Watermark<N>), ReadError> {
        match &self.0 {
            Engine::Local(local) => {
                let snapshot = local.snapshot();
                let changes = spaces.map(|space| snapshot.last_change(space));
                Ok((snapshot.get(key).await?, Watermark { version: snapshot.version(), changes }))
            }
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.get_as_of(key, spaces)).await,
        }
    }

    /// The values of several keys, in their order and all as of one moment: one trip to an engine over the network.
    pub async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.snapshot().get_many(keys).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.get_many(keys)).await,
        }
    }

    /// The entries that `scan` visits, all as of one moment.
    pub async fn scan(&self, scan: Scan) -> Result<Vec<(Key, Entry)>, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.snapshot().scan(scan).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.scan(scan)).await,
        }
    }

    /// How far the store is: its last commit, and the last one that wrote to each of these spaces. Whoever keeps what was read
    /// asks this first: what was read at the same [`Watermark::changes`] is still so.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(clippy::unused_async, reason = "only a database has to be waited for")
    )]
    pub async fn watermark<const N: usize>(&self, spaces: [&'static str; N]) -> Result<Watermark<N>, ReadError> {
        match &self.0 {
            Engine::Local(local) => Ok(local.watermark(spaces)),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.watermark(spaces)).await,
        }
    }

    /// Waits until there is a commit later than `version`, and gives the last one. Whoever follows the store asks again and again.
    pub async fn later_than(&self, version: Version) -> Version {
        match &self.0 {
            Engine::Local(local) => local.later_than(version).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.later_than(version)).await,
        }
    }

    /// Applies a batch whole or not at all, and returns its version once it is durable. The batch
    /// goes through even if the caller stops waiting.
    pub async fn commit(&self, batch: Batch) -> Result<Version, CommitError> {
        if let Some(key) = batch.written_keys().find(|key| key.as_bytes().len() > Key::MAX_BYTES) {
            return Err(CommitError::KeyTooLong { key: key.clone() });
        }
        match &self.0 {
            Engine::Local(local) => local.commit(batch).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.commit(batch)).await,
        }
    }

    /// The format that the store is in; that of an earlier version of this program is less than [`FORMAT`](crate::FORMAT).
    pub fn format(&self) -> u32 {
        match &self.0 {
            Engine::Local(local) => local.format(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.format(),
        }
    }

    /// Notes, durably, that the store is in the newest format, after what an earlier one lacks was added. Blocks.
    pub fn raise_format(&self) -> std::io::Result<()> {
        match &self.0 {
            Engine::Local(local) => local.raise_format(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.raise_format(),
        }
    }

    /// Whether a small commit would go through now, as far as can be told without one.
    pub fn takes_writes(&self) -> Result<(), CommitError> {
        match &self.0 {
            Engine::Local(local) => local.takes_writes(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.takes_writes(),
        }
    }

    /// What the store has been doing, for metrics.
    pub fn stats(&self) -> &Stats {
        match &self.0 {
            Engine::Local(local) => local.stats(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.stats(),
        }
    }

    /// How many batches wait to be committed.
    pub fn waiting(&self) -> usize {
        match &self.0 {
            Engine::Local(local) => local.waiting(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.waiting(),
        }
    }

    /// How many bytes the store takes on this machine's disk; 0 in memory. Looks at its files, so it may block for a moment.
    pub fn disk_bytes(&self) -> Result<u64, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.disk_bytes(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Ok(postgres.disk_bytes()),
        }
    }

    /// Gives what the store has on the disk and does not need back to the system. It is closed and opened again for that; reads
    /// and commits wait meanwhile, and then go on.
    pub async fn compact(&self) -> Result<Compacted, CompactError> {
        match &self.0 {
            Engine::Local(local) => local.compact().await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.compact()).await,
        }
    }

    /// Commits what is queued and stops taking writes; reads go on. What the store keeps to itself, such as a directory, is
    /// free for another process when all handles and snapshots are gone too.
    pub async fn close(&self) {
        match &self.0 {
            Engine::Local(local) => local.close().await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.close()).await,
        }
    }

    /// Resolves when a write failed and the store stopped taking writes for good, so that the
    /// process can end. Never resolves after an orderly close.
    pub fn failed(&self) -> impl Future<Output = Failure> + Send + use<> {
        let mut failure = match &self.0 {
            Engine::Local(local) => local.failure(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.failure(),
        };
        async move {
            let failed = failure.wait_for(Option::is_some).await;
            match failed.ok().and_then(|failure| failure.clone()) {
                Some(failure) => failure,
                None => std::future::pending().await,
            }
        }
    }
}
