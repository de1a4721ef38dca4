//! One budget of memory for all that a server holds for its callers: bodies, heads, answers that wait to be taken, rows that are read, what
//! snapshots keep. Whoever is about to hold something charges it first, and gives it back by dropping the [`Charge`].
//!
//! A part of the budget is kept for what is small, so that a few callers who hold much leave the others room for usual requests.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;

/// A charge of up to so many bytes is small.
const SMALL: u64 = 64 * 1024;
/// This part of the budget is for small charges alone.
const FOR_SMALL: u64 = 4;

/// How much may be held in all, and how much is. Clones are handles to the same.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Ledger>);

#[derive(Debug)]
struct Ledger {
    limit: u64,
    /// What this is a part of.
    whole: Option<MemoryBudget>,
    held: AtomicU64,
    peak: AtomicU64,
    refused: AtomicU64,
}

/// There is no room for more at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfMemory;

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server holds as much as it may")
    }
}

impl Error for OutOfMemory {}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(limit: u64) -> Self {
        Self::with(limit, None)
    }

    /// A part of this budget, of which no more than `limit` may be held. What is charged to it is charged to the whole too.
    #[must_use]
    pub fn part(&self, limit: u64) -> Self {
        Self::with(limit, Some(self.clone()))
    }

    fn with(limit: u64, whole: Option<Self>) -> Self {
        let count = || AtomicU64::new(0);
        Self(Arc::new(Ledger { limit, whole, held: count(), peak: count(), refused: count() }))
    }

    /// A budget without an end: for commands that work for one person, and for tests.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// Charges so many bytes.
    pub fn charge(&self, bytes: u64) -> Result<Charge, OutOfMemory> {
        let mut charge = self.nothing();
        charge.grow(bytes)?;
        Ok(charge)
    }

    /// Charges what is held whether or not there is room: what a process cannot work without, and what is there already.
    pub fn charge_anyway(&self, bytes: u64) -> Charge {
        let mut charge = self.nothing();
        charge.grow_anyway(bytes);
        charge
    }

    /// A charge of nothing, to grow.
    pub fn nothing(&self) -> Charge {
        Charge { budget: self.clone(), bytes: 0 }
    }

    /// Bytes that may be held.
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Bytes that are held.
    pub fn held(&self) -> u64 {
        self.0.held.load(Relaxed)
    }

    /// The most bytes that were held so far.
    pub fn peak(&self) -> u64 {
        self.0.peak.load(Relaxed)
    }

    /// How many charges were refused.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Relaxed)
    }

    /// Whether there is little room left for what is not small.
    pub fn is_short(&self) -> bool {
        self.held() > self.for_large() / 4 * 3
    }

    fn for_large(&self) -> u64 {
        self.0.limit - self.0.limit / FOR_SMALL
    }

    /// Adds to what is held, of this and of what it is a part of, where there is room in both.
    fn add(&self, bytes: u64, is_small: bool) -> Result<(), OutOfMemory> {
        let Ledger { limit, whole, held, peak, refused } = &*self.0;
        let limit = if is_small || whole.is_some() { *limit } else { self.for_large() };
        let added = held.fetch_update(Relaxed, Relaxed, |held| held.checked_add(bytes).filter(|held| *held <= limit));
        let Ok(before) = added else {
            refused.fetch_add(1, Relaxed);
            return Err(OutOfMemory);
        };
        if let Some(whole) = whole
            && let Err(error) = whole.add(bytes, is_small)
        {
            held.fetch_sub(bytes, Relaxed);
            return Err(error);
        }
        peak.fetch_max(before + bytes, Relaxed);
        Ok(())
    }

    fn add_anyway(&self, bytes: u64) {
        let held = self.0.held.fetch_add(bytes, Relaxed);
        self.0.peak.fetch_max(held.saturating_add(bytes), Relaxed);
        if let Some(whole) = &self.0.whole {
            whole.add_anyway(bytes);
        }
    }

    fn take_back(&self, bytes: u64) {
        self.0.held.fetch_sub(bytes, Relaxed);
        if let Some(whole) = &self.0.whole {
            whole.take_back(bytes);
        }
    }
}

/// Bytes that are held. They are given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    budget: MemoryBudget,
    bytes: u64,
}

