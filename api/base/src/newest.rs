//! The newest of what happens now and then, for whoever looks afterwards.

use std::{collections::VecDeque, sync::Mutex};

use crate::lock;

/// The newest things, up to a number of them.
#[derive(Debug)]
pub struct Newest<T> {
    most: usize,
    kept: Mutex<VecDeque<T>>,
}

impl<T: Clone> Newest<T> {
    /// Keeps so many.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Keeps one more; the oldest goes where there is no room.
    pub fn push(&self, new: T) {
        let mut kept = lock(&self.kept);
        if kept.len() >= self.most {
            kept.pop_front();
        }
        kept.push_back(new);
    }

    /// All that are kept, the oldest first.
    pub fn all(&self) -> Vec<T> {
        lock(&self.kept).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let newest = Newest::new(2);
        assert_eq!(newest.all(), Vec::<u8>::new());
        for n in 1..=3 {
            newest.push(n);
        }
        assert_eq!(newest.all(), [2, 3]);
    }
}
