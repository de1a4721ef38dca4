//! What a backend is asked for and answers.

use std::ops::Bound;

use crate::{Direction, Entry, Key, ReadError, ReadFault};

/// A page of a range, as a backend is asked for it.
pub(super) struct PageRequest<'a> {
    pub from: Bound<&'a Key>,
    pub to: Bound<&'a Key>,
    pub direction: Direction,
    pub limit: usize,
    /// The page ends with the entry with which its values have so many bytes.
    pub bytes: usize,
    /// Without values only versions are read, and every value is empty.
    pub values: bool,
}

impl PageRequest<'_> {
    /// Entries up to the end of a page.
    pub(super) fn take<E>(
        &self,
        entries: impl Iterator<Item = Result<(Key, Entry), E>>,
    ) -> Result<Vec<(Key, Entry)>, E> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        for entry in entries.take(self.limit) {
            let entry = entry?;
            bytes += entry.1.value.len();
            page.push(entry);
            if bytes >= self.bytes {
                break;
            }
        }
        Ok(page)
    }

    /// Whether a page has as much as was asked for, so that there may be more.
    pub(super) fn is_full(&self, page: &[(Key, Entry)]) -> bool {
        page.len() == self.limit || page.iter().map(|(_, entry)| entry.value.len()).sum::<usize>() >= self.bytes
    }
}

/// Why a group was not applied. Nobody knows what reached the disk.
#[derive(Debug)]
pub(super) struct ApplyError {
    pub reason: String,
    /// There was no room on the disk. What was written can be looked at and written again, once there is.
    pub is_full: bool,
}

impl From<ReadError> for ApplyError {
    fn from(error: ReadError) -> ApplyError {
        ApplyError { reason: format!("reading: {}", error.reason), is_full: error.fault == ReadFault::DiskFull }
    }
}
