//! The published paths as requests find them.

use std::sync::{Arc, PoisonError, RwLock};

use store::{Store, Version};

use super::{compiled::Compiled, directory::Directory, stored::all};
use crate::domain::{error::Result, keyspace};

/// The published paths as requests use them: read again when a path or a definition changed.
#[derive(Default)]
pub struct Paths(RwLock<Option<Current>>);

struct Current {
    as_of: [Version; 2],
    paths: Arc<Vec<Arc<Compiled>>>,
}

impl Paths {
    /// The paths of now, those with more fixed parts first.
    pub async fn now(&self, store: &Store) -> Result<Arc<Vec<Arc<Compiled>>>> {
        let as_of = store.watermark([keyspace::PATHS, keyspace::COLLECTIONS]).await?.changes;
        if let Some(current) = &*self.0.read().unwrap_or_else(PoisonError::into_inner)
            && current.as_of == as_of
        {
            return Ok(Arc::clone(&current.paths));
        }
        let snapshot = store.snapshot().await?;
        let as_of = [keyspace::PATHS, keyspace::COLLECTIONS].map(|space| snapshot.last_change(space));
        let stored = all(&snapshot).await?;
        let directory = if stored.is_empty() { Directory::default() } else { Directory::read(&snapshot).await? };
        let mut paths: Vec<_> = stored.iter().map(|path| Arc::new(Compiled::new(&directory, path))).collect();
        paths.sort_by_key(|path| std::cmp::Reverse(path.literals()));
        let paths = Arc::new(paths);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Current { as_of, paths: Arc::clone(&paths) });
        Ok(paths)
    }
}
