//! What the page of migrations says.

pub use common::words::server::{MIGRATION_STOPPING, migration_begun};
use common::{migration::MigrationId, operation::Operation, text::thousands};

/// Migrations, in the path at the top.
pub const MIGRATIONS: &str = "migrations";
/// Below the migrations.
pub const MIGRATIONS_LEAD: &str = "Enter shows what one that is not applied would do, and applies it when it is pressed again. d does the same for taking one back, and stops what is under way. `coffer migrate make` writes files of what was changed by hand, `coffer migrate check` tells whether files and server differ.";
/// There is none.
pub const NO_MIGRATIONS: &str = "No migration is applied, and there are no files of any.";
/// Before one is taken back.
pub const PRESS_D_AGAIN: &str = "Press d again to take it back.";
/// Before one is applied.
pub const PRESS_ENTER_AGAIN: &str = "Press Enter again to apply it.";
/// Above what taking one back would do.
pub const TAKING_BACK: &str = "Taking it back would:";
/// Above what applying one would do.
pub const APPLYING: &str = "Applying it would:";

/// Where files are looked for.
pub fn files_in(dir: &str) -> String {
    format!("Files are those in {dir}.")
}

/// There are no files here.
pub fn no_files_in(dir: &str) -> String {
    format!("There is no folder {dir} here; --migrations names another.")
}

/// One is applied.
pub fn migration_applied(id: &MigrationId) -> String {
    format!("Applied {id}.")
}

/// One was taken back.
pub fn migration_reverted(id: &MigrationId) -> String {
    format!("Taken back: {id}.")
}

/// How far what is under way is.
pub fn migration_progress(operation: &Operation) -> String {
    let of = operation.of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
    format!("{}{of} records are done.", thousands(operation.done))
}
