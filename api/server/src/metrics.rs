//! What is counted while the server runs: the numbers themselves, as atomics that cost a request a few nanoseconds. Nothing here
//! asks or decides anything. Labels are numbers into tables that are fixed at the start, never text out of a request, so the
//! number of time series is bounded whatever is asked. How they are shown is `routes/metrics.rs`'s business.

mod http;
mod process;
mod route;
mod text;

pub use http::{Connected, Http, Outcome};
pub use process::Process;
pub use route::Route;
pub use text::{Kind, Text};
