//! The published paths as requests find them.

use std::sync::{Arc, PoisonError, RwLock};

use store::{Store, Version};
use tokio::sync::Mutex;

use super::{compiled::Compiled, directory::Directory, stored::all};
use crate::domain::{error::Result, keyspace};

/// The published paths as requests use them: read again when a path or a definition changed.
#[derive(Default)]
pub struct Paths {
    current: RwLock<Option<Current>>,
    /// Reading all definitions takes memory that no request is charged for, so one does it for all.
    reading: Mutex<()>,
}

struct Current {
    as_of: [Version; 2],
    paths: Arc<Vec<Arc<Compiled>>>,
}

impl Paths {
    /// The paths of now, those with more fixed parts first.
    pub async fn now(&self, store: &Store) -> Result<Arc<Vec<Arc<Compiled>>>> {
        let as_of = store.watermark([keyspace::PATHS, keyspace::COLLECTIONS]).await?.changes;
        if let Some(paths) = self.known(as_of.as_slice()) {
            return Ok(paths);
        }
        let _alone = self.reading.lock().await;
        let snapshot = store.snapshot().await?;
        let as_of = [keyspace::PATHS, keyspace::COLLECTIONS].map(|space| snapshot.last_change(space));
        if let Some(paths) = self.known(&as_of) {
            return Ok(paths);
        }
        let stored = all(&snapshot).await?;
        let directory = if stored.is_empty() { Directory::default() } else { Directory::read(&snapshot).await? };
        let mut paths: Vec<_> = stored.iter().map(|path| Arc::new(Compiled::new(&directory, path))).collect();
        paths.sort_by_key(|path| std::cmp::Reverse(path.literals()));
        let paths = Arc::new(paths);
        let current = Some(Current { as_of, paths: Arc::clone(&paths) });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(paths)
    }

    /// Those that were read after these changes, and after no others.
    fn known(&self, as_of: &[Version]) -> Option<Arc<Vec<Arc<Compiled>>>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|current| current.as_of == *as_of).map(|current| Arc::clone(&current.paths))
    }
}
