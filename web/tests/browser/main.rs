//! The web app in a real browser on a real server. Each story waits for what a person would see, and ends with an empty
//! console: no error, no warning, no violation of the content security policy.

#![allow(clippy::unwrap_used)] // a test's helper may fail the test

mod looks;
mod stage;
mod stories;

/// The password of everybody in these stories.
const PASSWORD: &str = "nine small copper kettles";
