//! What is said of charts of records.

use common::text::single_line;
pub use common::words::server::NO_VALUES;

/// The charts, in the path at the top.
pub const INSIGHTS: &str = "insights";
/// No filter holds.
pub const OF_ALL_RECORDS: &str = "Of all records that you may list.";

/// A filter holds.
pub fn of_filter(filter: &str) -> String {
    format!("Of the records with {filter}.")
}

/// The table shows the records of a bar.
pub fn filtered_by(label: &str) -> String {
    format!("Filtered by {}. Backspace shows all rows again.", single_line(label))
}
