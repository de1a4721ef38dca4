//! Why a call did not succeed.

use common::{CallError, Problem, text::single_line};
use thiserror::Error;

/// Why a call did not succeed.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The session has ended, and a new token cannot be had: someone must sign in.
    #[error("nobody is signed in")]
    SignedOut,
    /// Anything else.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Failure {
    /// It is not there, or may not be seen.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Call(error) if error.status() == 404)
    }

    /// The same may work a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Call(error) if error.problem().is_none() || error.status() == 429 || error.status() >= 500)
    }
}

/// An answer, or why there is none.
pub type Answer<T> = Result<T, Failure>;

/// The server's sentence, with what it said of single fields.
pub fn in_words(problem: &Problem) -> String {
    let mut said = problem.detail.clone();
    for (field, errors) in &problem.errors.0 {
        // The sentence says the first of them already.
        for error in errors.iter().filter(|error| !problem.detail.contains(&error.message)) {
            said.extend([" ", field, ": ", &error.message]);
        }
    }
    single_line(&said).into_owned()
}
