//! The store: one ordered map from keys to versioned values, and everything else a layer over it. This page is its contract,
//! whatever engine keeps the bytes:
//!
//! - A commit is a [`Batch`]: what must be true, and what to change if it is. It happens whole or not at all. `Ok` means that it
//!   is durable and survives a power cut; an error means that nothing of it is or will be in the store, except for
//!   [`CommitError::Stopped`].
//! - Every commit gets the next [`Version`]. Versions rise in the order in which commits become visible, and none is used twice.
//! - Of batches at once that expect the same, one is committed and the others are told of the [conflict](CommitError::Conflict).
//!   Counters are added to without conflicts.
//! - Reads come from a [`Snapshot`]: all of one moment, never waiting for writers, never showing what a crash could take back.
//! - What is read after a commit was answered shows that commit, and [`Store::watermark`] tells of it. So a cache of what was
//!   read asks for the watermark first, and is right on the very next request.
//! - [`Store::failed`] resolves when the store can write no more; reads may go on.
//!
//! What keys mean is not known here: that is up to the parts that use the store.
//!
//! - `key`, `version`, `batch`, `scan`, `pages`, `error`, `options`, `stats`: the words that callers use
//! - `journal`: what batches append, in blocks
//! - `store`: a store, whichever engine keeps it
//! - `waiting`, `group`, `last_changes`: which batches are committed, decided from what was read, for every engine alike
//! - `local`: the engine in this process, on disk or in memory
//! - `postgres`: the engine in a PostgreSQL database, which several processes may share

mod batch;
mod error;
mod format;
mod group;
pub mod journal;
mod key;
mod last_changes;
mod local;
mod options;
mod pages;
#[cfg(feature = "postgres")]
mod postgres;
mod scan;
mod snapshot;
mod stats;
mod store;
mod version;
mod waiting;

#[cfg(feature = "postgres")]
pub use self::postgres::{DatabaseUrl, DatabaseUrlError, PostgresOptions};
pub use self::{
    batch::{Addition, Batch, Expect, Reserve},
    error::{CommitError, CompactError, Failure, FillError, OpenError, ReadError, ReadFault},
    format::FORMAT,
    key::{Cut, Element, Elements, Key, KeyError},
    local::{
        Owner, close_dir, disk_bytes, first_unusable, free_bytes, has_room_beside, is_own, make_private,
        note_initialized, owner_of, size_bytes, this_user,
    },
    options::{EngineOptions, Options, RESERVE_BYTES, SledOptions},
    pages::Pages,
    scan::{Direction, Scan},
    snapshot::{Count, Snapshot},
    stats::{Compacted, Salvaged, Stats},
    store::Store,
    version::{Entry, ParseVersionError, Version, Watermark, counter, counters},
};
