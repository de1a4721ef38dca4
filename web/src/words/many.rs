//! What is said of many records at once: of what is chosen, of files in and out, and of how rows were found.

use common::{
    import::Import,
    many::MAX_MANY,
    selection::MAX_CHOSEN,
    text::{bytes, count, thousands},
};

pub(crate) const ACTIONS: &str = "Chosen rows";
pub(crate) const SELECT_PAGE: &str = "Choose all rows of this page";
pub(crate) const CHANGE: &str = "Change a field";
pub(crate) const EXPORT: &str = "Export";
pub(crate) const IMPORT: &str = "Import";
pub(crate) const CLEAR: &str = "Choose none";
pub(crate) const FIELD: &str = "Field";
pub(crate) const NO_VALUE: &str = "No value: empty the field";
pub(crate) const ASKING: &str = "Asking what would happen …";
pub(crate) const UNDO_HINT: &str = "It is one operation, and can be undone as one.";
pub(crate) const NOTHING_WOULD: &str = "Nothing would change: all of them say this already.";

pub(crate) const EXPORT_LEAD: &str = "All rows under the filter, in their order, as of one moment.";
pub(crate) const EXPORT_CHOSEN: &str = "The chosen rows.";
pub(crate) const EXPORT_CSV: &str = "CSV";
pub(crate) const EXPORT_EXCEL: &str = "CSV for Excel";
pub(crate) const EXPORT_JSON: &str = "JSON";
pub(crate) const EXPORT_LINES: &str = "JSON lines";
pub(crate) const EXPORT_CSV_HINT: &str = "exact, comes in again as it was";
pub(crate) const EXPORT_EXCEL_HINT: &str = "formulas are made harmless";
pub(crate) const EXPORT_JSON_HINT: &str = "one array";
pub(crate) const EXPORT_LINES_HINT: &str = "one object a line";
pub(crate) const FETCHING: &str = "The file is on its way …";

pub(crate) const FILE: &str = "File";
pub(crate) const DROP: &str = "Drop a file here, or choose one";
pub(crate) const DROP_HINT: &str =
    "CSV, TSV, JSON or JSON lines, in any usual encoding. A workbook (.xlsx) has to be saved as CSV first.";
pub(crate) const OTHER_FILE: &str = "Choose another file";
pub(crate) const CHECKING: &str = "Checking the file; nothing is written yet …";
pub(crate) const PREVIEW: &str = "First rows";
pub(crate) const LEFT_OUT: &str = "left out";
pub(crate) const OPTIONS: &str = "How it is read";
pub(crate) const KEY: &str = "Rows find records by";
pub(crate) const NO_KEY: &str = "nothing: all rows are new";
pub(crate) const CONFLICT: &str = "A row that finds one";
pub(crate) const CONFLICTS: [&str; 3] = ["is a fault", "is passed over", "changes it"];
pub(crate) const SKIP: &str = "Leave out rows that do not fit";
pub(crate) const SKIP_HINT: &str = "They can be fetched as a file afterwards, mended, and sent again.";
pub(crate) const DECIMAL_COMMA: &str = "Decimal commas (1.234,50)";
pub(crate) const SPREADSHEET: &str = "It was exported for Excel";
pub(crate) const EMPTY_IS_NULL: &str = "Empty cells are null, in quotation marks too";
pub(crate) const DATES: &str = "How dates are written";
pub(crate) const DATES_HINT: &str = "Beside the usual ways, such as DD.MM.YYYY; several with commas between them.";
pub(crate) const FAULTS: &str = "Rows that do not fit";
pub(crate) const ROW: &str = "Row";
pub(crate) const REASON: &str = "What is wrong";
pub(crate) const MORE_FAULTS: &str = "These are the first of them.";
pub(crate) const FAULTY: &str = "As it is, nothing would be written. Mend the file, or leave these rows out.";
pub(crate) const SENDING: &str = "Sending the file …";
pub(crate) const STOP: &str = "Stop, and take it back";
pub(crate) const REJECTED: &str = "Fetch the rows that were left out";
pub(crate) const TO_TABLE: &str = "Go to the table";
pub(crate) const ANOTHER: &str = "Import another file";
pub(crate) const DONE: &str = "The file is in";
pub(crate) const RUNNING: &str = "Importing";
pub(crate) const WAITING: &str = "The import waits for its turn.";
pub(crate) const STOPPING: &str = "The import is being taken back.";
pub(crate) const STOPPED: &str = "The import was stopped, and taken back.";
pub(crate) const FAILED: &str = "The import failed, and was taken back.";
pub(crate) const FORBIDDEN: &str =
    "You may not create records here. An admin can change the collection's access rules.";

