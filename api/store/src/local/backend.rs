//! What keeps the bytes of a local store: an ordered map that can read, page through
//! a range, and apply one group of writes durably. Nothing above knows which one it talks to.
//!
//! Versions, expectations, snapshots and groups belong to the layers above.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::sled::{NotRewritten, Rewrite, Sled};
use super::{
    memory::Memory,
    order_statistics::OrderStatistics,
    page::{ApplyError, PageRequest},
    room::Room,
    state::State,
};
use crate::{CompactError, EngineOptions, Entry, FORMAT, Key, OpenError, ReadError};

/// The backends.
pub(super) enum Backend {
    Sled(Box<Sled>),
    Memory(Memory),
}

impl Backend {
    pub(super) fn get(&self, key: &Key) -> Result<Option<Entry>, ReadError> {
        match self {
            Backend::Sled(sled) => sled.get(key),
            Backend::Memory(memory) => Ok(memory.get(key)),
        }
    }

    /// The first entries of a page, at most its limit. It need not be a consistent picture.
    pub(super) fn read(&self, request: &PageRequest<'_>) -> Result<Vec<(Key, Entry)>, ReadError> {
        match self {
            Backend::Sled(sled) => sled.read(request),
            Backend::Memory(memory) => Ok(memory.read(request)),
        }
    }

    /// How much may still be written.
    pub(super) fn room(&self) -> Room {
        match self {
            Backend::Sled(sled) => sled.room(),
            Backend::Memory(_) => Room::unlimited(),
        }
    }

    /// Begins to write everything anew, where that could take less room. An error says why not.
    pub(super) fn begin_rewrite(&self) -> Result<Rewrite, NotRewritten> {
        match self {
            Backend::Sled(sled) => sled.begin_rewrite(),
            Backend::Memory(_) => Err(NotRewritten::NotWorth),
        }
    }

    /// Copies everything while others read and write. An error says why it is of no use.
    pub(super) fn copy(&self, to: &mut Rewrite, is_over: impl Fn() -> bool) -> Result<(), NotRewritten> {
        match self {
            Backend::Sled(sled) => sled.copy(to, is_over),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Copies what changed meanwhile, and gives the new database, which is whole. Nobody may write meanwhile.
    pub(super) fn catch_up(&self, rewrite: Rewrite, state: State) -> Result<PathBuf, NotRewritten> {
        match self {
            Backend::Sled(sled) => sled.catch_up(rewrite, state),
            Backend::Memory(_) => Ok(PathBuf::new()),
        }
    }

    /// Puts the new database in the place of the old one. Nobody may read or write meanwhile.
    pub(super) fn swap(&self, new: &Path) -> Result<(), ApplyError> {
        match self {
            Backend::Sled(sled) => sled.swap(new),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Moves what stands in parts of the files that are nearly empty together, while others read and write.
    pub(super) fn sweep(&self, is_over: impl Fn() -> bool) -> Result<(), ReadError> {
        match self {
            Backend::Sled(sled) => sled.sweep(is_over),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Forgets a new database that is not finished.
    pub(super) fn give_up_rewrite(&self) {
        if let Backend::Sled(sled) = self {
            sled.give_up_rewrite();
        }
    }

    /// Gives whole segments that hold nothing back to the system; says how many bytes are free in the file and stay there. Nobody
    /// may read or write meanwhile. `state` is what the store is known to hold.
    pub(super) fn reopen(&self, state: State) -> Result<Result<u64, CompactError>, ApplyError> {
        match self {
            Backend::Sled(sled) => sled.reopen(state),
            Backend::Memory(_) => Ok(Ok(0)),
        }
    }

    /// An error if what is written now would not be there after a restart.
    pub(super) fn look(&self) -> Result<(), ApplyError> {
        match self {
            Backend::Sled(sled) => sled.look(),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// How many bytes are taken on the disk.
    pub(super) fn disk_bytes(&self) -> Result<u64, ReadError> {
        match self {
            Backend::Sled(sled) => sled.disk_bytes(),
            Backend::Memory(_) => Ok(0),
        }
    }

    /// The format that the store is in.
    pub(super) fn format(&self) -> u32 {
        match self {
            Backend::Sled(sled) => sled.format(),
            Backend::Memory(_) => FORMAT,
        }
    }

    /// Notes, durably, that the store is in the newest format now.
    pub(super) fn raise_format(&self) -> io::Result<()> {
        match self {
            Backend::Sled(sled) => sled.raise_format(),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Notes, durably, that what the next group removes is to be erased from the files too.
    pub(super) fn note_erased(&self) -> Result<(), ApplyError> {
        match self {
            Backend::Sled(sled) => sled.note_erased(),
            Backend::Memory(_) => Ok(()),
        }
    }

    /// Whether something that was erased may stand in the files.
    pub(super) fn has_erased(&self) -> bool {
        match self {
            Backend::Sled(sled) => sled.has_erased(),
            Backend::Memory(_) => false,
        }
    }

    /// Writes all of a group and the state after it, atomically. On disk when it returns.
    pub(super) fn apply(&self, writes: &[(Key, Option<Entry>)], state: State) -> Result<(), ApplyError> {
        match self {
            Backend::Sled(sled) => sled.apply(writes, state),
            Backend::Memory(memory) => {
                memory.apply(writes);
                Ok(())
            }
        }
    }

    /// After a group met a full disk: whether there is room again for so many bytes.
    pub(super) fn has_room_again(&self, bytes: usize) -> bool {
        match self {
            Backend::Sled(sled) => sled.has_room_again(bytes),
            Backend::Memory(_) => true,
        }
    }

    /// After a group met a full disk: whether it was written all the same. Nobody may read or write meanwhile.
    pub(super) fn look_again(&self, before: State, after: State) -> Result<bool, ApplyError> {
        match self {
            Backend::Sled(sled) => sled.look_again(before, after),
            Backend::Memory(_) => Ok(false),
        }
    }
}

/// Opens what keeps the bytes, and makes it if it is not there.
pub(super) fn open_backend(options: &EngineOptions) -> Result<(Backend, State, OrderStatistics), OpenError> {
    match options {
        EngineOptions::Memory => Ok((Backend::Memory(Memory::default()), State::default(), OrderStatistics::default())),
        EngineOptions::Sled(options) => {
            let (sled, state, order) = Sled::open(options)?;
            Ok((Backend::Sled(Box::new(sled)), state, order))
        }
    }
}
