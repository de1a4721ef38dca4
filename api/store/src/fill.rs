//! Filling a new store with what a backup holds: the one way in beside the committer. Every entry keeps the version that it
//! had, so that what refers to versions still does. Nobody reads meanwhile; what cut-off filling leaves is no store.

use std::mem;

use super::engine::{Engine, State, fingerprint};
use super::memory::Memory;
use super::sled::Sled;
use super::{EngineOptions, Entry, Key, OpenError, Options, Store, Version};

/// Written to the engine together: as many entries, or as many bytes.
const STRETCH: usize = 1024;
const STRETCH_BYTES: usize = 8 << 20;

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

impl Store {
    /// Makes a store, puts entries into it and closes it; all is on disk then. Its next commit gets a version later than
    /// `version`, which none of the entries may exceed. Blocks.
    pub fn fill<E>(
        options: &Options,
        version: Version,
        entries: impl Iterator<Item = Result<(Key, Entry), E>>,
    ) -> Result<(), FillError<E>> {
        let (engine, mut state) = match &options.engine {
            EngineOptions::Memory => (Engine::Memory(Memory::default()), State::default()),
            EngineOptions::Sled(options) => {
                let (sled, state, _) = Sled::open(options)?;
                (Engine::Sled(sled), state)
            }
        };
        if state != State::default() {
            return Err(FillError::NotEmpty);
        }
        state.version = version;
        let mut stretch = Vec::new();
        let mut bytes = 0;
        for entry in entries {
            let (key, entry) = entry.map_err(FillError::Entries)?;
            debug_assert!(entry.version <= version, "the version of a store is its latest");
            state.entries += 1;
            state.sum = state.sum.wrapping_add(fingerprint(key.as_bytes(), entry.version));
            bytes += key.as_bytes().len() + entry.value.len();
            stretch.push((key, Some(entry)));
            if stretch.len() == STRETCH || bytes >= STRETCH_BYTES {
                bytes = 0;
                apply(&engine, mem::take(&mut stretch), state)?;
            }
        }
        apply(&engine, stretch, state)
    }
}

fn apply<E>(engine: &Engine, stretch: Vec<(Key, Option<Entry>)>, state: State) -> Result<(), FillError<E>> {
    engine.apply(stretch.into_iter(), state).map_err(|error| FillError::Write { reason: error.reason })
}