pub(crate) const WHY_SLOW: &str = "Why?";
pub(crate) const EXPLAIN_TITLE: &str = "How these rows were found";

/// How many are chosen.
pub(crate) fn chosen(number: u64) -> String {
    format!("{} chosen", count(number, "row"))
}

/// Choose all that match.
pub(crate) fn choose_all(number: u64) -> String {
    format!("Choose all {} that match", thousands(number))
}

/// More than can be done at once.
pub(crate) fn too_many() -> String {
    format!("At most {} records can be changed or deleted at once. Narrow the filter.", thousands(MAX_MANY))
}

/// More than can be chosen one by one.
pub(crate) fn full() -> String {
    format!("At most {} rows can be chosen one by one.", thousands(MAX_CHOSEN as u64))
}

/// The label of a row's box.
pub(crate) fn select(title: &str) -> String {
    format!("Choose {title}")
}

/// What was changed.
pub(crate) fn changed(number: u64) -> String {
    format!("Changed {}.", count(number, "record"))
}

/// What was deleted.
pub(crate) fn deleted(number: u64) -> String {
    format!("Deleted {}.", count(number, "record"))
}

/// The button that does it.
pub(crate) fn change_button(number: u64) -> String {
    format!("Change {}", count(number, "record"))
}

/// The button that does it.
pub(crate) fn delete_button(number: u64) -> String {
    format!("Delete {}", count(number, "record"))
}

/// The title of what was done, for undoing it.
pub(crate) fn title(number: u64) -> String {
    count(number, "record")
}

/// How a file was read.
pub(crate) fn read_as(import: &Import) -> String {
    let between = match import.read.delimiter.as_deref() {
        Some("\t") => ", tabs between cells".to_owned(),
        Some(delimiter) => format!(", “{delimiter}” between cells"),
        None => String::new(),
    };
    format!("{}, {}{between}", import.read.format.to_uppercase(), import.read.encoding)
}

/// A file's size.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a browser's files have whole sizes
pub(crate) fn size(size: f64) -> String {
    bytes(size as u64)
}

/// What an import did, or would do.
pub(crate) fn counted(import: &Import) -> String {
    let does = if import.dry_run { "would be" } else { "were" };
    let mut parts = vec![format!("{} {does} made", thousands(import.created))];
    for (number, what) in [(import.updated, "changed"), (import.unchanged, "left as they are")] {
        if number > 0 {
            parts.push(format!("{} {what}", thousands(number)));
        }
    }
    if import.rejected > 0 {
        let fit = if import.rejected == 1 { "does not fit" } else { "do not fit" };
        parts.push(format!("{} {fit}", thousands(import.rejected)));
    }
    format!("{}: {}.", count(import.rows, "row"), parts.join(", "))
}

/// The button that imports.
pub(crate) fn import_button(rows: u64) -> String {
    format!("Import {}", count(rows, "row"))
}

/// The title of an import.
pub(crate) fn import_title(label: &str) -> String {
    format!("Import into {label}")
}

/// How long a table took.
#[allow(clippy::cast_precision_loss)] // shown with three digits
pub(crate) fn took(milliseconds: u64) -> String {
    format!("This took {} s.", common::dashboard::number(milliseconds as f64 / 1000.0))
}
