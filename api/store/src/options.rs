//! How to open a store.

use std::path::PathBuf;

use base::MemoryBudget;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the bytes are kept.
    pub engine: EngineOptions,
    /// How many batches may wait before the next is refused as `Busy`.
    pub queue_batches: usize,
    /// How many bytes of batches may wait.
    pub queue_bytes: usize,
    /// What snapshots keep is charged to it. Those that keep too much are given up.
    pub memory: MemoryBudget,
}

/// The choice of an engine.
#[derive(Debug, Clone)]
pub enum EngineOptions {
    /// A directory on this machine's disk.
    Sled(SledOptions),
    /// Memory, gone with the store.
    Memory,
}

/// How to keep a store in a directory.
#[derive(Debug, Clone)]
pub struct SledOptions {
    /// The directory, made if it is not there.
    pub dir: PathBuf,
    /// How much memory the page cache may take. The whole process needs more than this.
    pub cache_bytes: u64,
    /// Room that is left on the disk: commits that would use it up are refused as `DiskFull`, unless they
    /// [may](crate::Batch::use_reserve). Opening a store needs some, so a disk filled to the brim would lock the store away.
    pub reserve_bytes: u64,
    /// A file outside of `dir` that is made with the first commit. Where it is and the store is not, opening is refused: the
    /// store was removed, and an empty one in its place would hide that.
    pub initialized: Option<PathBuf>,
    /// Open even if commits that were acknowledged are missing. They stay lost.
    pub accept_data_loss: bool,
}

/// Room that is left on the disk unless the options say otherwise: see [`SledOptions::reserve_bytes`].
pub const RESERVE_BYTES: u64 = 64 << 20;

impl Options {
    /// A store on disk in `dir`.
    pub fn sled(dir: impl Into<PathBuf>) -> Options {
        Options::new(EngineOptions::Sled(SledOptions {
            dir: dir.into(),
            // Twice as much takes 60 MB more at a million records, for sled counts pages as they are on disk; what is not in
            // here is mostly in the system's own cache.
            cache_bytes: 16 << 20,
            reserve_bytes: RESERVE_BYTES,
            initialized: None,
            accept_data_loss: false,
        }))
    }

    /// A store in memory.
    pub fn memory() -> Options {
        Options::new(EngineOptions::Memory)
    }

    fn new(engine: EngineOptions) -> Options {
        Options { engine, queue_batches: 4096, queue_bytes: 64 << 20, memory: MemoryBudget::unlimited() }
    }
}
