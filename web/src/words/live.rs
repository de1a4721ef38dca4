//! What is said of others' changes.

pub(crate) use common::words::KEPT_BACK;
use common::{
    conflict::FieldChange,
    text::count,
    words::{changed_meanwhile, changer},
};

/// Nothing comes.
pub(crate) const AWAY: &str =
    "Changes of others do not come at the moment. What is shown may be out of date; it catches up by itself.";
/// The record that is edited is gone.
pub(crate) const GONE: &str =
    "Somebody else deleted this record, or you may not see it any more. What you typed is kept.";

/// How many changes by others there were.
pub(crate) fn changes(number: u64) -> String {
    format!("{} by others", count(number, "change"))
}

/// The record that is edited was changed.
pub(crate) fn newer(is_me: bool, name: Option<&str>, changes: &[FieldChange]) -> String {
    format!("{} Saving brings both together.", changed_meanwhile(&changer(is_me, name), changes))
}
