//! What both clients say of many records at once: of what is chosen, and of files in and out.

use crate::{
    change::Verb,
    import::{Import, RowFault},
    many::{MAX_MANY, Many},
    operation::{Operation, OperationState},
    problem::NON_FIELD,
    rows::RowFormat,
    selection::MAX_CHOSEN,
    text::{self, count, thousands},
};

/// Changes a field of the chosen rows.
pub const CHANGE: &str = "Change a field";
/// Writes rows to a file.
pub const EXPORT: &str = "Export";
/// Reads a file.
pub const IMPORT: &str = "Import";
/// The field that is changed.
pub const FIELD: &str = "Field";
/// The field is emptied.
pub const NO_VALUE: &str = "No value: empty the field";
/// The server is asked.
pub const ASKING: &str = "Asking what would happen …";
/// What is done to many is undone at once.
pub const UNDO_HINT: &str = "It is one operation, and can be undone as one.";
/// There is nothing to do.
pub const NOTHING_WOULD: &str = "Nothing would change: all of them say this already.";
/// What an export of a table has.
pub const EXPORT_LEAD: &str = "All rows under the filter, in their order, as of one moment.";
/// What an export of a selection has.
pub const EXPORT_CHOSEN: &str = "The chosen rows.";
/// Files of an export: what they are called, what they are, their format, and whether they are for a spreadsheet program.
pub const EXPORTS: [(&str, &str, RowFormat, bool); 4] = [
    ("CSV", "exact, comes in again as it was", RowFormat::Csv, false),
    ("CSV for Excel", "formulas are made harmless", RowFormat::Csv, true),
    ("JSON", "one array", RowFormat::Json, false),
    ("JSON lines", "one object a line", RowFormat::JsonLines, false),
];
/// A file is being read from the server.
pub const FETCHING: &str = "The file is on its way …";
/// The file of an import.
pub const FILE: &str = "File";
/// The server reads a file.
pub const CHECKING: &str = "Checking the file; nothing is written yet …";
/// The first rows of a file.
pub const PREVIEW: &str = "First rows";
/// A column goes nowhere.
pub const LEFT_OUT: &str = "left out";
/// The options of an import.
pub const OPTIONS: &str = "How it is read";
/// The field by which rows find records.
pub const KEY: &str = "Rows find records by";
/// There is none.
pub const NO_KEY: &str = "nothing: all rows are new";
/// What becomes of a row that finds a record.
pub const CONFLICT: &str = "A row that finds one";
/// The same, in the order of [`crate::import::OnConflict::WORDS`].
pub const CONFLICTS: [&str; 3] = ["is a fault", "is passed over", "changes it"];
/// Rows that do not fit are left out.
pub const SKIP: &str = "Leave out rows that do not fit";
/// What becomes of them.
pub const SKIP_HINT: &str = "They can be fetched as a file afterwards, mended, and sent again.";
/// Decimal commas.
pub const DECIMAL_COMMA: &str = "Decimal commas (1.234,50)";
/// The file has marks before what would be formulas.
pub const SPREADSHEET: &str = "It was exported for Excel";
/// Empty cells are null.
pub const EMPTY_IS_NULL: &str = "Empty is null, quoted or not";
/// Formats of dates.
pub const DATES: &str = "How dates are written";
/// How they are given.
pub const DATES_HINT: &str = "Beside the usual ways, such as DD.MM.YYYY; several with commas between them.";
/// The heading over faults.
pub const FAULTS: &str = "Rows that do not fit";
/// There are more faults than are told.
pub const MORE_FAULTS: &str = "These are the first of them.";
/// There are faults.
pub const FAULTY: &str = "As it is, nothing would be written. Mend the file, or leave these rows out.";
/// A file is on its way to the server.
pub const SENDING: &str = "Sending the file …";
/// Ends an import.
pub const STOP: &str = "Stop, and take it back";
/// An import is over.
pub const DONE: &str = "The file is in";
/// An import goes on.
pub const RUNNING: &str = "Importing";
/// Nobody but others may import here.
pub const FORBIDDEN: &str = "You may not create records here. An admin can change the collection's access rules.";

/// How many are chosen.
pub fn chosen(number: u64) -> String {
    format!("{} chosen", count(number, "row"))
}

/// Choose all that match.
pub fn choose_all(number: u64) -> String {
    format!("Choose all {} that match", thousands(number))
}

/// More than can be done at once.
pub fn too_many() -> String {
    format!("At most {} records can be changed or deleted at once. Narrow the filter.", thousands(MAX_MANY))
}

/// More than can be chosen one by one.
pub fn full() -> String {
    format!("At most {} rows can be chosen one by one.", thousands(MAX_CHOSEN as u64))
}

/// What was changed.
pub fn changed(number: u64) -> String {
    format!("Changed {}.", count(number, "record"))
}

/// What was deleted.
pub fn deleted(number: u64) -> String {
    format!("Deleted {}.", count(number, "record"))
}

/// The title of what was done, for undoing it.
pub fn title(number: u64) -> String {
    count(number, "record")
}

/// What would be done, a line for each collection: how many records, and what with them. Empty where it is nothing.
pub fn would(many: &Many) -> Vec<(String, String)> {
    let counts = many.counts.iter().filter(|counted| counted.count > 0);
    let line = counts.map(|counted| {
        let label = counted.collection.as_ref().map(|name| text::label(name.as_str())).unwrap_or_default();
        let does = if counted.action == Verb::Delete { "deleted" } else { "changed" };
        (count(counted.count, "record"), format!(" in {label} would be {does}"))
    });
    line.collect()
}

