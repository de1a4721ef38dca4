//! The Coffer server: [`store`] keeps, [`auth`], [`limits`] and [`domain`] decide, [`routes`] speak HTTP, [`server`] listens, [`cli`]
//! puts them together. Each knows only those before it. [`store`], [`auth`], [`server`] and [`logging`] are crates of their own, so that
//! Cargo holds what they know.

pub mod assets;
pub mod cli;
pub mod domain;
pub mod limits;
pub mod routes;
