//! Servers with a name, so that `--server work` stands for an address, a certificate and a user. They are in `servers.toml` in the folder for
//! settings, which people may write by hand.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    server::{InvalidServer, Server},
    session::config_folder,
};

/// The server that is asked where none is named and no profile is called `default`.
pub const USUAL: &str = "http://127.0.0.1:8000";
/// The profile that counts where no server is named.
pub const DEFAULT: &str = "default";
const FILE: &str = "servers.toml";
const MAX_NAME: usize = 64;

/// A name of a server: letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(String);

impl FromStr for ProfileName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || text.len() > MAX_NAME || !text.chars().all(fits) {
            return Err("a profile's name has letters, digits, - and _".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ProfileName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ProfileName> for String {
    fn from(name: ProfileName) -> Self {
        name.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a profile says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The server's address.
    pub url: String,
    /// Who signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A file of certificates that are believed beside the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_cert: Option<PathBuf>,
}

/// A server that was named, by its address or by a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The server.
    pub server: Server,
    /// Who signs in, where the profile says so.
    pub user: Option<String>,
    /// [`Profile::ca_cert`].
    pub ca_cert: Option<PathBuf>,
}

impl From<Server> for Target {
    fn from(server: Server) -> Self {
        Self { server, user: None, ca_cert: None }
    }
}

/// Profiles cannot be read or written, or what was named is none.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// The file is there and cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such profile.
    #[error(
        "there is no profile {name}; begin with http:// or https://, such as http://127.0.0.1:8000 or https://coffer.example.org, or name the profile when you sign in"
    )]
    Unknown {
        /// What was named.
        name: String,
    },
    /// A profile's address is none.
    #[error("{0}")]
    Address(#[from] InvalidServer),
    /// There is no folder for settings.
    #[error("there is no folder to keep profiles in; set COFFER_CONFIG_DIR")]
    NoFolder,
}

/// What an address or a profile's name stands for.
pub fn resolve(text: &str) -> Result<Target, ProfileError> {
    resolve_in(config_folder().as_deref(), text)
}

/// The profile called `default`, or the server of this machine.
pub fn usual() -> Result<Target, ProfileError> {
    let folder = config_folder();
    if read(folder.as_deref())?.contains_key(DEFAULT) {
        return resolve_in(folder.as_deref(), DEFAULT);
    }
    Ok(USUAL.parse::<Server>()?.into())
}

fn resolve_in(folder: Option<&Path>, text: &str) -> Result<Target, ProfileError> {
    if text.contains(':') || text.contains('/') {
        return Ok(text.parse::<Server>()?.into());
    }
    let profile = read(folder)?.remove(text).ok_or_else(|| ProfileError::Unknown { name: text.to_owned() })?;
    Ok(Target { server: profile.url.parse()?, user: profile.user, ca_cert: profile.ca_cert })
}

/// Keeps a profile under a name, beside the others.
pub fn keep(name: &ProfileName, profile: Profile) -> Result<(), ProfileError> {
    keep_in(&config_folder().ok_or(ProfileError::NoFolder)?, name, profile)
}

fn keep_in(folder: &Path, name: &ProfileName, profile: Profile) -> Result<(), ProfileError> {
    let mut profiles = read(Some(folder))?;
    profiles.insert(name.to_string(), profile);
    let path = folder.join(FILE);
    let failed = |why: String| ProfileError::File { path: path.clone(), why };
    let text = toml::to_string(&profiles).map_err(|error| failed(error.to_string()))?;
    let draft = folder.join(format!("{FILE}.new"));
    let write = || {
        fs::create_dir_all(folder)?;
        fs::write(&draft, text)?;
        fs::rename(&draft, &path)
    };
    write().map_err(|error| failed(error.to_string()))
}

fn read(folder: Option<&Path>) -> Result<BTreeMap<String, Profile>, ProfileError> {
    let Some(path) = folder.map(|folder| folder.join(FILE)) else { return Ok(BTreeMap::new()) };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(ProfileError::File { path, why: error.to_string() }),
    };
    // The line and what is wrong with it; the text around it is not shown.
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        ProfileError::File { path, why: format!("line {line}: {}", error.message()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_kept_beside_the_others_and_stands_for_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("deep/coffer");
        let profile = |url: &str, user: Option<&str>| Profile {
            url: url.to_owned(),
            user: user.map(str::to_owned),
            ca_cert: None,
        };
        keep_in(&folder, &"work".parse().unwrap(), profile("https://box.example", Some("ada"))).unwrap();
        keep_in(&folder, &"home".parse().unwrap(), profile("http://127.0.0.1:9000", None)).unwrap();
        let work = resolve_in(Some(&folder), "work").unwrap();
        assert_eq!((work.server.to_string().as_str(), work.user.as_deref()), ("https://box.example", Some("ada")));
        assert_eq!(resolve_in(Some(&folder), "home").unwrap().user, None);
        let address = resolve_in(Some(&folder), "http://127.0.0.1:1/").unwrap();
        assert_eq!(address, Target::from("http://127.0.0.1:1".parse::<Server>().unwrap()));
    }

    #[test]
    fn what_is_no_profile_is_told_with_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let told = |text: &str| resolve_in(Some(folder.path()), text).unwrap_err().to_string();
        for none in ["nonsense", "", "localhost"] {
            assert!(told(none).contains("begin with http:// or https://"), "{}", told(none));
        }
        for bad in ["a b", "ä", "", "a/b"] {
            assert!(bad.parse::<ProfileName>().is_err(), "{bad}");
        }
        fs::write(folder.path().join(FILE), "[work]\nurl = \"https://x\"\nuzer = \"ada\"\n").unwrap();
        assert!(told("work").contains("line 3") && told("work").contains("uzer"), "{}", told("work"));
    }
}
