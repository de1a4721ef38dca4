//! What is said of others' changes.

pub use common::words::changer;
use common::{
    conflict::FieldChange,
    text::count,
    words::{KEPT_BACK, changed_meanwhile},
};

use super::{call_error, failure};
use crate::message::{Away, Failure};

/// Before a row that others changed.
pub const MARK: &str = "•";
/// Before a row that is none of this page any more.
pub const LEFT_OVER: &str = "×";
/// The record that is shown is gone.
pub const DELETED_MEANWHILE: &str =
    "This record is not there any more: somebody else deleted it, or you may not see it.";
/// The record that is edited is gone.
pub const DELETED_UNDER_FORM: &str =
    "Somebody else deleted this record. Ctrl-S asks whether to save yours as a new one.";

/// How much others changed since the rows were read before.
pub fn changed_by_others(changes: u64) -> String {
    format!("{} by others", count(changes, "change"))
}

/// The record that is shown was changed.
pub fn changed_by(who: &str) -> String {
    format!("{who} changed this record just now.")
}

/// The record that is edited was changed.
pub fn changed_under_form(who: &str, changes: &[FieldChange]) -> String {
    format!("{} Ctrl-S brings both together.", changed_meanwhile(who, changes))
}

/// Others' changes do not come.
pub fn away(why: &Away) -> String {
    let next = "Changes of others are not shown until it is back.";
    let Away::Failed(why) = why else { return KEPT_BACK.to_owned() };
    match why {
        Failure::Call(error) if error.problem().is_none() => format!("The server is out of reach. {next}"),
        Failure::Call(error) => format!("Changes of others are not shown at the moment: {}", call_error(error)),
        Failure::SignedOut => failure(why),
    }
}
