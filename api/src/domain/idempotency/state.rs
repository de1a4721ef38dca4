//! What a server remembers of keys that are at work.

use std::{
    collections::HashSet,
    sync::{Mutex, atomic::AtomicU64},
};

/// Which keys are at work, and how many answers were given again.
#[derive(Debug, Default)]
pub struct Idempotency {
    pub(super) running: Mutex<HashSet<Vec<u8>>>,
    /// Requests that were answered as before.
    pub replayed: AtomicU64,
}