impl Charge {
    /// Charges so many more; an error, and nothing is changed, where there is no room for them.
    pub fn grow(&mut self, bytes: u64) -> Result<(), OutOfMemory> {
        self.budget.add(bytes, self.bytes.saturating_add(bytes) <= SMALL)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Charges so many more, whether or not there is room.
    pub fn grow_anyway(&mut self, bytes: u64) {
        self.budget.add_anyway(bytes);
        self.bytes += bytes;
    }

    /// Gives back all but so many.
    pub fn shrink_to(&mut self, bytes: u64) {
        let back = self.bytes.saturating_sub(bytes);
        self.budget.take_back(back);
        self.bytes -= back;
    }

    /// A part of it, of up to so many bytes, which is given back by itself.
    #[must_use]
    pub fn split(&mut self, bytes: u64) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { budget: self.budget.clone(), bytes }
    }

    /// How many bytes it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The same bytes, which give the charge back when the last part of them is dropped, wherever that is.
    #[must_use]
    pub fn with_bytes(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _charge: self })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

struct Held {
    bytes: Bytes,
    _charge: Charge,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_no_more_is_held_than_the_budget_has_and_it_comes_back() {
        let budget = MemoryBudget::new(1_000_000);
        let large = budget.charge(700_000).unwrap();
        assert_eq!(budget.charge(100_000).unwrap_err(), OutOfMemory, "the last quarter is for what is small");
        let small: Vec<_> = (0..3).map(|_| budget.charge(60_000).unwrap()).collect();
        assert_eq!(budget.held(), 880_000);
        assert!(budget.is_short());
        drop(large);
        assert_eq!((budget.held(), budget.is_short()), (180_000, false));
        drop(small);
        assert_eq!((budget.held(), budget.peak(), budget.refused()), (0, 880_000, 1));
    }

    #[test]
    fn m1_a_charge_grows_as_long_as_there_is_room_and_keeps_what_it_has() {
        let budget = MemoryBudget::new(1_000_000);
        let mut charge = budget.nothing();
        let steps = std::iter::repeat_with(|| charge.grow(50_000)).take_while(Result::is_ok).count();
        assert_eq!((steps, charge.bytes()), (15, 750_000), "it is not small any more");
        charge.grow_anyway(900_000);
        assert_eq!(budget.held(), 1_650_000);
        charge.shrink_to(10);
        assert_eq!((charge.bytes(), budget.held()), (10, 10));
    }

    #[test]
    fn m1_a_part_is_bounded_by_itself_and_by_the_whole() {
        let budget = MemoryBudget::new(1_000_000);
        let (one, other) = (budget.part(300_000), budget.part(700_000));
        let held = one.charge(300_000).unwrap();
        assert!(one.charge(1).is_err() && other.charge(500_000).is_err(), "450,000 are left for what is not small");
        assert_eq!((one.held(), other.held(), budget.held()), (300_000, 0, 300_000));
        let rest = other.charge(400_000).unwrap();
        drop(held);
        assert_eq!((one.held(), budget.held()), (0, 400_000));
        drop(rest);
        assert_eq!((other.held(), budget.held()), (0, 0));
    }

    #[test]
    fn m1_parts_of_a_charge_are_given_back_one_by_one() {
        let budget = MemoryBudget::new(1000);
        let mut charge = budget.charge(10).unwrap();
        let part = charge.split(4);
        assert_eq!((charge.bytes(), part.bytes(), budget.held()), (6, 4, 10));
        drop(part);
        assert_eq!(budget.held(), 6);
        assert_eq!((charge.split(100).bytes(), charge.bytes()), (6, 0), "no more than there is");
        drop(charge);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn m1_bytes_are_charged_until_their_last_part_is_gone() {
        let budget = MemoryBudget::new(1000);
        let mut bytes = budget.charge(10).unwrap().with_bytes(Bytes::from_static(b"0123456789"));
        let part = bytes.split_to(3);
        drop(bytes);
        assert_eq!((&part[..], budget.held()), (&b"012"[..], 10));
        drop(part);
        assert_eq!(budget.held(), 0);
        assert!(MemoryBudget::unlimited().charge(u64::MAX / 2).is_ok());
    }
}
