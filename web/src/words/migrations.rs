//! What the page of migrations says.

pub(crate) use common::words::server::{MIGRATION_STOPPING as STOPPING, migration_begun as begun};
use common::{migration::MigrationId, text::thousands};

pub(crate) const TITLE: &str = "Migrations";
pub(crate) const LEAD: &str = "Changes of collections that are kept in files. coffer migrate make writes them, and coffer migrate check tells whether files and server differ.";
pub(crate) const APPLIED: &str = "Applied here";
pub(crate) const NONE: &str = "None is applied here.";
pub(crate) const MIGRATION: &str = "Migration";
pub(crate) const STEPS: &str = "What it does";
pub(crate) const AT: &str = "Applied (UTC)";
pub(crate) const TAKE_BACK: &str = "Take back";
pub(crate) const APPLY: &str = "Apply";
pub(crate) const STOP: &str = "Stop";
pub(crate) const LEAVE: &str = "Leave it";
pub(crate) const FROM_FILE: &str = "Apply one from a file";
pub(crate) const FILE: &str = "File (TOML or JSON)";
pub(crate) const FOLDER: &str = "Folder";
pub(crate) const FILE_HINT: &str =
    "The folder is called as the collection was called first. Nothing is done before you have seen what would be.";
pub(crate) const PLAN: &str = "Show what it would do";
pub(crate) const CHOOSE_FIRST: &str = "Choose a file first.";
pub(crate) const UNREADABLE: &str = "The file cannot be read.";

pub(crate) fn of(label: &str, id: &MigrationId) -> String {
    format!("{label} {id}")
}

pub(crate) fn applying(id: &MigrationId) -> String {
    format!("Applying {id} would:")
}

pub(crate) fn taking_back(id: &MigrationId) -> String {
    format!("Taking {id} back would:")
}

pub(crate) fn applied(id: &MigrationId) -> String {
    format!("Applied {id}.")
}

pub(crate) fn reverted(id: &MigrationId) -> String {
    format!("Took back {id}.")
}

pub(crate) fn progress(done: u64, of: Option<u64>) -> String {
    let of = of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
    format!("One is under way: {}{of} records are done.", thousands(done))
}
