//! The unique values that the rows of a file have met so far, across its pieces.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use common::{import::RowFault, problem::FieldError};
use store::Key;

use super::{
    TOLD,
    tree::{Tree, digest},
};

/// What a row is told that would take what only a row of another piece gives up.
const ELSEWHERE: &str = "Another row gives this value up, but a file of this size is written in pieces, and that row is in another one. Bring the rows that exchange values next to each other, or send them as a file of their own.";

/// The unique values of the rows so far.
#[derive(Default)]
pub(super) struct Seen {
    /// The row that has each: another that has it again does not fit.
    rows: HashMap<u64, u64>,
    /// Those that rows give up which were only looked at.
    given_up: HashSet<u64>,
    /// Those that rows would give up which do not fit.
    withheld: HashSet<u64>,
    /// What rows would have, by their numbers, where others have it; of the first of them.
    wanted: Vec<(u64, Vec<u64>)>,
    /// The records that they make, where rows refer to each other.
    pub tree: Tree,
}

impl Seen {
    /// The row that has it; notes that this one does.
    pub(super) fn meet(&mut self, value: impl Hash, row: u64) -> Option<u64> {
        let known = *self.rows.entry(digest(value)).or_insert(row);
        (known != row).then_some(known)
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        let sets = (self.given_up.capacity() + self.withheld.capacity()) as u64 * 12;
        self.rows.capacity() as u64 * 24 + sets + self.tree.bytes()
    }

    /// Notes what rows gave up that were only looked at.
    pub(super) fn give_up(&mut self, keys: &BTreeSet<Key>) {
        self.given_up.extend(keys.iter().map(|key| digest(key.as_bytes())));
    }

    /// Whether an earlier row gave this value up.
    pub(super) fn is_given_up(&self, key: &Key) -> bool {
        !self.given_up.is_empty() && self.given_up.contains(&digest(key.as_bytes()))
    }

    /// Notes that a row wants values that others have, and what such rows would give up.
    pub(super) fn want(&mut self, row: u64, keys: impl Iterator<Item = Key>, would_give_up: &BTreeSet<Key>) {
        if self.wanted.len() < TOLD {
            self.wanted.push((row, keys.map(|key| digest(key.as_bytes())).collect()));
        }
        self.withheld.extend(would_give_up.iter().map(|key| digest(key.as_bytes())));
    }

    /// Tells those rows what to do whose value a row of another piece gives up, or would.
    pub(super) fn explain(&self, faults: &mut [RowFault]) {
        let is_elsewhere = |value: &u64| self.given_up.contains(value) || self.withheld.contains(value);
        let waits = |row| self.wanted.iter().any(|(wants, values)| *wants == row && values.iter().any(is_elsewhere));
        for fault in faults.iter_mut().filter(|fault| fault.code == "unique" && waits(fault.row)) {
            ELSEWHERE.clone_into(&mut fault.message);
        }
    }
}

/// What another row has against a row.
pub(super) fn twice(other: u64) -> FieldError {
    FieldError::new("unique", format!("Row {other} has this already."))
}
