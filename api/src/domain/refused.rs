//! How many refused sign-ins the journal takes. Whoever can reach the server can cause them, and the journal is kept for long: beyond a
//! burst and a pace they are counted, and the next entry that there is room for says how many were left out. The log has them all.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Entries at once.
const BURST: u32 = 1000;
/// How soon there is room for one more.
const PACE: Duration = Duration::from_secs(30);

/// Room for entries: one for names of users, and one for what is nobody's name, so that neither uses up the other's.
#[derive(Default)]
pub struct RefusedSignIns(Mutex<[Room; 2]>);

#[derive(Default)]
struct Room {
    /// When all of it is there again, on the clock that never goes back.
    whole_at: Duration,
    left_out: u64,
}

impl RefusedSignIns {
    /// Takes room for an entry: how many were left out before it, or nothing where there is no room for this one either.
    pub(super) fn take(&self, is_user: bool, now: Duration) -> Option<u64> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = &mut rooms[usize::from(is_user)];
        let whole_at = room.whole_at.max(now);
        if whole_at.saturating_sub(now) > PACE * (BURST - 1) {
            room.left_out += 1;
            return None;
        }
        room.whole_at = whole_at + PACE;
        Some(std::mem::take(&mut room.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_burst_entries_are_left_out_and_counted_and_room_comes_back() {
        let (refused, start) = (RefusedSignIns::default(), Duration::from_secs(1000));
        for _ in 0..BURST {
            assert_eq!(refused.take(false, start), Some(0));
        }
        for _ in 0..3 {
            assert_eq!(refused.take(false, start), None);
        }
        assert_eq!(refused.take(true, start), Some(0), "users have room of their own");
        assert_eq!(refused.take(false, start + PACE), Some(3));
        assert_eq!(refused.take(false, start + PACE), None);
        let rested = start + PACE * (2 * BURST);
        assert_eq!((0..2 * BURST).filter(|_| refused.take(false, rested).is_some()).count(), BURST as usize);
    }
}
