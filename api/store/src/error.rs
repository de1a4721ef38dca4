//! What can go wrong with the store, in the terms of those who call it. Which exit code or status
//! a kind of error gets is decided where it is shown.

use std::path::PathBuf;

use super::{Addition, Key, Version};

/// Why a store could not be opened. `Display` is one line for the operator and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the store open (exit code 3).
    #[error(
        "the store {} is in use by {}; stop that process first",
        dir.display(),
        holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The store's directory.
        dir: PathBuf,
        /// The process that holds it, if it left its number.
        holder: Option<u32>,
    },
    /// The store is damaged or incomplete (exit code 4). It is left as it was found, unless it is
    /// so large that opening it makes no copy; then the line does not say so.
    #[error("the store {} is damaged: {what}; {advice}", dir.display())]
    Damaged {
        /// The store's directory.
        dir: PathBuf,
        /// What is wrong, for people.
        what: String,
        /// What to run or to do next.
        advice: String,
    },
    /// A newer Coffer wrote the store.
    #[error(
        "the store {} has format {found}, and this program knows formats up to {known}; \
         run a newer coffer",
        dir.display()
    )]
    TooNew {
        /// The store's directory.
        dir: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// A file of the store belongs to another user, who lets this process not use it (exit code 1). That is no damage.
    #[error(
        "cannot open the store {}: {} belongs to {owner}, and this process runs as {user}, who may not use it; give the files to \
         {user} with `sudo chown -R {user} {}`",
        dir.display(),
        path.display(),
        dir.display()
    )]
    Foreign {
        /// The store's directory.
        dir: PathBuf,
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: String,
        /// Whom this process runs as.
        user: String,
    },
    /// The database is not reached, or not as it has to be (exit code 1).
    #[error("cannot use the database: {what}; {advice}")]
    Database {
        /// What is wrong, for people. Never with a password.
        what: String,
        /// What to run or to do next.
        advice: String,
    },
    /// The database has less than this server has seen of it (exit code 4).
    #[error(
        "the database has lost commits: its last one is {found}, and {seen} was acknowledged; bring the database to its newest state, or \
         give up what is lost with --accept-data-loss"
    )]
    LostCommits {
        /// Its last commit.
        found: Version,
        /// The last one that was seen.
        seen: Version,
    },
    /// The operating system refused something.
    #[error("cannot open the store {}: {what}: {source}", dir.display())]
    Io {
        /// The store's directory.
        dir: PathBuf,
        /// What was being done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What kind of failure a [`ReadError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// The disk or the engine failed.
    Broken,
    /// Nothing is wrong with the store: the snapshot was too old to be kept. A new one can be read.
    GivenUp,
    /// The database is not reached, or has no connection free. Nothing is wrong with what it holds.
    Unavailable,
    /// The engine could not write before it read, for the disk is full. It can be read again once there is room.
    DiskFull,
}

/// A value could not be read: the disk, the database or the engine failed, or the snapshot was given up. Never "not there".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store could not read: {reason}")]
pub struct ReadError {
    /// The engine's own words, for the log only.
    pub reason: String,
    /// What kind of failure it is.
    pub fault: ReadFault,
}

impl ReadError {
    /// The disk or the engine failed.
    pub fn new(reason: impl Into<String>) -> ReadError {
        ReadError { reason: reason.into(), fault: ReadFault::Broken }
    }

    /// A snapshot that kept too much.
    pub(crate) fn given_up() -> ReadError {
        let reason = "so much was overwritten since this snapshot that it is not kept any longer".to_owned();
        ReadError { reason, fault: ReadFault::GivenUp }
    }
}

/// Why a batch was not committed. Except for [`Stopped`](CommitError::Stopped), where the outcome
/// may be unknown until the next start, and an [unknown](CommitError::Unavailable) outcome, nothing of the batch is or will be
/// in the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// An expectation does not hold. Read again and decide anew.
    #[error("a key is not as the batch expects")]
    Conflict {
        /// The key of the first expectation that does not hold.
        key: Key,
    },
    /// [`Batch::add`](super::Batch::add) met a value that is no counter.
    #[error("a key that should be a counter holds another value")]
    NotACounter {
        /// The key.
        key: Key,
    },
    /// [`Batch::add_up_to`](super::Batch::add_up_to) would bring a counter past its ceiling.
    #[error("a counter is full")]
    Full {
        /// The counters' key.
        key: Key,
        /// What they are at without the batch.
        found: Vec<i64>,
        /// What the batch would add, in the same order.
        additions: Vec<Addition>,
    },
    /// A key to be written is longer than [`Key::MAX_BYTES`].
    #[error("a key is longer than {} bytes", Key::MAX_BYTES)]
    KeyTooLong {
        /// The key.
        key: Key,
    },
    /// A value that the batch depends on could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// More batches are waiting than the store takes on. Try again in a moment.
    #[error("the store is busy")]
    Busy,
    /// The disk has too little room left. Commits succeed again when there is more.
    #[error("the disk is full")]
    DiskFull,
    /// The database is not reached.
    #[error("the database is not reached{}", if *.unknown { ", and the outcome is not known" } else { "" })]
    Unavailable {
        /// The batch was sent, and nobody knows yet whether it was committed. It may still be.
        unknown: bool,
    },
    /// The store takes no more writes: it was closed, or it failed (see [`Store::failed`]).
    ///
    /// [`Store::failed`]: super::Store::failed
    #[error("the store takes no more writes")]
    Stopped,
}

/// Why space was not given back to the system. The store goes on as before, unless it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompactError {
    /// The store could not be opened again with so little room.
    #[error(
        "opening the store again needs {} MB of free disk, and there are {}; remove other files first",
        needed.div_ceil(1_000_000),
        free / 1_000_000
    )]
    NoRoom {
        /// Bytes that are needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The file system takes no more files, and opening the store again makes some.
    #[error("the file system takes no more files (it is out of inodes); remove other files first")]
    NoFiles,
    /// The store is in a database, which does that by itself.
    #[error("PostgreSQL gives space back by itself (autovacuum); its own VACUUM FULL gives back more")]
    Elsewhere,
    /// The store takes no more writes.
    #[error("the store takes no more writes")]
    Stopped,
}

/// Why the store stopped taking writes for good. The process should end and be started again;
/// what was acknowledged is on disk up to `durable`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store stopped after version {durable}: {reason}")]
pub struct Failure {
    /// The last version that is known to be on disk.
    pub durable: Version,
    /// The engine's own words, for the log only.
    pub reason: String,
}

/// Why a store could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError<E> {
    /// It could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It has something in it already.
    #[error("the store is not empty")]
    NotEmpty,
    /// It could not be written.
    #[error("the store could not be written: {reason}")]
    Write {
        /// The engine's own words.
        reason: String,
    },
    /// The entries broke off.
    #[error("the entries broke off")]
    Entries(E),
}
