//! `/api/log/`: how much the server's log tells, while it runs, and its newest lines.

use super::endpoint;
pub use crate::log::{LEVELS, LinesQuery, LogLevel, LogLine, LogLines, LogSettings, SetLevel};

endpoint! {
    /// What the log tells: a level, or what `--log-level` said.
    Get: GET "/api/log/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer LogSettings as OK
}

endpoint! {
    /// Have the log tell more or less, until the server ends.
    Set: PUT "/api/log/",
    access Admin, cost Writes(User), errors Drf,
    body SetLevel as SMALL_JSON,
    answer LogSettings as OK
}

endpoint! {
    /// The newest lines of the server's log, 1,000 at most, oldest first. Those of requests for them and for `/api/metrics/` are left out.
    Lines: GET "/api/log/lines/",
    access Admin, cost Reads(User), errors Drf,
    query LinesQuery,
    body () as NOTHING,
    answer LogLines as OK
}
