//! What Coffer reads from outside, fed with anything at all. Each target takes bytes and panics where something does not hold; libFuzzer
//! looks for such bytes (`cargo xtask fuzz`), and `tests/corpus.rs` feeds each target with what is kept in `corpus/`, so that what was
//! found once stays found. What a target holds to is written at its function.

#![allow(clippy::missing_panics_doc, reason = "panicking is how a target tells")]

mod backup;
mod config;
mod files;
mod forwarded;
mod json;
mod key;
mod password;
mod query;
mod record;
mod request;
mod text;
mod token;

pub use backup::backup;
pub use config::{config, key_files};
pub use files::files;
pub use forwarded::forwarded;
pub use json::json;
pub use key::key;
pub use password::password;
pub use query::{condition, query};
pub use record::{definition, record};
pub use request::request;
pub use text::text;
pub use token::token;

/// A target: its name, and what is fed.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names of their folders in `corpus/` and of their programs in `fuzz_targets/`.
pub const TARGETS: [Target; 15] = [
    ("backup", backup),
    ("condition", condition),
    ("config", config),
    ("definition", definition),
    ("files", files),
    ("forwarded", forwarded),
    ("json", json),
    ("key", key),
    ("key_files", key_files),
    ("password", password),
    ("query", query),
    ("record", record),
    ("request", request),
    ("text", text),
    ("token", token),
];

/// The bytes up to a separator, and those behind it.
fn split_at(bytes: &[u8], separator: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let at = bytes.windows(separator.len()).position(|window| window == separator);
    match at {
        Some(at) => (bytes[..at].to_vec(), bytes[at + separator.len()..].to_vec()),
        None => (bytes.to_vec(), Vec::new()),
    }
}

/// A runtime of one thread for the targets that need one.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made")
}
