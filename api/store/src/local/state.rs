//! What a store remembers about itself, so that opening finds out what was lost.

use crate::{Entry, Key, Version};

/// What the store remembers about itself; written in the same atomic step as every group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The version of the last commit.
    pub version: Version,
    /// How many keys there are.
    pub entries: u64,
    /// The sum of [`fingerprint`] over all keys, so that a store that lost or brought back any
    /// entry is found out, whichever it was.
    pub sum: u64,
}

/// A number that stands for a key at a version. It guards against accidents, not against forgery.
///
/// 64-bit FNV-1a, and then every bit of it mixed into every other: without that the numbers of
/// neighbouring versions differ by little, and two keys that fall back together may cancel out.
pub(super) fn fingerprint(key: &[u8], version: Version) -> u64 {
    let version = version.get().to_be_bytes();
    let mut hash = key
        .iter()
        .chain(&version)
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

impl State {
    /// The state after `before` became `after` under a key.
    pub(super) fn replace(&mut self, key: &Key, before: Option<&Entry>, after: Option<&Entry>) {
        if let Some(entry) = before {
            self.entries -= 1;
            self.sum = self.sum.wrapping_sub(fingerprint(key.as_bytes(), entry.version));
        }
        if let Some(entry) = after {
            self.entries += 1;
            self.sum = self.sum.wrapping_add(fingerprint(key.as_bytes(), entry.version));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_fall_back_to_older_versions_do_not_cancel_out() {
        let sum = |keys: [u8; 2], version| {
            let prints = keys.map(|key| fingerprint(&[key], Version::new(version)));
            prints[0].wrapping_add(prints[1])
        };
        for version in 0..300 {
            for key in 0..255 {
                let keys = [key, key + 1];
                assert_ne!(sum(keys, version), sum(keys, version + 1), "{keys:?} {version}");
            }
        }
    }
}
