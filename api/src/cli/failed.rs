//! Why a command that asks a server failed, with the exit code that scripts go by.

use coffer_client::{Failure, failure::in_words, server::Server};
use common::CallError;
use thiserror::Error;

/// Why a command that asks a server failed.
#[derive(Debug, Error)]
pub(super) enum Failed {
    /// Something is missing that would be asked for at a terminal.
    #[error("{0}")]
    Usage(String),
    /// Nobody is signed in.
    #[error("nobody is signed in to {0}; use coffer sign-in, or say who you are with --user")]
    SignedOut(String),
    /// No answer came, or one of something else.
    #[error("no server answers on {0} ({1}); start it, or name another with --server")]
    NoServer(String, String),
    /// Something answered that is no Coffer.
    #[error("{0}")]
    NoCoffer(String),
    /// The server refuses.
    #[error("{server} refuses ({status}): {told}")]
    Refused {
        /// Which server.
        server: String,
        /// The status, with its name.
        status: http::StatusCode,
        /// Its sentence.
        told: String,
    },
}

impl Failed {
    /// What `failure` of a server means.
    pub(super) fn of(server: &Server, failure: Failure) -> Self {
        match failure {
            Failure::SignedOut => Self::SignedOut(server.to_string()),
            Failure::Call(error) => Self::of_call(server, &error),
        }
    }

    /// The same of a call that needs no session.
    pub(super) fn of_call(server: &Server, error: &CallError) -> Self {
        match error {
            CallError::Problem(problem) => Self::Refused {
                server: server.to_string(),
                status: http::StatusCode::from_u16(problem.status).unwrap_or_default(),
                told: in_words(problem),
            },
            CallError::Unreachable(reason) => Self::NoServer(server.to_string(), reason.clone()),
            CallError::Unreadable(_) => Self::NoCoffer(error.to_string()),
        }
    }

    /// The exit code of a command for scripts.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::SignedOut(_) => 3,
            Self::NoServer(..) | Self::NoCoffer(_) => 4,
            Self::Refused { status, .. } => match status.as_u16() {
                401 => 3,
                404 | 410 => 5,
                409 | 412 => 6,
                503 => 4,
                _ => 1,
            },
        }
    }
}
