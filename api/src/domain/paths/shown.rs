//! Paths as they are sent.

use common::{
    id::{PathId, Revision},
    page::Page,
    published::PublishedPath,
};
use store::Store;

use super::{
    check,
    directory::Directory,
    stored::{StoredPath, all, find},
};
use crate::domain::error::Result;

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

/// As it is sent.
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
