//! Sentences of the dashboard.

pub use common::words::server::{NO_CHANGES, NOTHING_MEASURED, silent};
use std::time::Duration;

use common::dashboard::{Span, number};

/// The dashboard, in the path at the top.
pub const DASHBOARD: &str = "dashboard";
/// Somebody else asked for it.
pub const NOT_ADMIN_DASHBOARD: &str = "Only admins see the server's dashboard.";
/// The heading over the newest changes.
pub const NEWEST_CHANGES: &str = "Newest changes (UTC)";
/// The heading over the collections.
pub const COLLECTIONS_BY_COUNT: &str = "Records by collection";

/// How fresh the dashboard is.
pub fn dashboard_state(span: Span, at: Option<&str>, pause: Option<Duration>) -> String {
    let plotted = match span {
        Span::Minutes => "two minutes, a point a second",
        Span::Hour => "an hour, a point each 10 s",
    };
    let at = at.map_or_else(String::new, |at| format!("as of {at} UTC · "));
    let asked = match pause {
        Some(pause) => format!("asked for every {} s", number(pause.as_secs_f64())),
        None => "asked for when you press r".to_owned(),
    };
    format!("{at}{asked} · {plotted}")
}

/// The value of a figure that is old.
pub fn as_of(value: &str, at: &str) -> String {
    format!("{value}, as of {at}")
}

/// How full the disk is.
pub fn disk_used(used: f64) -> String {
    format!("{} % of the disk is used", number(used * 100.0))
}

/// How much of the memory for requests is held.
pub fn memory_held(held: f64) -> String {
    format!("{} % of the memory is held", number(held * 100.0))
}

/// The heading over the line of commits.
pub fn commits(most: f64) -> String {
    format!("Commits a second, {} at most", number(most))
}
