//! What a backup is made of, for the one who writes it and the one who reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store::{Key, Version};

/// The format that this program writes, and the newest that it reads. In format 1, what is derived is in a backup too, and the
/// journal has all values before and after a change.
pub(super) const FORMAT: u32 = 2;
/// What a file begins with, before the format's number and a line break.
pub(super) const MAGIC: &str = "coffer backup ";
/// The spaces that stay out.
const LEFT_OUT: [&str; 5] = ["idempotency_keys", "operations", "sessions", "spent", "user_sessions"];
/// Versions that a restored store passes over. The store that was lost gave some out after the backup, nobody knows how many;
/// they stand in entity tags and at the ends of event streams, so none may come again. This is three years of ten thousand
/// commits a second, and leaves room for thousands of restores before numbers are no longer exact in JSON.
pub(super) const PASSED_OVER: u64 = 1_000_000_000_000;

/// How often what a store holds had been restored when it gave a version out.
pub fn restored_times(version: Version) -> u64 {
    version.get() / PASSED_OVER
}

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

    pub(super) fn count(&mut self, key: &Key) {
        let space = key.elements().space().unwrap_or_default().to_owned();
        *self.spaces.entry(space).or_default() += 1;
    }
}

pub(super) fn is_left_out(key: &Key) -> bool {
    key.elements().space().is_ok_and(|space| LEFT_OUT.contains(&space))
}
