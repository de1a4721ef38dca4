//! Why a call of an endpoint did not succeed, as clients see it.

use http::StatusCode;
use thiserror::Error;

use crate::problem::Problem;

/// Why a call did not succeed. `Display` is the sentence to show.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The server said no, and why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Something answered that is not Coffer, or a Coffer of another version.
    #[error("The server's answer ({0}) could not be read. Is this the address of a Coffer server of the same version?")]
    Unreadable(StatusCode),
    /// Nothing answered.
    #[error("The server could not be reached ({0}). Check that it runs and that the address is right, then try again.")]
    Unreachable(String),
}

impl CallError {
    /// The problem document, where one came.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// The status of the problem document; 0 where none came.
    pub fn status(&self) -> u16 {
        self.problem().map_or(0, |problem| problem.status)
    }
}
