//! How an operation stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// A server works on it.
    Running,
    /// It waits for its turn: the next server that is free goes on with it.
    Waiting,
    /// Somebody paused it. It goes on when it is resumed.
    Paused,
    /// It was stopped, or cannot be finished, and what it did is being taken back.
    Stopping,
    /// All of it is done.
    Done,
    /// It cannot go on; `error` says why. What was done stays done.
    Failed,
    /// Somebody stopped it. What was done stays done.
    Stopped,
}

impl OperationState {
    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Stopped)
    }

    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for OperationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
