//! Trimming the journal: old entries go, oldest first, a bounded number at a time. Histories then end earlier, and what was
//! deleted before cannot be put back any more. Nothing else rests on the journal.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    domain::{error::Result, keyspace},
    store::{Batch, Key, Scan, Store, Version, journal},
};

/// Entries that one commit removes at most.
const TOGETHER: usize = 500;

/// Removes what the journal says of the time before `until`, up to the first entry that is later, and the marks of records
/// that were deleted by then. Gives the number of entries. `progress` is told of them as they go.
pub async fn trim(store: &Store, until: OffsetDateTime, progress: &mut (dyn FnMut(usize) + Send)) -> Result<u64> {
    let snapshot = store.snapshot().await?;
    let mut removed = Removed { store, batch: Batch::new(), waiting: 0, progress };
    let mut pages = snapshot.pages(journal::all());
    let (mut count, mut last) = (0, Version::ZERO);
    'old: while let Some(page) = pages.next().await? {
        for (key, entry) in page {
            let change: common::change::Change = serde_json::from_slice(&entry.value)?;
            let at = OffsetDateTime::parse(&change.at, &Rfc3339).ok();
            if at.is_none_or(|at| at >= until) {
                break 'old;
            }
            last = journal::position(&key).map_or(last, |(version, _)| version);
            count += 1;
            removed.push(key).await?;
        }
    }
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::everything_gone()));
    while let Some(page) = pages.next().await? {
        for (key, _) in page.into_iter().filter(|(_, entry)| entry.version <= last) {
            removed.push(key).await?;
        }
    }
    removed.commit().await?;
    Ok(count)
}

/// What goes with the next commit.
struct Removed<'a> {
    store: &'a Store,
    batch: Batch,
    waiting: usize,
    progress: &'a mut (dyn FnMut(usize) + Send),
}

impl Removed<'_> {
    async fn push(&mut self, key: Key) -> Result<()> {
        self.batch.delete(key);
        self.waiting += 1;
        if self.waiting == TOGETHER { self.commit().await } else { Ok(()) }
    }

    async fn commit(&mut self) -> Result<()> {
        self.store.commit(std::mem::take(&mut self.batch)).await?;
        (self.progress)(std::mem::take(&mut self.waiting));
        Ok(())
    }
}
