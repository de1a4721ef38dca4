//! The store by itself, without the server: what it promises, tried hard.

mod concurrency;
mod model;
mod opening;
mod power_cut;
mod random;
mod values;
mod writer;

use coffer::store::{Options, Store};

/// A store on disk in `dir`.
fn open(dir: &std::path::Path) -> Store {
    Store::open(Options::sled(dir)).expect("the store opens")
}

/// Runs a future on a small runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
}
