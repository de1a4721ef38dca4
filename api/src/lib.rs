//! The Coffer server: [`store`] keeps, [`auth`], [`limits`] and [`domain`] decide, [`routes`] speak HTTP, [`server`] listens, [`cli`]
//! puts them together. Each knows only those before it; [`metrics`] and [`log`] serve all of them.

pub mod assets;
pub mod auth;
pub mod cli;
pub mod domain;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod problem;
pub mod routes;
pub mod server;
pub use ::store;
