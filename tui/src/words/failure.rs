//! Why a call did not succeed.

use std::io;

use common::{CallError, Problem, text::single_line};

use super::{ENDED, FIX_FIRST};
use crate::message::Failure;

/// Reasons why nothing came back; they stand in the middle of a sentence.
pub const TIMED_OUT: &str = "it took too long";
/// See [`TIMED_OUT`].
pub const NO_SUCH_HOST: &str = "no machine of this name was found";
/// See [`TIMED_OUT`].
pub const NO_CONNECTION: &str = "there is no connection";
/// See [`TIMED_OUT`].
pub const BROKEN_OFF: &str = "the connection broke off";
/// See [`TIMED_OUT`].
pub const ANSWER_TOO_LONG: &str = "its answer is too long";

/// See [`TIMED_OUT`].
pub fn unreachable(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("nothing answers at this address"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => {
            Some(BROKEN_OFF)
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("there is no way to that machine"),
        io::ErrorKind::TimedOut => Some(TIMED_OUT),
        _ => None,
    }
}

/// Why a call did not succeed.
pub fn failure(failure: &Failure) -> String {
    match failure {
        Failure::SignedOut => ENDED.to_owned(),
        Failure::Call(error) => call_error(error),
    }
}

/// Why a call did not succeed.
pub fn call_error(error: &CallError) -> String {
    match error.problem() {
        Some(said) => problem(said),
        None => single_line(&error.to_string()).into_owned(),
    }
}

/// The server's sentence, with what it said of single fields.
pub fn problem(problem: &Problem) -> String {
    let mut said = problem.detail.clone();
    for (field, errors) in &problem.errors.0 {
        // The sentence says the first of them already.
        for error in errors.iter().filter(|error| !problem.detail.contains(&error.message)) {
            said.extend([" ", field, ": ", &error.message]);
        }
    }
    single_line(&said).into_owned()
}

/// Something could not be saved; the form says why.
pub fn not_saved(error: &CallError) -> &'static str {
    match error {
        CallError::Problem(problem) if !problem.errors.is_empty() => FIX_FIRST,
        _ => "Not saved. Your text is kept; Ctrl-S tries again.",
    }
}
