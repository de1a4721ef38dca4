//! The left join of two maps, as the API's `left_join` parameter offers it over collections.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

/// Joins `right` to every row of `left` by key: each row of `left` is kept, once and in its order, with the value that
/// `right` holds under the same key, or `None`. Rows of `right` alone are dropped, as in SQL's `LEFT JOIN`.
///
/// `left` is any map, or any list of pairs (there a key may stand more than once). It takes one look-up a row, O(left).
///
/// ```
/// use std::collections::{BTreeMap, HashMap};
/// let synonyms = BTreeMap::from([("fond", "enamored"), ("wrath", "anger")]);
/// let antonyms = HashMap::from([("fond", "averse")]);
/// let rows: Vec<_> = common::left_join(synonyms, &antonyms).collect();
/// assert_eq!(rows, [("fond", "enamored", Some(&"averse")), ("wrath", "anger", None)]);
/// ```
pub fn left_join<K, L, R, S>(
    left: impl IntoIterator<Item = (K, L)>,
    right: &HashMap<K, R, S>,
) -> impl Iterator<Item = (K, L, Option<&R>)>
where
    K: Hash + Eq,
    S: BuildHasher,
{
    left.into_iter().map(|(key, value)| {
        let matching = right.get(&key);
        (key, value, matching)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_left_row_stands_once_and_in_order(left: BTreeMap<u8, u16>, right: HashMap<u8, u16>) {
            let rows: Vec<_> = left_join(left.clone(), &right).collect();
            let kept: Vec<_> = rows.iter().map(|(key, value, _)| (*key, *value)).collect();
            prop_assert_eq!(kept, left.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn the_right_side_is_there_exactly_where_the_key_is(left: HashMap<u8, u16>, right: HashMap<u8, u16>) {
            for (key, _, matching) in left_join(left.clone(), &right) {
                prop_assert_eq!(matching, right.get(&key));
            }
        }

        #[test]
        fn keys_may_repeat_on_the_left(left: Vec<(u8, u16)>, right: HashMap<u8, u16>) {
            let rows: Vec<_> = left_join(left.clone(), &right).map(|(k, v, r)| (k, v, r.copied())).collect();
            let nested: Vec<_> = left.into_iter().map(|(k, v)| (k, v, right.iter().find(|(rk, _)| **rk == k).map(|(_, r)| *r))).collect();
            prop_assert_eq!(rows, nested);
        }

        #[test]
        fn joining_with_nothing_keeps_the_left(left: BTreeMap<u8, u16>) {
            let nothing: HashMap<u8, u16> = HashMap::new();
            prop_assert!(left_join(left, &nothing).all(|(_, _, matching)| matching.is_none()));
        }
    }
}
