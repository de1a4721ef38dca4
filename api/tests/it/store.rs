//! The store by itself, without the server: what it promises, tried hard.

mod concurrency;
mod damage;
mod model;
mod opening;
mod power_cut;
pub mod random;
mod values;
mod writer;

use std::fs;
use std::path::Path;

use coffer::store::{Options, Store};

/// A store on disk in `dir`.
fn open(dir: &Path) -> Store {
    Store::open(Options::sled(dir)).expect("the store opens")
}

/// Runs a future on a small runtime.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
}

/// Copies a directory with all that is in it.
pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}
