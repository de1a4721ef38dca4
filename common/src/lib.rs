//! What every part of Coffer says to every other: endpoints, models, validation, problems, and the form and table models
//! that both clients draw. It knows nobody: no I/O, clock, randomness, async runtime or HTTP library (the `http` crate's
//! types aside), and builds for wasm32 as for the host.
//!
//! - [`endpoint`] and [`endpoints`]: one type per endpoint, and [`ENDPOINTS`], the list of all of them.
//! - [`name`], [`id`]: parsed names and ids. A raw `String` does not travel inwards.
//! - [`collection`], [`field`], [`history`], [`record`], [`validate`], [`mod@clean`]: what a collection is, and what its records must be.
//! - [`json`], [`reader`], [`answer`], [`problem`]: strict JSON in, answers and problem documents out.
//! - [`query`], [`aggregate`], [`page`], [`join`], [`change`], [`undo`], [`erase`], [`operation`]: list parameters, the page envelope, the left join, the
//!   journal, undoing and erasing, work in the background.
//! - [`rows`], [`import`], [`many`], [`batch`]: records as files, out and in, and many at once.
//! - [`event`]: live events, how they are read and followed. [`explain`]: how the rows of a list were found, in words.
//! - [`schema`]: JSON Schemas of all that, with the feature `schema`.
//! - [`form`], [`editor`], [`table`], [`selection`], [`people`]: what the clients show and how they parse what people type.
//! - [`mod@metrics`], [`dashboard`]: the last hour of a server in samples, and what a dashboard makes of them.
//! - [`view`], [`insight`]: saved views of collections, and charts of their records.
//! - [`activity`], [`diff`]: lists of changes to look through, and what each did, word by word.
//! - [`api_page`]: how a collection's records are asked for, with requests to copy; [`snippet`]: any request, to copy.
//! - [`inspection`]: what a token says, explained. [`mod@log`]: the lines of a server's log.
//! - [`migration`]: changes of collections that are kept in files.
//! - [`renewal`], [`conflict`]: when a client renews its token; what it does when somebody else changed a record meanwhile.

pub mod access;
pub mod activity;
pub mod aggregate;
pub mod answer;
pub mod api_page;
pub mod batch;
mod call_error;
pub mod certificate;
pub mod change;
pub mod claims;
pub mod clean;
pub mod collection;
pub mod condition;
pub mod conflict;
pub mod conversion;
pub mod dashboard;
pub mod diff;
pub mod duration;
pub mod editor;
pub mod endpoint;
pub mod endpoints;
pub mod erase;
pub mod event;
pub mod explain;
pub mod field;
pub mod form;
pub mod history;
pub mod id;
pub mod import;
pub mod insight;
pub mod inspection;
pub mod join;
pub mod json;
pub mod log;
pub mod many;
pub mod metadata;
pub mod metrics;
pub mod migration;
pub mod name;
pub mod operation;
pub mod page;
pub mod people;
pub mod problem;
pub mod published;
pub mod query;
pub mod reader;
pub mod record;
pub mod renewal;
pub mod rows;
pub mod schema;
pub mod selection;
pub mod snippet;
pub mod table;
pub mod text;
pub mod undo;
pub mod user;
pub mod validate;
pub mod variables;
pub mod view;
pub mod words;

pub use call_error::CallError;
pub use endpoint::{Access, Call, Endpoint, EndpointInfo, Reply};
pub use endpoints::ENDPOINTS;
pub use join::left_join;
pub use problem::Problem;

/// A JSON object, members in the order in which they were written.
pub type Object = serde_json::Map<String, serde_json::Value>;
