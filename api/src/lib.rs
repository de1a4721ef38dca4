//! The Coffer server: [`store`] keeps, [`auth`] and [`domain`] decide, [`routes`] speak HTTP, [`server`] listens, [`cli`]
//! puts them together. Each knows only those before it.

pub mod assets;
pub mod auth;
pub mod cli;
pub mod domain;
pub mod log;
pub mod metrics;
pub mod problem;
pub mod routes;
pub mod server;
pub mod store;
