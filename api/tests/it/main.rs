//! One integration binary: it drives the real server on port 0.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod conformance;
mod server;
mod store;
