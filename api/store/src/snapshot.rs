//! Reading the store as it was after one commit, while later commits go on.

#[cfg(feature = "postgres")]
use super::postgres;
use super::{Entry, Key, ReadError, Scan, Version, local};

/// The store as it was after the commit [`Snapshot::version`]. Everything read through it is of
/// that moment. It costs memory in proportion to what is overwritten while it is held.
pub struct Snapshot(Engine);

enum Engine {
    Local(local::Snapshot),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Snapshot),
}

/// How many keys a range has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Exactly so many.
    Exact(usize),
    /// About so many: the engine keeps no counts, and reading the range would take too long.
    Estimate(usize),
}

impl Count {
    /// The number, exact or not.
    pub fn get(self) -> usize {
        match self {
            Count::Exact(count) | Count::Estimate(count) => count,
        }
    }
}

impl Snapshot {
    pub(crate) fn local(snapshot: local::Snapshot) -> Snapshot {
        Snapshot(Engine::Local(snapshot))
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(snapshot: postgres::Snapshot) -> Snapshot {
        Snapshot(Engine::Postgres(snapshot))
    }

    /// The last commit that this snapshot shows.
    pub fn version(&self) -> Version {
        match &self.0 {
            Engine::Local(local) => local.version(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.version(),
        }
    }

    /// The last commit that wrote to the space of this name; the one that the store was opened at, if none has since. Where two
    /// snapshots agree on it, they show the same of that space.
    pub fn last_change(&self, space: &'static str) -> Version {
        match &self.0 {
            Engine::Local(local) => local.last_change(space),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.last_change(space),
        }
    }

    /// The value of `key`, if there is one.
    pub async fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.get(key).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.get(key)).await,
        }
    }

    /// The values of several keys, in their order: one trip to an engine over the network.
    pub async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.get_many(keys).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.get_many(keys)).await,
        }
    }

    /// The entries that `scan` visits, in its order.
    pub async fn scan(&self, scan: Scan) -> Result<Vec<(Key, Entry)>, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.scan(scan).await,
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.scan(scan)).await,
        }
    }

    /// How many keys lie in the range of a scan, whatever it skips and wherever it stops.
    pub async fn count(&self, scan: &Scan) -> Result<Count, ReadError> {
        match &self.0 {
            Engine::Local(local) => local.count(scan).await.map(Count::Exact),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => Box::pin(postgres.count(scan)).await.map(Count::Exact),
        }
    }

    /// About how many keys lie in the range of a scan, from what is known without reading any. It is for choosing between ways of
    /// reading: a local store is off by some hundred at most, a database by a thousandth of
    /// all its keys.
    pub fn estimate(&self, scan: &Scan) -> usize {
        match &self.0 {
            Engine::Local(local) => local.estimate(scan),
            #[cfg(feature = "postgres")]
            Engine::Postgres(postgres) => postgres.estimate(scan),
        }
    }
}
