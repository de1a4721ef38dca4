//! The ring's file, `<data>/keys/ring.json`, mode 0600. A process that reads or changes it holds a lock on its directory; a change is
//! a new file, made exclusively, synced, and renamed over the old one, so that a crash leaves one or the other whole.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{Algorithm, KeyError, KeyRing, KeyState, SigningKey, WHAT, secret};

const FORMAT: u32 = 1;
/// The format of a ring with public keys, which earlier programs would take for damaged ones that sign.
const FORMAT_WITH_PUBLIC: u32 = 2;

/// The file, locked until this is dropped.
pub(super) struct RingFile {
    directory: File,
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    keys: Vec<StoredKey>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    kid: String,
    algorithm: String,
    state: String,
    created_at: i64,
    /// Base64url of the material.
    secret: Zeroizing<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    public: bool,
}

impl RingFile {
    /// Makes `<data>/keys/` where it is missing, and waits until no one else works on it.
    pub(super) fn lock(data: &Path) -> Result<Self, KeyError> {
        let keys = data.join("keys");
        DirBuilder::new().recursive(true).mode(0o700).create(&keys).map_err(io_error("create", &keys))?;
        let directory = File::open(&keys).map_err(io_error("open", &keys))?;
        directory.lock().map_err(io_error("lock", &keys))?;
        Ok(Self { directory, path: keys.join("ring.json") })
    }

    /// The ring, or `None` where there is none yet.
    pub(super) fn load(&self) -> Result<Option<KeyRing>, KeyError> {
        let mode = match fs::metadata(&self.path) {
            Ok(metadata) => metadata.mode(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &self.path)(error)),
        };
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: self.path.clone() });
        }
        let text = Zeroizing::new(fs::read(&self.path).map_err(io_error("read", &self.path))?);
        let stored: Stored = serde_json::from_slice(&text).map_err(|_| self.damaged("it is not complete"))?;
        if ![FORMAT, FORMAT_WITH_PUBLIC].contains(&stored.format) {
            return Err(self.damaged("a newer Coffer wrote it"));
        }
        let keys = stored.keys.into_iter().map(|key| self.key(key)).collect::<Result<Vec<_>, _>>()?;
        if keys.iter().filter(|key| key.state == KeyState::Active).count() != 1 {
            return Err(self.damaged("not exactly one key is active"));
        }
        if keys.iter().enumerate().any(|(at, key)| keys[..at].iter().any(|other| other.kid == key.kid)) {
            return Err(self.damaged("two keys have one id"));
        }
        Ok(Some(KeyRing { keys }))
    }

    /// Replaces the ring. It is on disk when this returns.
    pub(super) fn store(&self, ring: &KeyRing) -> Result<(), KeyError> {
        let keys = ring.keys.iter().map(|key| StoredKey {
            kid: key.kid.clone(),
            algorithm: key.algorithm.as_str().to_owned(),
            state: key.state.as_str().to_owned(),
            created_at: key.created_at.unix_timestamp(),
            secret: Zeroizing::new(URL_SAFE_NO_PAD.encode(key.material())),
            public: key.is_public,
        });
        let format = if ring.keys.iter().any(SigningKey::is_public) { FORMAT_WITH_PUBLIC } else { FORMAT };
        let stored = Stored { format, keys: keys.collect() };
        // Room for every key, so that growing leaves no copies of secrets behind.
        let mut text = Zeroizing::new(Vec::with_capacity(4096 * (ring.keys.len() + 1)));
        serde_json::to_writer_pretty(&mut *text, &stored)
            .map_err(|error| io_error("write", &self.path)(error.into()))?;
        text.push(b'\n');

        let new = self.path.with_extension("json.new");
        // A crash may have left one; the lock says that nobody is writing it now.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("replace", &new)(error)),
            _ => {}
        }
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            self.directory.sync_all()?;
            // The directory itself may be new: its name is in the one above.
            self.path.ancestors().nth(2).map_or(Ok(()), |data| File::open(data)?.sync_all())
        };
        write().map_err(io_error("write", &self.path))
    }

    fn key(&self, stored: StoredKey) -> Result<SigningKey, KeyError> {
        let algorithm =
            Algorithm::from_name(&stored.algorithm).ok_or_else(|| self.damaged("an algorithm is unknown"))?;
        let state = KeyState::ALL.into_iter().find(|state| state.as_str() == stored.state);
        let state = state.ok_or_else(|| self.damaged("a state is unknown"))?;
        let created_at = OffsetDateTime::from_unix_timestamp(stored.created_at);
        let created_at = created_at.map_err(|_| self.damaged("a time is out of range"))?;
        let material = URL_SAFE_NO_PAD.decode(stored.secret.as_bytes());
        let material = Zeroizing::new(material.map_err(|_| self.damaged("a secret cannot be read"))?);
        if state != KeyState::Retired && algorithm == Algorithm::Hs256 {
            secret::check(WHAT, &material, &self.path)?;
        }
        if stored.public && (state == KeyState::Active || algorithm == Algorithm::Hs256) {
            return Err(self.damaged("a public key is to sign"));
        }
        Ok(SigningKey { kid: stored.kid, algorithm, state, created_at, material, is_public: stored.public })
    }

    fn damaged(&self, why: &'static str) -> KeyError {
        KeyError::Damaged { path: self.path.clone(), why }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks so
fn is_false(flag: &bool) -> bool {
    !flag
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { doing, path, source }
}
