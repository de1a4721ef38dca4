//! How much a server's log tells, and its newest lines.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    answer::JsonAnswer,
    problem::FieldErrors,
    query::{Pairs, Query, unknown_parameter},
    reader::{Body, Reader, invalid},
};

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

/// The newest lines of a server's log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLines {
    /// What the log tells: `info` and the like, or directives such as `coffer=trace`.
    pub level: String,
    /// The number of the newest line of all, whether or not it is asked for; 0 before there is one.
    pub newest: u64,
    /// The lines, oldest first.
    pub results: Vec<LogLine>,
}

impl JsonAnswer for LogLines {}

/// A line of a server's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLine {
    /// Counts the lines since the server's start, from 1.
    pub number: u64,
    /// The moment: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// How bad it is.
    pub level: LogLevel,
    /// What it says: a message and `key=value`. It is one line, with nothing in it that a terminal acts on.
    pub text: String,
}

/// Which lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinesQuery {
    /// Those after the line of this number.
    pub after: u64,
    /// Those that are at least as bad.
    pub level: Option<LogLevel>,
    /// So many at most, the newest.
    pub limit: Option<usize>,
}

impl Query for LinesQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in pairs {
            match name.as_str() {
                "after" => match value.parse() {
                    Ok(number) => query.after = number,
                    Err(_) => errors.push(name, invalid("This is not the number of a line.")),
                },
                "level" => match value.parse() {
                    Ok(level) => query.level = Some(level),
                    Err(LogLevelError) => errors.push(name, invalid(LogLevelError.to_string())),
                },
                "limit" => match value.parse() {
                    Ok(limit @ 1..) => query.limit = Some(limit),
                    _ => errors.push(name, invalid("This is not a number of lines.")),
                },
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let after = (self.after > 0).then(|| ("after".to_owned(), self.after.to_string()));
        let level = self.level.map(|level| ("level".to_owned(), level.as_str().to_owned()));
        let limit = self.limit.map(|limit| ("limit".to_owned(), limit.to_string()));
        after.into_iter().chain(level).chain(limit).collect()
    }
}

/// How much a log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// All of them, the worst first.
pub const LEVELS: [LogLevel; 5] = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace];

impl LogLevel {
    /// The one that tells more; of the last, the first.
    #[must_use]
    pub fn next(self) -> Self {
        let at = LEVELS.iter().position(|level| *level == self).unwrap_or_default();
        LEVELS[(at + 1) % LEVELS.len()]
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn the_query_reads_back_as_it_was_written() {
        for raw in ["", "after=7", "level=warn", "after=7&level=trace&limit=200"] {
            assert_eq!(encode(&LinesQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
        for bad in ["after=", "after=-1", "after=x", "level=loud", "level=WARN", "limit=0", "before=1"] {
            assert!(LinesQuery::from_pairs(decode(bad)).is_err(), "{bad}");
        }
        assert_eq!((LogLevel::Error.next(), LogLevel::Trace.next()), (LogLevel::Warn, LogLevel::Error));
    }
}
