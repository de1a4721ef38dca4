//! The server is killed at random moments under load.

pub mod server;
