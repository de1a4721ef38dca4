//! Filling a new store with what a backup holds: the one way in beside the committer. Every entry keeps the version that it
//! had, so that what refers to versions still does. Nobody reads meanwhile; what cut-off filling leaves is no store.

use std::mem;

use super::{
    backend::{Backend, open_backend},
    state::State,
};
use crate::{Entry, FillError, Key, Options, Version};

/// Written to the backend together: as many entries, or as many bytes.
const TOGETHER: usize = 1024;
const TOGETHER_BYTES: usize = 8 << 20;

/// Makes a store, puts entries into it and closes it.
pub(crate) fn fill<E>(
    options: &Options,
    version: Version,
    entries: impl Iterator<Item = Result<(Key, Entry), E>>,
) -> Result<(), FillError<E>> {
    let (backend, mut state, _) = open_backend(&options.engine)?;
    if state != State::default() {
        return Err(FillError::NotEmpty);
    }
    state.version = version;
    let mut together = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let (key, entry) = entry.map_err(FillError::Entries)?;
        debug_assert!(entry.version <= version, "the version of a store is its latest");
        state.replace(&key, None, Some(&entry));
        bytes += key.as_bytes().len() + entry.value.len();
        together.push((key, Some(entry)));
        if together.len() == TOGETHER || bytes >= TOGETHER_BYTES {
            bytes = 0;
            apply(&backend, &mem::take(&mut together), state)?;
        }
    }
    apply(&backend, &together, state)
}

fn apply<E>(backend: &Backend, together: &[(Key, Option<Entry>)], state: State) -> Result<(), FillError<E>> {
    backend.apply(together, state).map_err(|error| FillError::Write { reason: error.reason })
}
