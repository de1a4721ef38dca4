//! A scan as statements take it: from one key up to another that is not in it.

use std::ops::Bound;

use tokio_postgres::Statement;

use super::connection::Statements;
use crate::{Direction, Entry, Key, Scan};

/// Entries that one statement reads at most.
pub(super) const STEP: usize = 512;
/// The same where the bytes are bounded too: values may be large.
const STEP_OF_BOUNDED: usize = 64;

/// One statement's worth of a scan.
pub(super) struct Range {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
    pub direction: Direction,
    pub skip: i64,
    pub limit: i64,
}

/// The key right behind one.
fn behind(key: &Key) -> Vec<u8> {
    [key.as_bytes(), &[0]].concat()
}

fn from_of(bound: &Bound<Key>) -> Vec<u8> {
    match bound {
        Bound::Included(key) => key.as_bytes().to_vec(),
        Bound::Excluded(key) => behind(key),
        Bound::Unbounded => Vec::new(),
    }
}

fn to_of(bound: &Bound<Key>) -> Vec<u8> {
    match bound {
        Bound::Included(key) => behind(key),
        Bound::Excluded(key) => key.as_bytes().to_vec(),
        // A key begins with a word in UTF-8, which has no such byte.
        Bound::Unbounded => vec![0xFF],
    }
}

/// The ends of a scan.
pub(super) fn ends(scan: &Scan) -> (Vec<u8>, Vec<u8>) {
    (from_of(&scan.from), to_of(&scan.to))
}

impl Range {
    /// The first step of what is left of a scan; `None` where nothing is.
    pub(super) fn first(scan: &Scan) -> Option<Range> {
        let step = if scan.bytes == usize::MAX { STEP } else { STEP_OF_BOUNDED };
        let (from, to) = ends(scan);
        if from >= to || scan.limit == 0 {
            return None;
        }
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Some(Range {
            from,
            to,
            direction: scan.direction,
            skip: number(scan.skip),
            limit: number(scan.limit.min(step)),
        })
    }

    pub(super) fn statement<'a>(&self, statements: &'a Statements) -> &'a Statement {
        match (self.direction, self.skip) {
            (Direction::Forward, 0) => &statements.scan,
            (Direction::Backward, 0) => &statements.scan_backward,
            (Direction::Forward, _) => &statements.skip,
            (Direction::Backward, _) => &statements.skip_backward,
        }
    }
}

/// What is left of a scan after a step; `None` at its end. Cuts off what the step read beyond its bytes.
pub(super) fn rest(scan: Scan, step: &Range, found: &mut Vec<(Key, Entry)>) -> Option<Scan> {
    let is_full = i64::try_from(found.len()).is_ok_and(|found| found >= step.limit);
    let mut bytes = 0;
    let within = found.iter().take_while(|(_, entry)| {
        let takes = bytes < scan.bytes;
        bytes += entry.value.len();
        takes
    });
    found.truncate(within.count());
    let bytes: usize = found.iter().map(|(_, entry)| entry.value.len()).sum();
    let (limit, bytes) = (scan.limit - found.len(), scan.bytes.saturating_sub(bytes));
    let (last, _) = found.last()?;
    if !is_full || limit == 0 || bytes == 0 {
        return None;
    }
    let bytes = if scan.bytes == usize::MAX { usize::MAX } else { bytes };
    Some(Scan { limit, bytes, skip: 0, ..scan }.after(last))
}
