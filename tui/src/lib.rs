//! The terminal client: Model / Message / update / view, with effects at the edge. What a form, a table or a filter line
//! is, `common` says; here it is drawn, and keys are read.
//!
//! - [`model`], [`message`], [`update`](mod@update): what is shown, what can happen, and what then changes. Pure: no I/O, no clock.
//! - [`screen`]: one module for each screen, with its state and what its keys do.
//! - [`view`](mod@view): draws the model. [`key`] is the one table of keys, [`words`] holds every sentence, [`style`] every colour.
//! - [`load`]: tickets, which bring each answer to the screen that asked.
//! - [`many`]: many records at once, and files of them.
//! - `panes`: what stands beside each other in a wide window; `footer`: the keys in the last line.
//! - [`text_input`], [`width`]: text under the cursor; text in columns.
//! - [`config`], `ground`, `editor`: settings, the terminal's ground, texts in another program.
//! - [`output`], `painter`: what goes to the terminal, and no more than that.
//! - [`live`]: the stream of what others change.
//! - [`app`], [`effect`]: the event loop, and what the update wants done in the world.
//! - `coffer-client` has HTTP, the session's file and the server's address.
//! - [`arguments`]: what the command line says.

pub mod app;
pub mod arguments;
pub mod config;
mod editor;
pub mod effect;
#[cfg(test)]
mod fixture;
mod footer;
mod ground;
mod key;
mod live;
mod load;
pub mod many;
pub mod message;
pub mod migrating;
pub mod model;
pub mod output;
mod page;
mod painter;
mod panes;
mod perform;
mod screen;
mod signals;
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
