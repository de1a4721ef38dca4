//! The store by itself, without the server: what it promises, tried hard.

extern crate coffer_store as store;

mod concurrency;
mod damage;
mod disk;
mod files;
mod held;
mod model;
mod opening;
#[cfg(feature = "e2e")]
mod postgres;
#[cfg(feature = "e2e")]
mod postgres_oracle;
#[cfg(feature = "e2e")]
mod postgres_server;
mod power_cut;
mod random;
mod values;
mod writer;

use std::path::Path;

use store::{Options, Store};

use random::Random;

/// A store on disk in `dir`.
fn open(dir: &Path) -> Store {
    Store::open(Options::sled(dir)).expect("the store opens")
}

/// Runs a future on a small runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
}

/// So many random bytes.
fn bytes(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.next().to_le_bytes()[0]).collect()
}
