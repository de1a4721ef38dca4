//! What is said of many records at once, beside what both clients say.

use std::path::Path;

use common::{
    access::Action as Access,
    many::{Many, refusal},
    text::{count, single_line},
    words::many as shared,
};

pub use common::words::many::{
    CHANGE, CHECKING, CONFLICT, CONFLICTS as ROW_CONFLICTS, DATES, DATES_HINT, DECIMAL_COMMA, DONE, EMPTY_IS_NULL,
    EXPORT, EXPORT_CHOSEN, EXPORT_LEAD, FAULTS, FAULTY, FETCHING, FIELD, FILE, FORBIDDEN, IMPORT, KEY, LEFT_OUT,
    MORE_FAULTS, NO_VALUE, PREVIEW, RUNNING, SENDING, SKIP, SKIP_HINT, SPREADSHEET, changed, chosen, counted,
    deleted as deleted_many, fault_field, full, import_progress, import_title, progress_of_rows, read_as,
    title as title_of, too_many,
};

use super::{call_error, failure};
use crate::{many::FileFault, message::Failure};

/// A chosen row.
pub const CHOSEN_MARK: &str = "✓";
/// How a file is written.
pub const FORMAT: &str = "Format";
/// What a file is.
pub const FILE_HINT: &str = "CSV, TSV, JSON or JSON lines, in any usual encoding. ~/ is your home directory.";
/// Above a form whose next step is a question.
pub const CTRL_S_ASKS: &str = "Ctrl-S asks what would happen; nothing is written yet.";
/// Above the form for a file.
pub const CTRL_S_CHECKS: &str = "Ctrl-S checks the file; nothing is written yet.";
/// What was typed is no value of the field.
pub const NOT_A_VALUE: &str = "Type a value of the field, or say that it is emptied.";
/// All of a file is there.
pub const ALL_SENT: &str = "The file is there; the server looks at its rows …";
/// No file was named.
pub const NAME_A_FILE: &str = "Name a file.";
/// No row would come in.
pub const NOTHING_TO_IMPORT: &str =
    "There is nothing to import. Esc goes back: choose another file, or read it another way.";
/// An upload was given up when all of it was sent.
pub const MAY_BE_IN: &str = "The file was sent already and may be in: look at the table before you send it again.";
/// What a key field that is left out means.
pub const KEY_HINT: &str = "With (none) all rows are new.";
/// The rows as a whole.
pub const WHOLE_ROW: &str = "the row";

/// What changing a field would do, and what to do next.
pub fn would_change(many: &Many) -> String {
    match would(many) {
        None => shared::NOTHING_WOULD.to_owned(),
        Some(would) => format!("{would} {} Ctrl-S does it.", shared::UNDO_HINT),
    }
}

/// What deleting would do, and how to do it.
pub fn would_delete(many: &Many) -> String {
    match would(many) {
        None => shared::NOTHING_WOULD.to_owned(),
        Some(would) => format!("{would} {} Press d again to delete.", shared::UNDO_HINT),
    }
}

fn would(many: &Many) -> Option<String> {
    let lines: Vec<String> = shared::would(many).into_iter().map(|(number, does)| format!("{number}{does}.")).collect();
    Some(lines.join(" ")).filter(|lines| !lines.is_empty())
}

/// What was done, and that it can be undone.
pub fn with_way_back(done: &str, can_be_undone: bool) -> String {
    format!("{done}{}", super::way_back(can_be_undone))
}

/// A heading as a sentence.
pub fn sentence(heading: &str) -> String {
    if heading.ends_with('.') { heading.to_owned() } else { format!("{heading}.") }
}

/// The user may do this to no record here.
pub fn may_not_any(access: Access) -> String {
    let what = if access == Access::Delete { "delete" } else { "change" };
    format!("You may not {what} records here. Ask an admin if you should.")
}

/// A file was written.
pub fn wrote(file: &Path, size: &str) -> String {
    format!("Wrote {} ({size}).", single_line(&file.to_string_lossy()))
}

/// A file was not written.
pub fn not_written(file: &Path, fault: &FileFault) -> String {
    format!("{} was not written. {}", single_line(&file.to_string_lossy()), file_fault(fault))
}

/// Why a file could not be read, written or sent.
pub fn file_fault(fault: &FileFault) -> String {
    match fault {
        FileFault::IsThere => {
            "There is a file of this name. Ctrl-S again replaces it; or type another name.".to_owned()
        }
        FileFault::Local(why) => format!("This machine says: {}.", single_line(why)),
        FileFault::Failed(why) => failure(why),
    }
}

/// Why a file was refused, in a few lines.
pub fn file_refusal(fault: &FileFault) -> Vec<String> {
    match fault {
        FileFault::Failed(Failure::Call(error)) if error.problem().is_some() => refusal(error),
        FileFault::Failed(Failure::Call(error)) => vec![call_error(error)],
        other => vec![file_fault(other)],
    }
}

/// A file was imported before.
pub fn imported_before(at: &str) -> String {
    format!("{} Check and send it again to import it once more.", shared::imported_before(at))
}

/// What a check says may be done next.
pub fn ready(rows: u64) -> String {
    format!("Enter imports {}. Esc goes back to the form.", count(rows, "row"))
}
/// The same, where it cannot be imported so.
pub const NOT_READY: &str = "Nothing is written. Esc goes back to the form.";
/// What may be done while it goes in.
pub const UNDER_WAY: &str = "Esc leaves it going on, d stops it.";
/// What may be done while a file is sent.
pub const ESC_STOPS: &str = "Esc stops.";
/// What may be done when it is over.
pub const OVER: &str = "Enter goes to the table.";
/// Rows were left out.
pub const OVER_REJECTED: &str = "Enter goes to the table, w writes the rows left out.";

/// An import that goes on while something else is shown.
pub fn importing(collection: &str, done: u64, of: Option<u64>) -> String {
    format!("importing into {collection}: {}", progress_of_rows(done, of))
}
