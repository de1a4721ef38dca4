//! The Coffer server.

pub mod auth;
pub mod store;
