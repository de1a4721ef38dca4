//! What kinds of work have in common: each does a piece at a time, within bounds.

use std::time::Duration;

use base::Clock;
use common::operation::OperationState;
use store::Batch;

use crate::domain::{core::Core, error::Result};

/// Keys that a piece may read or write.
const MAX_KEYS: usize = 500;
/// Bytes that a piece may read or write, about: it ends with the entry that passes them. Each word of a record can be an entry of an index, and
/// these are bounded too by that.
const MAX_BYTES: usize = 128 * 1024;
/// How long a piece may be planned.
const MAX_TIME: Duration = Duration::from_millis(20);

/// How long a request waits for a change of a definition.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Work of one kind: how far it is, which is stored after each piece.
pub(crate) trait Steps {
    /// Plans the next piece within `budget`, and moves on to the one after it. Nothing may be written but by the piece's batch.
    /// What is planned may not come to be; then the work is read back as it was stored, and this is called again.
    fn step(&mut self, core: &Core, budget: &mut Budget<'_>) -> impl Future<Output = Result<Piece>> + Send;
}

/// A planned piece.
#[derive(Default)]
pub(crate) struct Piece {
    /// What it changes; nothing where it only read.
    pub batch: Batch,
    /// How many entries it is done with, of those that are counted.
    pub done: u64,
    /// There is no more to do.
    pub is_last: bool,
    /// How it ends, where not well, and why.
    pub ended: Option<(OperationState, Option<String>)>,
}

/// What a piece may take.
pub(crate) struct Budget<'a> {
    clock: &'a Clock,
    until: Duration,
    keys: usize,
    bytes: usize,
}

impl<'a> Budget<'a> {
    /// A whole one, from now on.
    pub(crate) fn new(clock: &'a Clock) -> Self {
        Self { clock, until: clock.elapsed().saturating_add(MAX_TIME), keys: MAX_KEYS, bytes: MAX_BYTES }
    }

    /// Keys that are left.
    pub(crate) fn keys(&self) -> usize {
        self.keys
    }

    /// Takes one key, and the bytes that stand there.
    pub(crate) fn spend(&mut self, bytes: usize) {
        self.keys = self.keys.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Whether the piece has to end.
    pub(crate) fn is_spent(&self) -> bool {
        self.keys == 0 || self.bytes == 0 || self.clock.elapsed() >= self.until
    }
}
