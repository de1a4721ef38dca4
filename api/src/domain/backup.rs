//! Backups: everything in a store as of one moment, in one file that knows of no engine.
//!
//! A file is the line `coffer backup 2`, then a gzip stream, then the SHA-256 of all bytes before it. In the stream, in the
//! order of the keys, stand the entries, in words (`domain/words`): length of the key and of the value (4 bytes each, big-endian), version (8 bytes),
//! key, value. A length of zero ends them, and the [`Manifest`] follows, as JSON. `write` and `read` are the two directions.
//!
//! Sessions stay out: a session that was ended after the backup must not come back to life with it. So everyone signs in
//! again after a restore. Work in the background stays out too, so that a restored store does not go on with it. The signing keys are no part of the store and stay out as well. Password hashes are in: a backup is
//! as secret as the data directory.

mod format;
mod read;
#[cfg(test)]
mod tests;
mod write;

/// Bytes that one that is being made takes: its pieces, the page that is read, and what packs it.
pub const HELD: u64 = 2 * 1024 * 1024;

pub use format::{Manifest, restored_times};
#[cfg(feature = "postgres")]
pub use read::restore_into_database;
pub use read::{Refused, restore, verify};
pub use write::Backup;
