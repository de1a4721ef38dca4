//! The last commit in each space, so that whoever keeps what was read from a space can tell at no cost whether it
//! would be read again word for word. Spaces are known by the first word of their keys.

use std::sync::Arc;

use super::{Key, ReadError, Version};

/// The last commit in each space, as of one commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastChanges {
    /// Where the store was when it was opened; what came before in a space is not known more closely.
    opened: Version,
    /// The spaces that were written to since: a dozen at most, since their names are fixed in the program.
    spaces: Vec<(Arc<str>, Version)>,
}

impl LastChanges {
    pub(crate) fn new(opened: Version) -> Self {
        Self { opened, spaces: Vec::new() }
    }

    /// Notes that `version` writes to `key`.
    pub(crate) fn note(&mut self, key: &Key, version: Version) {
        // Every key has one.
        let Ok(space) = key.elements().space() else { return };
        match self.spaces.iter_mut().find(|(known, _)| **known == *space) {
            Some((_, last)) => *last = version,
            None => self.spaces.push((space.into(), version)),
        }
    }

    /// The last commit that wrote to `space`, or the one that the store was opened at if none has since.
    pub(crate) fn of(&self, space: &str) -> Version {
        self.spaces.iter().find(|(known, _)| **known == *space).map_or(self.opened, |(_, last)| *last)
    }

    /// As it is kept where several processes share a store.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let spaces: Vec<(&str, Version)> = self.spaces.iter().map(|(space, last)| (&**space, *last)).collect();
        // Writing into memory does not fail.
        postcard::to_allocvec(&(self.opened, spaces)).unwrap_or_default()
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<LastChanges, ReadError> {
        let torn = |_| ReadError::new("the last changes are not as they were written");
        let (opened, spaces): (Version, Vec<(&str, Version)>) = postcard::from_bytes(bytes).map_err(torn)?;
        Ok(LastChanges { opened, spaces: spaces.into_iter().map(|(space, last)| (space.into(), last)).collect() })
    }
}
