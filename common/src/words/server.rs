//! What both clients say of the server: its figures, keys, migrations, invitations and changes.

use crate::{activity::Source, migration::MigrationId};

/// Above the link of a new invitation.
pub const INVITED: &str = "Send this link to the person who is to sign up. It is not shown again.";
/// There is no invitation.
pub const NO_INVITATIONS: &str = "No invitation is open.";
/// Work of a migration is to stop.
pub const MIGRATION_STOPPING: &str = "It is being stopped; what was done of it is undone.";
/// The heading over keys.
pub const KEYS_HEADING: &str = "Keys that sign tokens";
/// How keys are changed that files brought.
pub const KEYS_GIVEN: &str =
    "They are the files of --signing-key-file: name another one first, and start the server again.";
/// The value of a setting that is left out.
pub const SETTING_HIDDEN: &str = "set, and not shown";
/// No key of the server signed a token.
pub const NOT_SIGNED: &str = "No key of this server made it.";
/// A token cannot be checked against the key that was given.
pub const UNUSABLE_KEY: &str = "This key cannot be used: it is damaged, or of another kind than the token says.";
/// The signature is not that of the key that was given, or it is.
pub const SIGNED_BY_GIVEN: [&str; 2] = ["Not by the key that you gave.", "By the key that you gave."];
/// The server has measured nothing yet.
pub const NOTHING_MEASURED: &str = "The server has just started: its first figures come within a second.";
/// Nothing was changed lately.
pub const NO_CHANGES: &str = "Nothing was changed lately.";
/// No record has a value in a field that is plotted.
pub const NO_VALUES: &str = "No record has a value here.";

/// Which key signed a token.
pub fn signed_by(algorithm: &str, kid: &str) -> String {
    format!("Made by this server's {algorithm} key {kid}.")
}

/// A migration goes on in the background.
pub fn migration_begun(id: &MigrationId) -> String {
    format!("{id} goes on in the background.")
}

/// Nothing newer comes.
pub fn silent(reason: &str) -> String {
    format!("What you see is old: {reason}")
}

/// A list of changes is empty.
pub fn no_changes_in(source: &Source) -> &'static str {
    match source {
        Source::History(..) => "Nothing is known of earlier versions.",
        Source::Trash(_) => "The trash is empty: nothing was deleted, or it is all back.",
        Source::Activity(_) => "There are no such changes that you may see.",
    }
}
