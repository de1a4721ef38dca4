//! Where appended change entries live: `changes/<version>/<n>`, in the order of the commits.
//! What an entry says is the business of those who append it.

use super::{Key, Scan, Version};

/// The space of the change entries.
const SPACE: &str = "changes";

/// Where the `n`th change entry of the commit `version` is kept.
pub fn key(version: Version, n: usize) -> Key {
    // Neither number comes near 2^63: one commit a nanosecond for 292 years.
    let number = i64::try_from(version.get()).unwrap_or(i64::MAX);
    Key::space(SPACE).int(number).int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Takes [`key`] apart again; `None` for a key of another space.
pub fn position(key: &Key) -> Option<(Version, usize)> {
    let mut elements = key.elements();
    if elements.space().ok()? != SPACE {
        return None;
    }
    let version = u64::try_from(elements.int().ok()?).ok()?;
    let n = usize::try_from(elements.int().ok()?).ok()?;
    Some((Version::new(version), n))
}

/// Every change entry, oldest first.
pub fn all() -> Scan {
    Scan::prefix(&Key::space(SPACE))
}

/// The change entries of commits later than `version`, oldest first.
pub fn since(version: Version) -> Scan {
    let number = i64::try_from(version.get()).unwrap_or(i64::MAX);
    all().after(&Key::space(SPACE).int(number).after_children())
}
