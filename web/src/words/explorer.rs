//! What the page of an address of the API says.

use common::text::count;

pub(crate) const AS_NOBODY: &str = "Without my session";
pub(crate) const SIGN_IN: &str = "Sign in";
pub(crate) const ASK: &str = "Ask";
pub(crate) const METHOD: &str = "Method";
pub(crate) const ADDRESS: &str = "Path and query";
pub(crate) const BODY: &str = "Body, in JSON";
pub(crate) const SEND: &str = "Send";
pub(crate) const AGAIN: &str = "Read it again";
pub(crate) const EMPTY: &str = "The answer has no body.";
pub(crate) const FILE: &str = "The answer is a file or a stream, which is not shown here. The requests below fetch it.";
pub(crate) const CUT: &str = "This is its beginning. The requests below fetch all of it.";
pub(crate) const PAGES: &str = "Pages of the list";
pub(crate) const PREVIOUS: &str = "Page before";
pub(crate) const NEXT: &str = "Next page";
pub(crate) const FILTERS: &str = "Filters";
pub(crate) const PARAMETER: &str = "Parameter";
pub(crate) const VALUE: &str = "Value";
pub(crate) const APPLY: &str = "Add";
pub(crate) const ELSEWHERE: &str = "The same from elsewhere";
pub(crate) const TOKEN: &str = "ACCESS is an access token: what POST /api/token/ answers with.";
pub(crate) const SECRETS: &str = "Passwords and tokens stand here as …";
pub(crate) const COPY: &str = "Copy";
pub(crate) const COPIED: &str = "Copied.";
/// Stands in "The server could not be reached (…)."
pub(crate) const NO_PATH: &str = "a path begins with /";

pub(crate) fn copy(name: &str) -> String {
    format!("Copy for {name}")
}

pub(crate) fn take_away(name: &str, value: &str) -> String {
    format!("Take {name}={value} away")
}

pub(crate) fn headers(number: usize) -> String {
    count(number as u64, "header")
}

pub(crate) fn took(millis: u64, bytes: usize) -> String {
    format!("{millis} ms, {}", count(bytes as u64, "byte"))
}
