//! `/api/log/`: how much the server's log tells, while it runs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::endpoint;
use crate::{
    answer::JsonAnswer,
    problem::FieldErrors,
    reader::{Body, Reader},
};

endpoint! {
    /// What the log tells: a level, or what `--log-level` said.
    Get: GET "/api/log/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer LogSettings as OK
}

endpoint! {
    /// Have the log tell more or less, until the server ends.
    Set: PUT "/api/log/",
    access Admin, cost Writes(User), errors Drf,
    body SetLevel as SMALL_JSON,
    answer LogSettings as OK
}

/// What the log tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogSettings {
    /// `info` and the like, or directives such as `coffer=trace`.
    pub level: String,
}

impl JsonAnswer for LogSettings {}

/// The wish for a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct SetLevel {
    /// From now on.
    pub level: LogLevel,
}

/// How much a log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "snake_case"))]
pub enum LogLevel {
    /// What went wrong.
    Error,
    /// And what looks wrong.
    Warn,
    /// And every request.
    Info,
    /// And what connections do.
    Debug,
    /// And every step.
    Trace,
}

/// There is no such level.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("Choose one of error, warn, info, debug, trace.")]
pub struct LogLevelError;

const LEVELS: [LogLevel; 5] = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];

impl LogLevel {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LogLevel {
    type Err = LogLevelError;

    fn from_str(text: &str) -> Result<Self, LogLevelError> {
        LEVELS.into_iter().find(|level| level.as_str() == text).ok_or(LogLevelError)
    }
}

impl Body for SetLevel {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let level = reader.parsed("level");
        let errors = reader.finish();
        match level {
            Some(level) => errors.or(Self { level }),
            None => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!({"level": self.level.as_str()})
    }
}
