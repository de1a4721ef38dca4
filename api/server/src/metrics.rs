//! The numbers that the server counts while it runs, as atomics that cost a request a few nanoseconds. Nothing here
//! asks or decides anything. Labels are numbers into tables that are fixed at the start, never text out of a request, so the
//! number of time series is bounded whatever is asked. How they are shown is `routes/metrics.rs`'s business.
//!
//! Why not `prometheus-client` (0.26): its families look a series up by its labels, under a lock and by a hash of their texts. To count a
//! request takes 37 ns here and 169 ns there, and 107 against 490 ns for two threads at once (`examples/metrics_bench.rs`).

mod failed;
mod http;
mod process;
mod route;
mod text;

pub use failed::Failed;
pub use http::{Connected, Http, Outcome, Totals};
pub use process::Process;
pub use route::Route;
pub use text::{Kind, Text};
