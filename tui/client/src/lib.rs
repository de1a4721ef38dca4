//! Asking a Coffer server, for the terminal app and the command line: the only crate of the two that names reqwest.
//!
//! - [`client`]: one server and the session with it; sending, streams, uploads, renewal of tokens
//! - [`session`], [`server`], [`profile`]: the session's file, the server's address, servers with a name
//! - [`ready`]: asking a server whether it is ready, without a session
//! - [`upload`]: a file on its way to the server
//! - [`migrations`]: files of migrations
//! - [`failure`]: why a call did not succeed; `reason`, why nothing came back

pub mod client;
pub mod failure;
pub mod migrations;
pub mod profile;
pub mod ready;
mod reason;
pub mod server;
pub mod session;
pub mod upload;

pub use client::Client;
pub use failure::{Answer, Failure};
pub use upload::Upload;
