//! The web app in a real browser on a real server. Each story waits for what a person would see, and ends with an empty
//! console: no error, no warning, no violation of the content security policy.

#![allow(clippy::unwrap_used)] // a test's helper may fail the test

mod accounts;
mod addresses;
mod browser;
mod changes;
mod crowd;
mod dashboard;
mod explorer;
mod first_run;
mod live;
mod looks;
mod many;
mod origins;
mod outage;
mod parts;
#[path = "../../../tui/tests/terminal/proxy.rs"]
mod proxy;
mod references;
mod seed;
mod server;
mod server_pages;
mod start;
mod text;
mod together;
mod views;
