//! What stands for `database_options` in a program that was built without PostgreSQL: no option, and no database.

use clap::Args;

/// Where the store is: in the data directory.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct DatabaseOptions {}

impl DatabaseOptions {
    /// Whether the store is in a database.
    #[expect(clippy::unused_self, reason = "as it is with a database")]
    pub(super) fn is_named(&self) -> bool {
        false
    }
}
