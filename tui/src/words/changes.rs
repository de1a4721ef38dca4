//! What lists of changes say.

pub use common::words::server::no_changes_in;
use common::{
    activity::{Source, did},
    change::Change,
    text::thousands,
};

/// A record's versions, in the path at the top.
pub const HISTORY: &str = "history";
/// What was deleted, in the path at the top.
pub const TRASH: &str = "trash";
/// The journal, in the path at the top.
pub const ACTIVITY: &str = "activity";
/// A change of nothing that is shown.
pub const NOTHING_CHANGED: &str = "No field is another than before.";
/// There is nothing to be put back.
pub const NOT_RESTORABLE: &str = "There is nothing to put back by this change.";
/// A version or a record is back.
pub const PUT_BACK: &str = "Put back. u undoes that.";

/// Which change it is.
pub fn what_changed(change: &Change) -> String {
    format!("Revision {}: {}", thousands(change.revision.0), did(change.action))
}

/// How a list of changes stands.
pub fn changes_state(source: &Source, at: usize, read: usize, has_more: bool) -> String {
    let more = if has_more { " and more" } else { "" };
    let narrowed = match source {
        Source::Activity(query) => match query.action {
            Some(action) => format!(" · only what was {}", did(action)),
            None => String::new(),
        },
        _ => String::new(),
    };
    format!("{} of {read}{more}{narrowed} · times in UTC", (at + 1).min(read))
}
