//! How much may be stored (`docs/security.md`, D7): how many records a user may own, how many bytes they may take, and how many
//! collections there may be. What is there is counted in `usage`.

use std::sync::atomic::AtomicU64;

use store::{Addition, Key};
use thiserror::Error;

use super::{keyspace, numbers::OwnerNumber};

/// Collections of a server at most. Lists of collections, and deleting a record, read all definitions.
pub const MAX_COLLECTIONS: i64 = 1000;

/// How much a user may own who is no admin.
#[derive(Debug)]
pub struct Quota {
    /// Records; `None` for any number.
    pub records: Option<u64>,
    /// Bytes of records; `None` for any number.
    pub bytes: Option<u64>,
    /// Changes that were refused since the start.
    pub refused: AtomicU64,
}

impl Default for Quota {
    /// Users do not reach it in normal work. It keeps a program that writes at full speed from filling the disk.
    fn default() -> Self {
        Self::new(Some(1_000_000), Some(1_000_000_000))
    }
}

impl Quota {
    /// A quota of so many records and so many bytes.
    pub fn new(records: Option<u64>, bytes: Option<u64>) -> Self {
        Self { records, bytes, refused: AtomicU64::new(0) }
    }
}

/// Why a change goes past a quota. `Display` is for who wanted it.
#[derive(Debug, Error)]
pub enum OverQuota {
    /// The caller's own, of records.
    #[error(
        "You own {} of the {} that you may, so there is no room for {}. Delete some that you no longer need, or ask whoever runs this server for more.",
        common::text::thousands(*.used), common::text::count(*.limit, "record"), common::text::count(*.added, "more record")
    )]
    Records {
        /// What the caller has.
        used: u64,
        /// What the caller may have.
        limit: u64,
        /// What the change would add.
        added: u64,
    },
    /// The caller's own, of bytes.
    #[error(
        "Your records take {} of the {} that they may, so there is no room for {} more. Delete or shorten some, or ask whoever runs this server for more.",
        common::text::bytes(*.used), common::text::bytes(*.limit), common::text::bytes(*.added)
    )]
    Bytes {
        /// What the caller's records take.
        used: u64,
        /// What they may take.
        limit: u64,
        /// What the change would add.
        added: u64,
    },
    /// What is kept of earlier versions.
    #[error("There is no room for more earlier versions.")]
    History,
    /// Somebody else's. How much they have is theirs to know.
    #[error(
        "The owner of this record may not have more than they do. They have to delete something first, or an admin has to do this."
    )]
    Owner,
    /// What nobody owns.
    #[error(
        "There is no room for more records that nobody owns. Sign in to create records of your own, or ask whoever runs this server for more room."
    )]
    Nobody,
    /// The server's, of collections.
    #[error("There are {MAX_COLLECTIONS} collections, and more are not possible. Delete one that is no longer needed.")]
    Collections,
}

impl OverQuota {
    /// What a refusal by the store means for a caller who has this number as an owner.
    pub fn of(key: &Key, found: &[i64], additions: &[Addition], caller: Option<OwnerNumber>) -> Option<Self> {
        if *key == keyspace::collection_count() {
            return Some(Self::Collections);
        }
        let owner = keyspace::usage_owner(key)?;
        let is_full = |at: usize| {
            let (found, Addition { by, max }) = (found.get(at)?, additions.get(at)?);
            Some(*by > 0 && found.saturating_add(*by) > *max)
        };
        if ![0, 1].into_iter().any(|at| is_full(at).unwrap_or(false)) {
            return Some(Self::History);
        }
        if owner.is_none() {
            return Some(Self::Nobody);
        }
        if owner != caller {
            return Some(Self::Owner);
        }
        let mut pairs = found.iter().zip(additions);
        let full = pairs.position(|(found, Addition { by, max })| *by > 0 && found.saturating_add(*by) > *max)?;
        let [used, limit, added] =
            [found[full], additions[full].max, additions[full].by].map(|n| u64::try_from(n).unwrap_or(0));
        Some(if full == 0 { Self::Records { used, limit, added } } else { Self::Bytes { used, limit, added } })
    }
}
