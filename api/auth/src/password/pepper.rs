//! Peppers: secrets of the operator's that go into the hashes and are kept away from them, so that who has the hashes alone
//! cannot try passwords on them. A hash names its pepper (the `keyid` of its PHC string), so several can be in use without any
//! further state. Whether all that the store needs are there is `domain::users`' to find out.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use argon2::{Algorithm, Argon2, KeyId, Params, Version, password_hash::phc::PasswordHash as Phc};
use thiserror::Error;
use zeroize::Zeroizing;

use super::stored::PasswordHash;
use crate::secret::{self, SecretError};

/// The peppers, the one for new hashes first. None at all is the default. `Debug` shows how many there are.
#[derive(Clone, Default)]
pub struct Peppers(Arc<[Pepper]>);

struct Pepper {
    id: KeyId,
    secret: Zeroizing<Vec<u8>>,
}

/// Why the peppers are not taken. One sentence each, for the person who starts the server.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum PepperError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the pepper {} lies in the data directory, so whoever takes the hashes has it too; move it elsewhere", path.display())]
    BesideHashes { path: PathBuf },
    #[error("the pepper's id could not be computed, for want of memory")]
    Id,
}

/// How a stored hash stands to the peppers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PepperUse {
    /// As a new hash would be.
    Current,
    /// With another pepper that is there, or with none. A sign-in makes it anew.
    Outdated,
    /// With a pepper that is not there: nothing can be compared with it.
    Missing,
}

impl Peppers {
    /// The peppers in these files, whose contents are checked as signing keys are. None may lie in the directory `data`.
    pub fn from_files(files: &[PathBuf], data: &Path) -> Result<Self, PepperError> {
        let secrets = secret::read_files("pepper", files)?;
        for path in files {
            if let (Ok(file), Ok(data)) = (path.canonicalize(), data.canonicalize())
                && file.starts_with(data)
            {
                return Err(PepperError::BesideHashes { path: path.clone() });
            }
        }
        secrets.into_iter().map(Pepper::new).collect::<Result<_, _>>().map(Self)
    }

    /// The id that new hashes have: empty without peppers.
    pub(super) fn current(&self) -> KeyId {
        self.0.first().map_or(KeyId::EMPTY, |pepper| pepper.id)
    }

    /// The secret for hashes with this id, which is empty for those without pepper. `None` where that pepper is not there.
    pub(super) fn secret(&self, id: &[u8]) -> Option<&[u8]> {
        if id.is_empty() {
            return Some(&[]);
        }
        self.0.iter().find(|pepper| pepper.id.as_bytes() == id).map(|pepper| pepper.secret.as_slice())
    }

    /// How a stored hash stands to these. One that cannot be read has no pepper.
    pub fn used_by(&self, stored: &PasswordHash) -> PepperUse {
        let params = Phc::new(stored.as_str()).ok().and_then(|phc| Params::try_from(&phc).ok());
        let id = params.as_ref().map_or(&[][..], Params::keyid);
        match self.secret(id) {
            None => PepperUse::Missing,
            Some(_) if id == self.current().as_bytes() => PepperUse::Current,
            Some(_) => PepperUse::Outdated,
        }
    }
}

impl Pepper {
    /// The id is an Argon2id digest: it stands beside the hashes, and must be no cheaper to try guesses on than they are.
    fn new(secret: Zeroizing<Vec<u8>>) -> Result<Self, PepperError> {
        let mut id = [0; KeyId::MAX_LEN];
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
            .and_then(|argon2| argon2.hash_password_into(b"", b"coffer pepper id", &mut id))
            .map_err(|_| PepperError::Id)?;
        Ok(Self { id: KeyId::new(&id).map_err(|_| PepperError::Id)?, secret })
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peppers({})", self.0.len())
    }
}

#[cfg(test)]
mod tests;
