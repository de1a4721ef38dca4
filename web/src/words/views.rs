//! What is said of saved views and of columns.

pub(crate) use common::words::server::NO_VALUES;
pub(crate) const TITLE: &str = "Views";
pub(crate) const NONE: &str = "None yet. Filter and order the table, choose its columns, and keep it under a name.";
pub(crate) const SHARED: &str = "you share it";
pub(crate) const OTHERS: &str = "shared with you";
pub(crate) const NEW_NAME: &str = "New name of the view";
pub(crate) const RENAME: &str = "Rename";
pub(crate) const SHARE: &str = "Share";
pub(crate) const UNSHARE: &str = "Keep for myself";
pub(crate) const OVERWRITE: &str = "Update to what is shown";
pub(crate) const KEEP: &str = "Keep the table as it is shown";
pub(crate) const NAME: &str = "Name";
pub(crate) const SAVE: &str = "Save";
pub(crate) const SHARE_HINT: &str = "Share it with those who may list this collection";
pub(crate) const DELETE_TEXT: &str = "The records stay. Nothing brings the view back.";
pub(crate) const COLUMNS: &str = "Columns";
pub(crate) const ALL_COLUMNS: &str = "All columns again";

pub(crate) const USUAL_WIDTHS: &str = "Usual widths again";
pub(crate) const WIDTHS_HINT: &str =
    "To make a column narrower or wider, drag the right edge of its heading, or press Shift and ← or → on the heading.";

pub(crate) const INSIGHTS: &str = "Insights";
pub(crate) const INSIGHTS_LEAD: &str = "Of the records under the filter. A bar shows its records in the table.";
pub(crate) const AS_TABLES: &str = "As tables";
pub(crate) const FIELD: &str = "Field";
pub(crate) const RECORDS: &str = "Records";

/// The button that saves a chart's data.
pub(crate) fn csv(label: &str) -> String {
    format!("Save the data of {label} as CSV")
}

/// A bar.
pub(crate) fn bar(label: &str, count: &str) -> String {
    format!("{label}: {count}")
}

/// How it is ordered.
pub(crate) fn ordered(ordering: &str) -> String {
    format!("by {ordering}")
}

/// The button that moves a column to the left.
pub(crate) fn earlier(label: &str) -> String {
    format!("Move {label} to the left")
}

/// A new one is kept.
pub(crate) fn kept(name: &str) -> String {
    format!("Kept the view {name}.")
}

/// It has another name.
pub(crate) fn renamed(name: &str) -> String {
    format!("The view is called {name} now.")
}

/// Others see it, or no more.
pub(crate) fn shared(name: &str, shared: bool) -> String {
    if shared { format!("{name} is shared now.") } else { format!("{name} is yours alone now.") }
}

/// It shows something else.
pub(crate) fn overwritten(name: &str) -> String {
    format!("{name} shows this now.")
}

/// Asks whether it goes.
pub(crate) fn delete_title(name: &str) -> String {
    format!("Delete the view {name}?")
}

/// It is gone.
pub(crate) fn deleted(name: &str) -> String {
    format!("Deleted the view {name}.")
}