/// How a file was read.
pub fn read_as(import: &Import) -> String {
    let between = match import.read.delimiter.as_deref() {
        Some("\t") => ", tabs between cells".to_owned(),
        Some(delimiter) => format!(", “{delimiter}” between cells"),
        None => String::new(),
    };
    format!("{}, {}{between}", import.read.format.to_uppercase(), import.read.encoding)
}

/// What an import did, or would do.
pub fn counted(import: &Import) -> String {
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
    let rows = match import.looked_at() {
        seen if import.dry_run && seen < import.rows => {
            format!(
                "Of {}, the first {} were looked at in the time there is",
                count(import.rows, "row"),
                thousands(seen)
            )
        }
        _ => count(import.rows, "row"),
    };
    format!("{rows}: {}.", parts.join(", "))
}

/// A file was imported before.
pub fn imported_before(at: &str) -> String {
    format!("This file was imported at {} UTC, and nothing was added now.", crate::table::short_moment(at))
}

/// The title of an import.
pub fn import_title(label: &str) -> String {
    format!("Import into {label}")
}

/// How an import stands.
pub fn stands(one: &Operation) -> &'static str {
    let is_written = one.import.as_ref().is_some_and(|import| import.created + import.updated > 0);
    match one.state {
        OperationState::Done => DONE,
        // Rows that were written beside others that did not fit stay.
        OperationState::Stopped if is_written => "The import was stopped. What was written stays, and can be undone.",
        OperationState::Stopped => "The import was stopped, and taken back.",
        OperationState::Failed if is_written => "The import failed. What was written stays, and can be undone.",
        OperationState::Failed => "The import failed, and was taken back.",
        OperationState::Running => RUNNING,
        OperationState::Waiting | OperationState::Paused => "The import waits for its turn.",
        OperationState::Stopping => "The import is being taken back.",
    }
}

/// The field that a fault is about, as people read it; `whole` stands for the row as a whole.
pub fn fault_field(fault: &RowFault, whole: &str) -> String {
    if fault.field == NON_FIELD { whole.to_owned() } else { text::label(&fault.field) }
}

/// How far something is.
pub fn progress(done: u64, of: Option<u64>) -> String {
    match of {
        Some(of) => format!("{} of {}", thousands(done), thousands(of.max(done))),
        None => thousands(done),
    }
}

/// How far an import is: the rows that are in, or those that were looked at before the first is.
pub fn import_progress(one: &Operation) -> (u64, Option<u64>, String) {
    let import = one.import.as_deref();
    let (checked, rows) = import.map_or((0, 0), |import| (import.checked, import.rows));
    let is_in = one.done > 0 || import.is_some_and(|import| import.created + import.updated > 0);
    if is_in || one.state == OperationState::Stopping {
        (one.done, one.of, progress_of_rows(one.done, one.of))
    } else if rows == 0 {
        (0, None, "The file is being read.".to_owned())
    } else {
        (checked, Some(rows), format!("{} were checked", progress_of_rows(checked, Some(rows))))
    }
}

/// How many rows of a file are in.
pub fn progress_of_rows(done: u64, of: Option<u64>) -> String {
    format!("{} rows", progress(done, of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::ReadAs;

    #[test]
    fn a_dry_run_that_had_no_time_for_all_rows_says_so() {
        let import = |dry_run, rows, created, rejected| Import {
            operation: None,
            state: OperationState::Done,
            dry_run,
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            rows,
            checked: 0,
            created,
            updated: 0,
            unchanged: 0,
            rejected,
            faults: Vec::new(),
            read: ReadAs::default(),
        };
        assert_eq!(counted(&import(true, 3, 2, 1)), "3 rows: 2 would be made, 1 does not fit.");
        let partly = "Of 30\u{202f}000 rows, the first 26\u{202f}000 were looked at in the time there is: 25\u{202f}999 would be made, 1 does not fit.";
        assert_eq!(counted(&import(true, 30_000, 25_999, 1)), partly);
        assert_eq!(counted(&import(false, 30_000, 12, 0)), "30\u{202f}000 rows: 12 were made.");
    }

    #[test]
    fn an_import_tells_what_it_is_at() {
        let told = |state: &str, done: u64, rows: u64, checked: u64| {
            let one: Operation = serde_json::from_value(serde_json::json!({
                "id": "01920000-0000-7000-8000-000000000001", "kind": "import", "state": state, "done": done, "of": rows,
                "started_at": "2026-01-01T00:00:00Z", "ended_at": null, "by": null, "error": null,
                "import": {"operation": null, "state": state, "dry_run": false, "started_at": "2026-01-01T00:00:00Z", "rows": rows,
                    "checked": checked, "created": done, "updated": 0, "unchanged": 0, "rejected": 0, "faults": [],
                    "read": {"format": "csv", "encoding": "UTF-8", "delimiter": ",", "columns": []}}
            }))
            .unwrap();
            import_progress(&one)
        };
        assert_eq!(told("running", 0, 0, 0), (0, None, "The file is being read.".to_owned()));
        assert_eq!(told("running", 0, 9, 4), (4, Some(9), "4 of 9 rows were checked".to_owned()));
        assert_eq!(told("running", 3, 9, 9), (3, Some(9), "3 of 9 rows".to_owned()));
        assert_eq!(told("stopping", 0, 9, 9), (0, Some(9), "0 of 9 rows".to_owned()));
    }
}
