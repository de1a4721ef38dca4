//! A map for what was found out and may be wanted again. It is bounded: where one more would be too many, all are let go, and
//! what is wanted comes back. No order of use is kept, so that looking something up takes no more than a shared lock.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{PoisonError, RwLock},
};

/// At most `MAX` values by their keys. Values are handed out as clones, so they should be cheap to clone.
#[derive(Debug)]
pub struct Bounded<K, V, const MAX: usize>(RwLock<HashMap<K, V>>);

impl<K, V, const MAX: usize> Default for Bounded<K, V, MAX> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V: Clone, const MAX: usize> Bounded<K, V, MAX> {
    /// The value of this key, if it is still there.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Keeps a value, in the place of the one that may be there.
    pub fn put(&self, key: K, value: V) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX && !all.contains_key(&key) {
            all.clear();
        }
        all.insert(key, value);
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_lets_all_others_go_and_a_newer_value_lets_none_go() {
        let kept = Bounded::<String, u32, 3>::default();
        for n in 0..3 {
            kept.put(n.to_string(), n);
        }
        kept.put("1".to_owned(), 11);
        assert_eq!((kept.get("0"), kept.get("1"), kept.get("2"), kept.len()), (Some(0), Some(11), Some(2), 3));
        kept.put("3".to_owned(), 3);
        assert_eq!((kept.get("0"), kept.get("3"), kept.len()), (None, Some(3), 1));
    }
}
