//! What the pages about the server say.

pub(crate) use common::words::server::{
    KEYS_GIVEN, KEYS_HEADING as KEYS, NOT_SIGNED, SETTING_HIDDEN as HIDDEN, SIGNED_BY_GIVEN, UNUSABLE_KEY, signed_by,
};
use common::{endpoints::log::LogLevel, text::thousands};

pub(crate) const TITLE: &str = "Server";
pub(crate) const PAGES: &str = "Pages about the server";
pub(crate) const SETTINGS: &str = "Settings and keys";
pub(crate) const LOG: &str = "Log";
pub(crate) const TOKEN: &str = "Token";
pub(crate) const KID: &str = "Key";
pub(crate) const ALGORITHM: &str = "Algorithm";
pub(crate) const STATE: &str = "State";
pub(crate) const SINCE: &str = "Since";
pub(crate) const PUBLIC: &str = ", public";
pub(crate) const KEYS_CHANGE: &str = "They are changed on the server's machine, and take effect with the next start:";
pub(crate) const KEYS_COMMANDS: &str = "coffer keys add\ncoffer keys retire KEY";
pub(crate) const SETTINGS_IN_FORCE: &str = "Settings in force";
pub(crate) const SETTINGS_HINT: &str = "Each is an option of coffer serve, and a variable: COFFER_ and its name in capitals. Values that name files, and secrets, are left out.";
pub(crate) const NAME: &str = "Name";
pub(crate) const VALUE: &str = "Value";
pub(crate) const FROM: &str = "From";
pub(crate) const MEANS: &str = "Means";
pub(crate) const NOT_SET: &str = "not set";
pub(crate) const BACKUP: &str = "Backup";
pub(crate) const BACKUP_TEXT: &str =
    "Everything in one file, as of now, while others go on. Keep it as you keep the server: it holds all records.";
pub(crate) const BACKUP_NOW: &str = "Back up now";
pub(crate) const BACKING_UP: &str = "The backup is being fetched …";
pub(crate) const RESTORE: &str = "coffer restore FILE --data NEW-DIRECTORY";
pub(crate) const LEAST: &str = "Show";
pub(crate) const TELLS: &str = "The server tells";
pub(crate) const FOLLOWS: &str = "The newest lines stay in sight.";
pub(crate) const STANDS: &str = "Scroll to the end to follow the newest lines.";
pub(crate) const NO_LINES: &str = "There are no such lines yet.";
pub(crate) const PASTE: &str = "An access or refresh token";
pub(crate) const PASTE_HINT: &str = "It goes to this server only, which neither keeps nor logs it.";
pub(crate) const EXPLAIN: &str = "Explain it";
pub(crate) const OWN: &str = "Take my own";
pub(crate) const HEADER: &str = "Header";
pub(crate) const PAYLOAD: &str = "Payload";
pub(crate) const SIGNATURE: &str = "Signature";
pub(crate) const UNREADABLE: &str = "This part cannot be read.";
pub(crate) const NOTABLE: &str = "Failures and slow lists";
pub(crate) const NOTHING_NOTABLE: &str = "No request failed, and no list took long.";

pub(crate) const ACCESS: &str = "Who may do what";
pub(crate) const ACCESS_LEAD: &str =
    "With the records of each collection; admins may always. A collection's name leads to its rules.";
pub(crate) const COLLECTION: &str = "Collection";
pub(crate) const API: &str = "API";
pub(crate) const API_LEAD: &str = "How programs ask for these records, with the names that they have here.";
pub(crate) const API_PROGRAM: &str = "For which program";
pub(crate) const API_TOKEN: &str = "First a token";
pub(crate) const API_NONE: &str = "There is no such collection.";
pub(crate) const API_FIELDS: &str = "Fields";
pub(crate) const TYPE: &str = "Type";
pub(crate) const RUN: &str = "Run";

pub(crate) fn run(method: &str, path: &str) -> String {
    format!("Run {method} {path}")
}

pub(crate) const PALETTE: &str = "Go to";
pub(crate) const PALETTE_HINT: &str = "A page, a collection or a record, by words";
pub(crate) const PALETTE_NONE: &str = "Nothing is called so.";

pub(crate) fn open(name: &str) -> String {
    format!("Open {name}")
}

pub(crate) fn edit(name: &str) -> String {
    format!("Change the definition of {name}")
}

pub(crate) fn version(version: &str) -> String {
    format!("Coffer {version}")
}

pub(crate) fn lines(shown: usize, of: usize) -> String {
    let [shown, of] = [shown, of].map(|number| thousands(number as u64));
    format!("{shown} of the newest {of} lines, times in UTC")
}

pub(crate) fn level_set(level: LogLevel) -> String {
    format!("The log tells {level} now, until the server ends.")
}

pub(crate) fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error: what went wrong",
        LogLevel::Warn => "warn: and what looks wrong",
        LogLevel::Info => "info: and every request",
        LogLevel::Debug => "debug: and what connections do",
        LogLevel::Trace => "trace: and every step",
    }
}

pub(crate) fn and_worse(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "errors",
        LogLevel::Warn => "warnings and worse",
        LogLevel::Info => "info and worse",
        LogLevel::Debug => "debug and worse",
        LogLevel::Trace => "all lines",
    }
}

pub(crate) const KEY: &str = "Key (where it is not this server's)";
pub(crate) const KEY_HINT: &str =
    "A public key as PEM or JWK, a set of JWKs, or a secret. The token is then checked in this page, and goes nowhere.";
pub(crate) const NO_CRYPTOGRAPHY: &str =
    "This browser checks signatures only in pages that came by https or from this machine. Open Coffer there.";

pub(crate) fn request(id: &str) -> String {
    format!("request {id}")
}

/// A record among the palette's entries.
pub(crate) fn record(title: &str, collection: &str) -> String {
    format!("{title} · {collection}")
}
