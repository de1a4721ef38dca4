//! A password's hash as it is stored.

use std::fmt;

use thiserror::Error;

pub(super) const SALT_BYTES: usize = 16;

/// A stored hash: an Argon2id string in PHC format. Its text is for the store only; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes what the store held. Whether it can be used shows at [`Hasher::verify`](super::Hasher::verify).
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The PHC string, to be stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A password was neither hashed nor compared.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum HashError {
    /// Everyone is signing in at once. 503 with `Retry-After`.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    /// Hashing itself failed, for want of memory.
    #[error("hashing failed")]
    Failed,
}
