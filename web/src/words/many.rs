//! What is said of many records at once: of what is chosen, of files in and out, and of how rows were found.

use common::text::{bytes, count};

pub(crate) use common::words::many::*;

pub(crate) const ACTIONS: &str = "Chosen rows";
pub(crate) const SELECT_PAGE: &str = "Choose all rows of this page";
pub(crate) const CLEAR: &str = "Choose none";

pub(crate) const DROP: &str = "Drop a file here, or choose one";
pub(crate) const DROP_HINT: &str =
    "CSV, TSV, JSON or JSON lines, in any usual encoding. A workbook (.xlsx) has to be saved as CSV first.";
pub(crate) const OTHER_FILE: &str = "Choose another file";
pub(crate) const ROW: &str = "Row";
pub(crate) const REASON: &str = "What is wrong";
pub(crate) const REJECTED: &str = "Fetch the rows that were left out";
pub(crate) const TO_TABLE: &str = "Go to the table";
pub(crate) const ANOTHER: &str = "Import another file";

pub(crate) const WHY_SLOW: &str = "Why?";
pub(crate) const EXPLAIN_TITLE: &str = "How these rows were found";

pub(crate) const FROM_FILE: &str = "New collection from a file";
pub(crate) const FROM_FILE_LEAD: &str = "Its columns become fields. You see which before anything is made.";
pub(crate) const NAME: &str = "Name of the collection";
pub(crate) const NAME_HINT: &str = "Small letters, digits and underscores.";
pub(crate) const GUESSING: &str = "Reading the file; nothing is made yet …";
pub(crate) const COLUMNS: &str = "What its columns become";
pub(crate) const COLUMN: &str = "Column";
pub(crate) const TYPE: &str = "Type";
pub(crate) const VALUES: &str = "First values";
pub(crate) const MAKE: &str = "Make the collection";
pub(crate) const MAKE_HINT: &str = "Then the file is checked against it, before its rows come in. Who may use it is as for every new collection; change that under its definition.";

/// A column's name as a field.
pub(crate) fn name_of(heading: &str) -> String {
    format!("Field for {heading}")
}

/// A column's type.
pub(crate) fn type_of(heading: &str) -> String {
    format!("Type of {heading}")
}

/// A collection was made.
pub(crate) fn made(label: &str) -> String {
    format!("Made the collection {label}.")
}

/// The label of a row's box.
pub(crate) fn select(title: &str) -> String {
    format!("Choose {title}")
}

/// The button that does it.
pub(crate) fn change_button(number: u64) -> String {
    format!("Change {}", count(number, "record"))
}

/// The button that does it.
pub(crate) fn delete_button(number: u64) -> String {
    format!("Delete {}", count(number, "record"))
}

/// A file's size.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a browser's files have whole sizes
pub(crate) fn size(size: f64) -> String {
    bytes(size as u64)
}

pub(crate) const FILE_GONE: &str = "The file cannot be read any more. Choose it again.";
pub(crate) const ONCE_MORE: &str = "Look at the table first: its rows may all be there. They can go in once more.";

/// The button that imports.
pub(crate) fn import_button(rows: u64, once_more: bool) -> String {
    format!("Import {}{}", count(rows, "row"), if once_more { " once more" } else { "" })
}

/// How long a table took.
#[allow(clippy::cast_precision_loss)] // shown with three digits
pub(crate) fn took(milliseconds: u64) -> String {
    format!("This took {} s.", common::dashboard::number(milliseconds as f64 / 1000.0))
}
