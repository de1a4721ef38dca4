//! What the dashboard says.

pub(crate) use common::words::server::{NO_CHANGES, NOTHING_MEASURED, silent};
use std::time::Duration;

use common::{
    dashboard::{Span, number},
    operation::{OperationKind, OperationState},
    text::{count, thousands},
};

pub(crate) use common::words::many::progress;

pub(crate) const TITLE: &str = "Dashboard";
pub(crate) const MINUTES: &str = "2 minutes";
pub(crate) const HOUR: &str = "1 hour";
pub(crate) const SPAN: &str = "How far back plots go";
pub(crate) const TABLES: &str = "As tables";
pub(crate) const FIGURES: &str = "Figures";
pub(crate) const PLOTS: &str = "Plots";
pub(crate) const WHEN: &str = "When";
pub(crate) const VALUE: &str = "Value";
pub(crate) const COLLECTIONS: &str = "Collections";
pub(crate) const ALL_COLLECTIONS: &str = "All collections";
pub(crate) const CHANGES: &str = "Newest changes";
pub(crate) const ALL_CHANGES: &str = "All changes";
pub(crate) const ROUTES: &str = "Requests by route, since the start";
pub(crate) const NO_ROUTES: &str = "Nothing was asked yet.";
pub(crate) const ROUTE: &str = "Route";
pub(crate) const REQUESTS: &str = "Requests";
pub(crate) const NOW: &str = "Now";
pub(crate) const WORK: &str = "Work in the background";
pub(crate) const NO_WORK: &str = "None now, and none lately.";
pub(crate) const RECORDS: &str = "Newest records";
pub(crate) const NO_RECORDS: &str = "There is no record yet that you may see.";
pub(crate) const YOURS: &str = "Yours";
pub(crate) const OWN_RECORDS: &str = "Records";
pub(crate) const OWN_BYTES: &str = "Bytes";
pub(crate) const SESSIONS: &str = "Sessions";
pub(crate) const START_TITLE: &str = "No collections yet";
pub(crate) const START: &str = "A collection is a table of your own design: it says what its records look like and who may use them. Three ways to begin:";
pub(crate) const START_DEFINE: &str = "Make one by hand";
pub(crate) const START_DEFINE_TEXT: &str = "Name it, give it fields, say who may do what.";
pub(crate) const START_FILE: &str = "Make one from a file";
pub(crate) const START_FILE_TEXT: &str = "CSV, TSV or JSON: types are guessed and shown before anything is written.";
pub(crate) const START_CLIENT: &str = "Connect a client";
pub(crate) const START_CLIENT_TEXT: &str = "The terminal app, or any program that speaks HTTP.";

/// How fresh it is.
pub(crate) fn state(at: Option<&str>, pause: Duration) -> String {
    let at = at.map_or_else(String::new, |at| format!("as of {at} UTC, "));
    format!("{at}asked for every {} s", number(pause.as_secs_f64()))
}

/// The value of a figure that is old.
pub(crate) fn as_of(at: &str) -> String {
    format!("as of {at}")
}

/// The caption of a plot's table.
pub(crate) fn caption(heading: &str, span: Span) -> String {
    let [since, ..] = span.labels();
    format!("{heading}, since {since}")
}

/// How many records came in a day.
pub(crate) fn grown(number: u64) -> String {
    format!("+{} in 24 h", thousands(number))
}

/// What an operation does.
pub(crate) fn work(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::TrimChanges => "Trimming the journal",
        OperationKind::Revert => "Undoing an operation",
        OperationKind::Redefine => "Changing a definition",
        OperationKind::Import => "Importing a file",
        OperationKind::DeleteCollection => "Deleting a collection",
        OperationKind::DeleteRecord => "Deleting a record",
        OperationKind::Erase => "Erasing from the journal",
        _ => "Cleaning up",
    }
}

/// How it stands.
pub(crate) fn stands(state: OperationState) -> &'static str {
    state.as_str()
}

/// How many sessions are open.
pub(crate) fn sessions(number: u64) -> String {
    count(number, "open session")
}
