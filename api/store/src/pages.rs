//! Reading a range a page at a time, however large it is, so that memory stays small: for what reads everything.

use super::{Entry, Key, ReadError, Scan, Snapshot};

/// Entries of a page, and about how many bytes their values have. An entry may have half a megabyte, most have a few hundred bytes.
const PAGE: usize = 64;
const PAGE_BYTES: usize = 512 * 1024;

/// The pages of a scan, all of the snapshot's moment.
pub struct Pages<'a> {
    snapshot: &'a Snapshot,
    rest: Option<Scan>,
}

impl Snapshot {
    /// What `scan` visits, a page at a time.
    pub fn pages(&self, scan: Scan) -> Pages<'_> {
        Pages { snapshot: self, rest: Some(scan.limit(PAGE).limit_bytes(PAGE_BYTES)) }
    }
}

impl Pages<'_> {
    /// The next page; `None` when everything has been seen.
    pub async fn next(&mut self) -> Result<Option<Vec<(Key, Entry)>>, ReadError> {
        let Some(scan) = self.rest.take() else { return Ok(None) };
        let page = self.snapshot.scan(scan.clone()).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        let bytes: usize = page.iter().map(|(_, entry)| entry.value.len()).sum();
        if page.len() == PAGE || bytes >= PAGE_BYTES {
            self.rest = Some(scan.after(last));
        }
        Ok(Some(page))
    }
}
