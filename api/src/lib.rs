//! The Coffer server.

pub mod store;
