//! Backups: everything in a store as of one moment, in one file that knows of no engine.
//!
//! A file is the line `coffer backup 1`, then a gzip stream, then the SHA-256 of all bytes before it. In the stream, in the
//! order of the keys, stand the entries: length of the key and of the value (4 bytes each, big-endian), version (8 bytes),
//! key, value. A length of zero ends them, and the [`Manifest`] follows, as JSON. `write` and `read` are the two directions.
//!
//! Sessions stay out: a session that was ended after the backup must not come back to life with it. So everyone signs in
//! again after a restore. The signing keys are no part of the store and stay out as well. Password hashes are in: a backup is
//! as secret as the data directory.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::store::{Key, Version};

pub use read::{Refused, restore, verify};
pub use write::Backup;

/// The format that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// What a file begins with, before the format's number and a line break.
const MAGIC: &str = "coffer backup ";
/// The spaces that stay out.
const LEFT_OUT: [&str; 3] = ["sessions", "spent", "user_sessions"];
/// Versions that a restored store passes over. The store that was lost gave some out after the backup, nobody knows how many;
/// they stand in entity tags and at the ends of event streams, so none may come again. This is three years of ten thousand
/// commits a second, and leaves room for thousands of restores before numbers are no longer exact in JSON.
const PASSED_OVER: u64 = 1_000_000_000_000;

/// What a backup holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The number of the file's format.
    pub format: u32,
    /// When it was made: RFC 3339, UTC.
    pub created: String,
    /// The program that made it.
    pub coffer: String,
    /// The last commit that is in it.
    pub version: Version,
    /// How many entries each space has.
    pub spaces: BTreeMap<String, u64>,
}

impl Manifest {
    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        self.spaces.values().sum()
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.spaces.get("records").copied().unwrap_or(0)
    }

    fn count(&mut self, key: &Key) {
        let space = key.elements().space().unwrap_or_default().to_owned();
        *self.spaces.entry(space).or_default() += 1;
    }
}

fn is_left_out(key: &Key) -> bool {
    key.elements().space().is_ok_and(|space| LEFT_OUT.contains(&space))
}
