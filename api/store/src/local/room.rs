//! How much may still be written before the disk is full. Some room is never used up by ordinary changes: deleting needs some, and
//! so does opening the store, so a disk filled to the brim would lock the store away.

use crate::Reserve;

/// An engine writes a page anew for each change of it, hence more than the bytes themselves.
const WRITTEN_FOR_EACH: u64 = 4;

/// What there is, and what of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes that can be written.
    pub free: u64,
    /// Bytes of these that are kept.
    pub reserve: u64,
}

impl Room {
    /// Without an end.
    pub(super) fn unlimited() -> Room {
        Room { free: u64::MAX, reserve: 0 }
    }

    /// Whether there is room for `bytes` more.
    pub(super) fn has(&self, bytes: usize, may_use: Reserve) -> bool {
        self.has_bytes(written(bytes), may_use)
    }

    /// The same for bytes that are written once.
    pub(super) fn has_bytes(&self, bytes: u64, may_use: Reserve) -> bool {
        let kept = match may_use {
            Reserve::Kept => self.reserve,
            Reserve::Much => self.reserve / 4,
            Reserve::Most => self.reserve / 8,
        };
        self.free >= bytes.saturating_add(kept)
    }

    /// Takes room for `bytes`, if there is.
    pub(super) fn take(&mut self, bytes: usize, may_use: Reserve) -> bool {
        let has = self.has(bytes, may_use);
        if has {
            self.free -= written(bytes).min(self.free);
        }
        has
    }
}

fn written(bytes: usize) -> u64 {
    (bytes as u64).saturating_mul(WRITTEN_FOR_EACH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_for_what_makes_room() {
        let room = |free| Room { free, reserve: 800 };
        let allowed = |free| [Reserve::Kept, Reserve::Much, Reserve::Most].map(|reserve| room(free).has(10, reserve));
        assert_eq!(allowed(840), [true, true, true]);
        assert_eq!(allowed(839), [false, true, true]);
        assert_eq!(allowed(239), [false, false, true]);
        assert_eq!(allowed(139), [false, false, false]);
    }

    #[test]
    fn batches_of_a_group_share_the_room() {
        let mut room = Room { free: 1000, reserve: 800 };
        assert!(room.take(25, Reserve::Kept) && room.take(25, Reserve::Kept));
        assert!(!room.take(25, Reserve::Kept), "the first two have it");
        assert!(room.take(25, Reserve::Much));
        assert!(Room::unlimited().take(usize::MAX, Reserve::Kept));
    }
}
