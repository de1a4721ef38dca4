//! The terminal client: Model / Message / update / view, with effects at the edge. What a form, a table or a filter line
//! is, `common` says; here it is drawn, and keys are read.
//!
//! - [`model`], [`message`], [`update`](mod@update): what is shown, what can happen, and what then changes. Pure: no I/O, no clock.
//! - [`screen`]: one module for each screen, with its state and what its keys do.
//! - [`view`](mod@view): draws the model. [`key`] is the one table of keys, [`words`] holds every sentence, [`style`] every colour.
//! - [`load`]: tickets, which bring each answer to the screen that asked.
//! - [`text_input`], [`width`]: text under the cursor; text in columns.
//! - [`live`]: the stream of what others change.
//! - [`app`], [`effect`]: the event loop, and what the update wants done in the world.
//! - [`client`], [`session`], [`server`]: HTTP (only `client` names reqwest), the session's file, the server's address.

pub mod app;
pub mod client;
pub mod effect;
#[cfg(test)]
mod fixture;
mod key;
mod live;
mod load;
pub mod message;
pub mod model;
mod page;
mod perform;
mod screen;
pub mod server;
pub mod session;
mod status;
pub mod style;
pub mod terminal;
mod text_input;
pub mod update;
pub mod view;
pub mod width;
pub mod words;

pub use message::{Failure, Message};
pub use model::Model;
pub use update::update;
pub use view::view;
