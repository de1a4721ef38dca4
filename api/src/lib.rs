//! The Coffer server.

pub mod auth;
pub mod problem;
pub mod server;
pub mod store;
