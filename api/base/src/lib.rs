//! What every part of the server needs, and that knows none of them: the seams through which time, randomness and new ids come in,
//! so that a test can hold the clock and foretell the ids; the histogram that parts count in; what counts as one client; the budget of memory; the forms
//! in which texts are compared; and the files that an operator names.

mod clock;
mod entropy;
pub mod file;
pub mod fold;
pub mod histogram;
mod ids;
mod memory;
mod network;
mod newest;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use clock::{Clock, ClockHand};
pub use entropy::Entropy;
pub use histogram::Histogram;
pub use ids::IdSource;
pub use memory::{Charge, MemoryBudget, OutOfMemory};
pub use network::ClientNetwork;
pub use newest::Newest;

// A panic elsewhere cannot leave the plain values that are kept here half written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
