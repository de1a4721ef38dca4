//! Which keys a scan visits, in which direction, and how many.

use std::ops::Bound;

use super::Key;

/// The order in which a scan visits keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Smallest key first.
    #[default]
    Forward,
    /// Largest key first.
    Backward,
}

/// A range of keys, read in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    pub(super) from: Bound<Key>,
    pub(super) to: Bound<Key>,
    pub(super) direction: Direction,
    pub(super) skip: usize,
    pub(super) limit: usize,
    pub(super) bytes: usize,
}

impl Scan {
    /// Every key that begins with all elements of `prefix`, itself included.
    pub fn prefix(prefix: &Key) -> Scan {
        Scan::range(Bound::Included(prefix.clone()), Bound::Excluded(prefix.after_children()))
    }

    /// Every key between two bounds.
    pub fn range(from: Bound<Key>, to: Bound<Key>) -> Scan {
        Scan { from, to, direction: Direction::Forward, skip: 0, limit: usize::MAX, bytes: usize::MAX }
    }

    /// Largest key first.
    #[must_use]
    pub fn backward(self) -> Scan {
        Scan { direction: Direction::Backward, ..self }
    }

    /// Only keys beyond `key` in the scan's direction (so set the direction first): how a cursor
    /// goes on where the last page ended. `key` must lie within the range.
    #[must_use]
    pub fn after(mut self, key: &Key) -> Scan {
        match self.direction {
            Direction::Forward => self.from = Bound::Excluded(key.clone()),
            Direction::Backward => self.to = Bound::Excluded(key.clone()),
        }
        self
    }

    /// Only `key` and those beyond it in the scan's direction, as with [`after`](Self::after).
    #[must_use]
    pub fn from(mut self, key: &Key) -> Scan {
        match self.direction {
            Direction::Forward => self.from = Bound::Included(key.clone()),
            Direction::Backward => self.to = Bound::Included(key.clone()),
        }
        self
    }

    /// Only keys from `key` on in the scan's direction (so set the direction first), wherever it lies; with that key itself where
    /// `inclusive`.
    #[must_use]
    pub fn onward(mut self, key: &Key, inclusive: bool) -> Scan {
        let bound = if inclusive { Bound::Included(key.clone()) } else { Bound::Excluded(key.clone()) };
        match (self.direction, &self.from, &self.to) {
            (Direction::Forward, Bound::Included(from) | Bound::Excluded(from), _) if from > key => {}
            (Direction::Backward, _, Bound::Included(to) | Bound::Excluded(to)) if to < key => {}
            (Direction::Forward, ..) => self.from = bound,
            (Direction::Backward, ..) => self.to = bound,
        }
        self
    }

    /// Only keys beyond `prefix` and all that begin with it, forward: how to step over a part that is
    /// not of interest.
    #[must_use]
    pub fn beyond(self, prefix: &Key) -> Scan {
        Scan { from: Bound::Included(prefix.after_children()), ..self }
    }

    /// Passes over the first `count` keys without reading their values. Costs time in proportion
    /// to `count`, though much less than reading them.
    #[must_use]
    pub fn skip(self, count: usize) -> Scan {
        Scan { skip: count, ..self }
    }

    /// Stops after `count` entries. Without it a scan runs to the end of its range.
    #[must_use]
    pub fn limit(self, count: usize) -> Scan {
        Scan { limit: count, ..self }
    }

    /// Stops after the entry with which the values have `bytes` or more. At least one entry is read, if there is one.
    #[must_use]
    pub fn limit_bytes(self, bytes: usize) -> Scan {
        Scan { bytes, ..self }
    }
}

/// True for bounds between which no key can lie; engines need not cope with them.
pub(super) fn nothing_between(from: &Bound<Key>, to: &Bound<Key>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
    }
}
