//! What Coffer does, without HTTP: sessions, users, collections, records. Functions here take and return `common`'s types
//! and [`Error`]; they have never heard of a status code. All state is in the store.
//!
//! A function's first argument says what it uses: a [`Core`] has the store, the clock, new ids and the limits; an [`App`] has
//! that, all of sign-in, and who follows events. Of the modules each uses those before it:
//! `steps` < `numbers` < `keyspace` < `indexes` < `record` < `layout` < `schema` < `core` < `journal` < `stage` < `records` < `collections`, and
//! `sessions` < `rotation` < `app` < `users` < `refresh` < `sign_in`; `events` rests on all of it. Three things are asked for from below: `layout` finds fields
//! in `schema`, `core` holds what `records` counts guesses by, and a restored record may bring its collection back (`collections::revive`). Of work in the background, what is stored
//! of it (`operations::kinds`, `stored`) is below `stage`, since a write that does not fit a coming definition ends that work; what does it
//! (`operations::redefine`, `records`, `undo`, `migrations::run`) is above what it uses.

pub mod access_claims;
pub mod app;
pub mod backup;
pub mod callers;
pub mod check;
pub mod clock_warning;
pub mod collections;
pub mod compaction;
pub mod conversion;
pub mod core;
pub mod covered;
pub mod deadline;
pub mod demo;
pub mod error;
pub mod events;
pub mod gone;
pub mod idempotency;
pub mod indexes;
pub mod inspection;
pub mod intake;
pub mod journal;
pub mod keyspace;
pub mod layout;
pub mod migrations;
pub mod new_ids;
pub mod numbered;
pub mod numbers;
pub mod openapi;
pub mod operations;
pub mod owners;
pub mod paths;
pub mod precondition;
pub mod quota;
pub mod record;
pub mod record_ids;
pub mod records;
pub mod refresh;
pub mod refused;
mod retry;
pub mod rotation;
pub mod schema;
pub mod search;
pub mod sessions;
pub mod setup;
pub mod sign_in;
pub mod sign_in_counts;
pub mod sink;
pub mod stage;
pub mod steps;
pub mod turns;
pub mod undo;
pub mod usage;
pub mod users;
pub mod views;
pub mod words;
pub mod work;

pub use self::{
    app::{App, Parts},
    core::Core,
    error::{Error, Result},
};
