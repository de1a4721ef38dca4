//! Walking through a part of a snapshot, however large: a stretch at a time, so that memory stays small. For what reads
//! everything: the check, the backup, trimming the journal.

use crate::store::{Entry, Key, ReadError, Scan, Snapshot};

/// Entries that are read at once. An entry may have half a megabyte, most have a few hundred bytes.
const STRETCH: usize = 64;

/// A walk under way.
pub struct Walk<'a> {
    snapshot: &'a Snapshot,
    rest: Option<Scan>,
}

impl<'a> Walk<'a> {
    /// Begins at the scan's first key.
    pub fn new(snapshot: &'a Snapshot, scan: Scan) -> Self {
        Self { snapshot, rest: Some(scan.limit(STRETCH)) }
    }

    /// The next stretch; `None` when everything has been seen.
    pub async fn next(&mut self) -> Result<Option<Vec<(Key, Entry)>>, ReadError> {
        let Some(scan) = self.rest.take() else { return Ok(None) };
        let stretch = self.snapshot.scan(scan.clone()).await?;
        let Some((last, _)) = stretch.last() else { return Ok(None) };
        if stretch.len() == STRETCH {
            self.rest = Some(scan.after(last));
        }
        Ok(Some(stretch))
    }
}
