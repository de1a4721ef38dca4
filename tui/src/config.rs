//! Settings of the client: `config.toml` in the folder for settings. Options of the command line stand above it.

use std::{collections::BTreeMap, fs, io, path::Path, time::Duration};

use clap::ValueEnum;
use coffer_client::session::config_folder;
use common::duration::parse_duration;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::key::{self, Binding};

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// How things look.
    pub theme: Option<ThemeName>,
    /// Clicks and the wheel are the client's, and not the terminal's own.
    pub mouse: Option<bool>,
    /// Nothing but ASCII is drawn around what people wrote.
    pub ascii: Option<bool>,
    /// Nothing is written.
    pub readonly: Option<bool>,
    /// How often the dashboard asks: `1s`, `10s`, `off`.
    #[serde(deserialize_with = "read_refresh")]
    pub refresh: Option<Refresh>,
    /// Other keys, by the name of what they do.
    keys: BTreeMap<String, Keys>,
}

/// How often the dashboard asks; `None` for when a key says so.
pub type Refresh = Option<Duration>;

/// How often a dashboard asks, unless somebody says otherwise; more often makes no sense.
pub const REFRESH: Duration = Duration::from_secs(1);

/// Reads `1s`, `10s`, `2m` or `off`.
pub fn refresh(text: &str) -> Result<Refresh, String> {
    if text == "off" {
        return Ok(None);
    }
    match parse_duration(text) {
        Ok(time) if time >= REFRESH => Ok(Some(time)),
        _ => Err("use a time from 1s on, such as 10s or 2m, or off".to_owned()),
    }
}

fn read_refresh<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Refresh>, D::Error> {
    refresh(&String::deserialize(from)?).map(Some).map_err(D::Error::custom)
}

/// One key, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

/// How things look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// As the terminal's ground is, which is asked for once.
    #[default]
    Auto,
    /// For a dark ground.
    Dark,
    /// For a light ground.
    Light,
    /// Without colours.
    Plain,
}

impl Config {
    /// Reads the file, where there is one, and sets its keys. An error is a sentence that names the file.
    pub fn load() -> Result<Self, String> {
        let Some(path) = config_folder().map(|folder| folder.join("config.toml")) else { return Ok(Self::default()) };
        let (config, keys) = Self::read(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        key::configure(keys);
        Ok(config)
    }

    fn read(path: &Path) -> Result<(Self, Vec<Binding>), String> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.to_string()),
        };
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            format!("line {line}: {}", error.message())
        })?;
        let keys = config.keys.iter().map(|(action, keys)| {
            let keys = match keys {
                Keys::One(key) => vec![key.clone()],
                Keys::Several(keys) => keys.clone(),
            };
            (action.clone(), keys)
        });
        let keys = key::with(&keys.collect()).map_err(|why| format!("keys: {why}"))?;
        Ok((config, keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        Config::read(&path).map(|(config, _)| config)
    }

    #[test]
    fn settings_are_read_and_faults_are_told_with_their_line() {
        let config =
            read("theme = \"light\"\nmouse = false\n[keys]\nsort = \"S\"\nreload = [\"r\", \"f5\"]\n").unwrap();
        assert_eq!((config.theme, config.mouse), (Some(ThemeName::Light), Some(false)));
        assert_eq!(read("").unwrap(), Config::default());
        assert_eq!(read("refresh = \"10s\"").unwrap().refresh, Some(Some(Duration::from_secs(10))));
        assert_eq!(read("refresh = \"off\"").unwrap().refresh, Some(None));
        for (text, part) in [
            ("theme = \"pink\"", "line 1"),
            ("refresh = \"100ms\"", "from 1s on"),
            ("refresh = \"often\"", "from 1s on"),
            ("\ncolour = true", "colour"),
            ("[keys]\nfly = \"x\"", "fly"),
            ("[keys]\nsort = \"hyper-x\"", "hyper-x"),
            ("[keys]\nsort = 3", "line 2"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
    }
}
