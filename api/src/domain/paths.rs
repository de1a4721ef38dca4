//! Published paths: how they are stored, and as requests find them. What a path names is kept by ids, so that it follows what is renamed.
//! A path adds nothing to what its collection's rules allow.

mod change;
mod check;
mod compiled;
mod directory;
mod names;
mod projection;
mod record;
mod stored;

use std::sync::{Arc, PoisonError, RwLock};

use common::{
    id::{PathId, Revision},
    page::Page,
    published::PublishedPath,
};
use store::{Scan, Snapshot, Store, Version};

pub use change::{create, delete, replace, update};
pub use check::is_own;
pub use compiled::{Address, Compiled, Parameters, Verb};
pub(in crate::domain) use directory::{expect_not_looked_up, expect_unnamed, named_by};
pub use names::{Write, internal, published, published_parameter};
pub use projection::Projection;
pub use record::{Found, visible_by_unique};

use self::{directory::Directory, stored::StoredPath};
use super::{
    error::{Error, Result},
    keyspace,
};

/// Published paths at most: every request looks through them.
pub const MAX_PATHS: usize = 500;

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

/// All paths, in the order in which they were published.
async fn all(snapshot: &Snapshot) -> Result<Vec<StoredPath>> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::paths())).await?;
    entries.iter().map(|(_, entry)| StoredPath::read(entry)).collect()
}

async fn find(snapshot: &Snapshot, id: PathId) -> Result<StoredPath> {
    let entry = snapshot.get(&keyspace::path(id)).await?.ok_or(Error::NotFound)?;
    StoredPath::read(&entry)
}

/// All paths as they are sent.
pub async fn list(store: &Store) -> Result<Page<PublishedPath>> {
    let snapshot = store.snapshot().await?;
    let directory = Directory::read(&snapshot).await?;
    Ok(Page::single(all(&snapshot).await?.iter().map(|path| shown(&directory, path)).collect()))
}

/// One path as it is sent.
pub async fn get(store: &Store, id: PathId) -> Result<PublishedPath> {
    let snapshot = store.snapshot().await?;
    let directory = Directory::read(&snapshot).await?;
    Ok(shown(&directory, &find(&snapshot, id).await?))
}

fn shown(directory: &Directory, stored: &StoredPath) -> PublishedPath {
    let (definition, mut notes) = directory.today(stored);
    notes.extend(check::shadowed(&definition));
    PublishedPath {
        id: stored.id,
        definition,
        created_at: stored.created_at.clone(),
        updated_at: stored.updated_at.clone(),
        revision: Revision(stored.version.get()),
        notes,
    }
}
