//! What lists of changes say.

pub(crate) use common::words::server::no_changes_in as none;

pub(crate) const HISTORY: &str = "History";
pub(crate) const HISTORY_LEAD: &str = "The versions of the record, the newest first. Times are in UTC.";
pub(crate) const TRASH: &str = "Trash";
pub(crate) const TRASH_LINK: &str = "Deleted records";
pub(crate) const TRASH_LEAD: &str = "Records that were deleted and are still gone, the last first. Times are in UTC.";
pub(crate) const ACTIVITY: &str = "Activity";
pub(crate) const ACTIVITY_LEAD: &str = "What was changed that you may see, the newest first. Times are in UTC.";
pub(crate) const RECORD: &str = "Record";
pub(crate) const OLDER: &str = "Show older ones";
pub(crate) const KIND: &str = "Show";
pub(crate) const ALL: &str = "everything";
pub(crate) const PUT_BACK: &str = "It is back.";
pub(crate) const PUT_BACK_BUTTON: &str = "Put back";

pub(crate) fn put_back(what: &str) -> String {
    format!("Put back {what}")
}
