//! The session between two runs of the client: a file for each server, in a folder that only its owner can enter. It is
//! replaced whole, so that a crash leaves the old one or the new one. The tokens in it are never printed.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use common::{renewal::AccessToken, variables};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::server::Server;

/// The state of a signed-in client. No `Debug`: tokens are not for logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The username that was typed to sign in.
    pub user: String,
    /// Goes with every request.
    pub access: String,
    /// When the access token ends: seconds since 1970 by this machine's clock.
    pub access_until: u64,
    /// When to renew it, on the same clock. A file of an earlier version does not say: at once.
    #[serde(default)]
    pub renew_at: u64,
    /// Trades for the next pair.
    pub refresh: String,
}

impl Session {
    /// Its access token.
    pub fn token(&self) -> AccessToken<String> {
        AccessToken {
            text: self.access.clone(),
            user: self.user.clone(),
            renew_at: self.renew_at.saturating_mul(1000),
            ends_at: self.access_until.saturating_mul(1000),
        }
    }
}

/// The folder for what is kept between two runs: `COFFER_STATE_DIR`, or `coffer` in the user's folder for state. `None` where neither is known.
pub fn state_folder() -> Option<PathBuf> {
    folder(variables::STATE_DIR, "XDG_STATE_HOME", ".local/state")
}

/// The folder for settings: `COFFER_CONFIG_DIR`, or `coffer` in the user's folder for settings. `None` where neither is known.
pub fn config_folder() -> Option<PathBuf> {
    folder(variables::CONFIG_DIR, "XDG_CONFIG_HOME", ".config")
}

/// The XDG Base Directory specification: a folder that is not absolute is none.
fn folder(own: &str, base: &str, at_home: &str) -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set(own)
        .or_else(|| set(base).filter(|path| path.is_absolute()).map(|path| path.join("coffer")))
        .or_else(|| env::home_dir().map(|home| home.join(at_home).join("coffer")))
}

/// Where the session with one server is kept.
#[derive(Debug, Clone)]
pub struct SessionFile {
    folder: PathBuf,
    name: String,
}

/// Users whose devices are kept for one server.
const MAX_DEVICES: usize = 32;

/// Characters that stand for themselves in the file's name.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-');

impl SessionFile {
    /// The file for a server, in `COFFER_STATE_DIR` or in the user's folder for state. `None` where neither is known.
    pub fn for_server(server: &Server) -> Option<Self> {
        Some(Self::within(&state_folder()?, server))
    }

    /// The file for a server, in this folder for state.
    pub fn within(state: &Path, server: &Server) -> Self {
        let name = format!("{}.json", utf8_percent_encode(&server.to_string(), NAME));
        Self { folder: state.join("sessions"), name }
    }

    /// The file's path.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// The session that was kept, if there is one that can be read.
    pub fn load(&self) -> Option<Session> {
        serde_json::from_slice(&fs::read(self.path()).ok()?).ok()
    }

    /// Keeps a session: it is on disk, under its name, when this returns.
    pub fn store(&self, session: &Session) -> io::Result<()> {
        self.write(&self.name, &serde_json::to_vec(session)?)
    }

    /// Where somebody was in the terminal app, the last time.
    pub fn place(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.join(format!("{}.place", self.name))).ok()
    }

    /// Keeps that.
    pub fn store_place(&self, place: &[u8]) -> io::Result<()> {
        self.write(&format!("{}.place", self.name), place)
    }

    /// Replaces a file of the folder, which only its owner can read.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.make_folder()?;
        let draft = self.folder.join(format!("{name}.new"));
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(draft, self.folder.join(name))
    }

    /// Forgets the session.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// What shows the server that a user has signed in from here before: strangers' wrong guesses at the name do not keep them out then.
    pub fn device(&self, user: &str) -> Option<String> {
        self.devices().remove(user)
    }

    /// Keeps that. It outlives the session.
    pub fn store_device(&self, user: &str, device: &str) -> io::Result<()> {
        let mut devices = self.devices();
        if devices.get(user).is_some_and(|known| known == device) {
            return Ok(());
        }
        if devices.len() >= MAX_DEVICES {
            devices.clear();
        }
        devices.insert(user.to_owned(), device.to_owned());
        self.write(&format!("{}.devices", self.name), &serde_json::to_vec(&devices)?)
    }

    fn devices(&self) -> BTreeMap<String, String> {
        let read = fs::read(self.folder.join(format!("{}.devices", self.name))).ok();
        read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Waits until no other client of this user and server trades the refresh token, and keeps others waiting until the
    /// answer is dropped: a refresh token counts once, and two that use the same one end the session.
    pub fn lock(&self) -> io::Result<File> {
        self.make_folder()?;
        let file = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(self.folder.join(format!("{}.lock", self.name)))?;
        file.lock()?;
        Ok(file)
    }

    #[cfg(unix)]
    fn make_folder(&self) -> io::Result<()> {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))
    }

    #[cfg(not(unix))]
    fn make_folder(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(refresh: &str) -> Session {
        Session { user: "ada".into(), access: "a".into(), access_until: 7, renew_at: 6, refresh: refresh.into() }
    }

    #[test]
    fn servers_do_not_share_a_file() {
        let state = tempfile::tempdir().unwrap();
        let file = |server: &str| SessionFile::within(state.path(), &server.parse().unwrap());
        let (one, other) = (file("http://127.0.0.1:8000"), file("http://127.0.0.1:8000/a/../b"));
        one.store(&session("one")).unwrap();
        assert!(other.load().is_none());
        other.store(&session("other")).unwrap();
        assert!(one.load() == Some(session("one")));
        one.remove().unwrap();
        one.remove().unwrap();
        assert!(one.load().is_none() && other.load() == Some(session("other")));
        assert_eq!(one.path().parent(), other.path().parent());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it_also_after_it_was_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let file = SessionFile::within(state.path(), &"http://127.0.0.1:8000".parse().unwrap());
        for round in ["first", "second"] {
            let _lock = file.lock().unwrap();
            file.store(&session(round)).unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&file.path()), 0o600);
            assert_eq!(mode(&state.path().join("sessions")), 0o700);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_kept_for_each_user_and_outlives_the_session() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let file = SessionFile::within(state.path(), &"http://127.0.0.1:8000".parse().unwrap());
        assert_eq!(file.device("ada"), None);
        file.store(&session("x")).unwrap();
        file.store_device("ada", "one").unwrap();
        file.store_device("ben", "two").unwrap();
        file.store_device("ada", "three").unwrap();
        file.remove().unwrap();
        assert_eq!([file.device("ada"), file.device("ben")], [Some("three".to_owned()), Some("two".to_owned())]);
        for entry in fs::read_dir(state.path().join("sessions")).unwrap() {
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_spoilt_file_is_no_session() {
        let state = tempfile::tempdir().unwrap();
        let file = SessionFile::within(state.path(), &"http://127.0.0.1:8000".parse().unwrap());
        file.store(&session("x")).unwrap();
        fs::write(file.path(), b"{\"access\":").unwrap();
        assert!(file.load().is_none());
    }
}
