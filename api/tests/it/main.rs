//! One integration binary: it drives the real server on port 0.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod access;
mod aggregate;
mod api_pages;
mod backup;
mod bounds;
mod browser_session;
mod check;
#[cfg(feature = "e2e")]
mod clients;
mod collections;
mod command_line;
mod compound;
mod compression;
mod conformance;
mod contract;
mod deletions;
mod disk;
mod docs;
mod drf_clients;
mod drf_errors;
mod drf_writes;
mod erase;
mod events;
mod explain;
#[path = "../../store/tests/it/files.rs"]
mod files;
mod fixtures;
mod history;
mod hostile;
mod https;
mod ids;
mod init;
mod inout;
mod invariants;
mod join;
mod journal;
mod kill;
mod lines;
mod list_modes;
mod list_relations;
mod metrics;
mod migrate;
#[cfg(feature = "e2e")]
mod nodes;
mod openapi;
mod operations;
mod operator;
mod pairs;
mod people_lists;
mod planner;
#[cfg(feature = "e2e")]
#[path = "../../store/tests/it/postgres_server.rs"]
mod postgres_server;
#[path = "../../store/tests/it/power_cut/disk.rs"]
mod power_cut_disk;
#[allow(dead_code, reason = "commands are not waited for until it opens")]
#[path = "../../../tui/tests/terminal/proxy.rs"]
mod proxy;
mod published;
mod races;
#[path = "../../store/tests/it/random.rs"]
mod random;
mod records;
mod records_list;
mod redefine;
mod references;
mod schemas;
mod scripts;
mod search_words;
mod security;
mod served;
mod server;
mod service;
mod sessions;
mod setup;
mod sign_up;
mod support;
mod tokens;
mod trash;
mod troubles;
mod undo;
mod users;
mod values;
mod views;
mod wire;
#[cfg(feature = "e2e")]
mod wordnet;
