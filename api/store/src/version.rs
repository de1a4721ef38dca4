//! Versions, and what the store hands out for a key: the value with the version that wrote it.
//! How a version is assigned belongs to the committer.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The one counter of the whole store. Every commit takes the next one; none is ever used twice,
/// not even after a crash. Written as a plain number in text, JSON and entity tags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(u64);

impl Version {
    /// Before the first commit; no value carries it.
    pub const ZERO: Version = Version(0);

    /// Later than every commit; no value carries it.
    pub(super) const MAX: Version = Version(u64::MAX);

    /// The version with this number.
    pub const fn new(number: u64) -> Version {
        Version(number)
    }

    /// The number itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after this.
    pub(super) const fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not a version: decimal digits without sign or leading zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version number")]
pub struct ParseVersionError;

impl FromStr for Version {
    type Err = ParseVersionError;

    /// Accepts exactly what `Display` writes, so that one version has one spelling.
    fn from_str(text: &str) -> Result<Version, ParseVersionError> {
        let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if !canonical {
            return Err(ParseVersionError);
        }
        text.parse().map(Version).map_err(|_| ParseVersionError)
    }
}

/// A value and the version of the commit that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The commit that wrote the value.
    pub version: Version,
    /// The value, byte for byte as it was put.
    pub value: Bytes,
}

/// Reads a counter that [`Batch::add`](super::Batch::add) keeps; `None` if the value is not one.
pub fn counter(entry: &Entry) -> Option<i64> {
    counters(entry).map(|[count]| count)
}

/// Reads the counters that [`Batch::add_up_to`](super::Batch::add_up_to) keeps under one key; `None` if the value is
/// anything else.
pub fn counters<const N: usize>(entry: &Entry) -> Option<[i64; N]> {
    let (numbers, []) = entry.value.as_chunks() else { return None };
    let numbers: &[[u8; 8]; N] = numbers.try_into().ok()?;
    Some(numbers.map(i64::from_be_bytes))
}

/// How far a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark<const N: usize> {
    /// Its last commit.
    pub version: Version,
    /// The last commit that wrote to each of the spaces that were asked about; the one that the store was opened at, if none
    /// has since.
    pub changes: [Version; N],
}
