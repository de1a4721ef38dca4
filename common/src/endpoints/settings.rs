//! `/api/settings/`: the settings that a server was started with.

use serde::{Deserialize, Serialize};

use super::endpoint;
use crate::answer::JsonAnswer;

endpoint! {
    /// The settings that this server was started with, and where each is from. Values that name files are left out, and what nobody else may know.
    List: GET "/api/settings/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Settings as OK
}

/// All settings of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Settings {
    /// The server's version.
    pub version: String,
    /// By name.
    pub results: Vec<Setting>,
}

impl JsonAnswer for Settings {}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// The option of `coffer serve`, without its dashes.
    pub name: String,
    /// What holds, as it would be written; null where nothing was said, or where it is hidden.
    pub value: Option<String>,
    /// Where it is from.
    pub from: Source,
    /// There is a value, which names a file or is nobody else's to know.
    pub is_hidden: bool,
}

/// Where a setting is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// A variable of the environment.
    Environment,
    /// The command line.
    CommandLine,
}

impl Source {
    /// It in words.
    pub const fn said(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Environment => "environment",
            Self::CommandLine => "command line",
        }
    }
}
