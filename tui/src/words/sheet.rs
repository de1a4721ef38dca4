//! What the pages about the server and its tokens say.

use common::dashboard::LogTail;
pub use common::words::server::{
    INVITED, KEYS_GIVEN, KEYS_HEADING, NO_INVITATIONS, NOT_SIGNED, SETTING_HIDDEN as HIDDEN, SIGNED_BY_GIVEN, signed_by,
};

/// The log, in the path at the top.
pub const LOG: &str = "log";
/// Invitations, in the path at the top.
pub const INVITATIONS: &str = "invitations";
/// Above the invitations.
pub const INVITATIONS_LEAD: &str = "Whoever opens an invitation's link can make a user of their own, once, within seven days, where the server runs with --sign-up invite. n makes a link, d takes the one under the cursor back. Times are in UTC.";
/// Before one is taken back.
pub const TAKE_BACK: &str = "Nobody can sign up with this link any more. Press d again to take it back.";
/// Requests that failed and slow lists, in the path at the top.
pub const FAILURES: &str = "failures";
/// Settings and keys, in the path at the top.
pub const SERVER: &str = "server";
/// A token, in the path at the top.
pub const TOKEN: &str = "token";
/// The heading over the newest failures on the dashboard.
pub const NOTABLE: &str = "Failures and slow lists (UTC)";
/// There is no line.
pub const NO_LINES: &str = "The log has no lines yet.";
/// There is none of this level.
pub const NO_SUCH_LINES: &str = "The newest lines have none of this level. l shows others.";
/// Nothing failed.
pub const NOTHING_NOTABLE: &str = "No request failed, and no list took long, as far as the server remembers.";
/// The heading over settings.
pub const SETTINGS_HEADING: &str = "Settings in force";
/// The heading over what is said of backups.
pub const BACKUP_HEADING: &str = "Backup";
/// How a backup is taken and put back.
pub const BACKUP_RECIPE: &str = "b on the dashboard writes everything to a file here. `coffer restore FILE --data NEW-DIRECTORY` makes a server's data of it; everyone signs in again then.";
/// A setting without a value.
pub const NOT_SET: &str = "not set";
/// Before a token was pasted.
pub const TOKEN_LEAD: &str = "Paste a token and press Enter: what it says, which key signed it and what is wrong with it is shown here. Ctrl-O takes your own. It goes to this server only, which neither keeps nor logs it. With a key (Tab: a public key as PEM or JWK, or a secret) it is checked here against that key, and goes nowhere.";
/// Before the input for a token.
pub const TOKEN_INPUT: &str = "Token";
/// Before the input for the key that it is checked against.
pub const KEY_INPUT: &str = "Key";
/// The first part of a token.
pub const HEADER: &str = "Header";
/// The second part of a token.
pub const PAYLOAD: &str = "Payload";
/// The third part of a token.
pub const SIGNATURE: &str = "Signature";
/// A backup is on its way.
pub const BACKING_UP: &str = "Writing a backup…";

/// How a collection's records are asked for, in the path at the top.
pub const API: &str = "requests";
/// Who may do what, in the path at the top.
pub const ACCESS: &str = "access";
/// Above who may do what.
pub const ACCESS_LEAD: &str = "Who may do what with the records of each collection. Admins may always.";

/// What one has oneself.
pub const OWN_HEADING: &str = "Yours";
/// The heading over one's own changes.
pub const OWN_CHANGES: &str = "Your newest changes (UTC)";
/// The heading over the newest records.
pub const NEWEST_RECORDS: &str = "Newest records (UTC)";

/// In how many places one is signed in.
pub fn own_sessions(number: u64) -> String {
    format!("Signed in at {}. i in the list of collections shows where.", common::text::count(number, "place"))
}

/// When an invitation was made, and how long it is good.
pub fn good_until(made: &str, until: &str) -> String {
    format!("made {made}, good until {until}")
}

/// For which program requests are shown.
pub fn requests_for(program: &str) -> String {
    format!("Requests for {program}; l shows them for another program. First a token:")
}

/// The server's version.
pub fn version(version: &str) -> String {
    format!("Coffer {version}")
}

/// The id of a request.
pub fn request(id: &str) -> String {
    format!("request {id}")
}

/// A public key.
pub fn public(algorithm: &str) -> String {
    format!("{algorithm}, public")
}

/// Since when a key is there.
pub fn since(day: &str) -> String {
    format!("since {day}")
}

/// The commands that change keys.
pub fn key_commands(are_given: bool) -> &'static str {
    if are_given {
        KEYS_GIVEN
    } else {
        "On the server's machine: `coffer keys add` makes one that signs from the next start on, `coffer keys retire KID` ends an old one."
    }
}

/// How the log stands.
pub fn log_state(tail: &LogTail, follows: bool) -> String {
    let told = tail.told.as_deref().unwrap_or("…");
    let end = if follows { "the newest stay in sight" } else { "G goes to the newest" };
    format!(
        "{} of {} lines: {} and worse · the server tells {told} · {end}",
        tail.shown().count(),
        tail.len(),
        tail.least
    )
}

/// A backup was written.
pub fn backed_up(file: &str, size: &str) -> String {
    format!("Wrote {file} ({size}). `coffer restore {file} --data NEW-DIRECTORY` makes a server's data of it.")
}
