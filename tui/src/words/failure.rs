//! Why a call did not succeed.

pub use coffer_client::failure::in_words as problem;
use common::{CallError, text::single_line};

use super::{ENDED, FIX_FIRST};
use crate::message::Failure;

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

/// Something could not be saved; the form says why.
pub fn not_saved(error: &CallError) -> &'static str {
    match error {
        CallError::Problem(problem) if !problem.errors.is_empty() => FIX_FIRST,
        _ => "Not saved. Your text is kept; Ctrl-S tries again.",
    }
}
