//! The seam through which new ids enter the server: [`IdSource`].

use std::sync::{Arc, Mutex};

use uuid::Uuid;

use crate::{Clock, Entropy, lock};

/// Makes `UUIDv7` ids (RFC 9562 §5.7) that rise strictly within the process, also when the wall clock goes back. Clones share one order.
#[derive(Debug, Clone)]
pub struct IdSource {
    clock: Clock,
    entropy: Entropy,
    last: Arc<Mutex<Stamp>>,
}

/// The two parts of an id that are not constant: milliseconds since 1970 (48 bits) and a random tail (74 bits).
#[derive(Debug, Clone, Copy)]
struct Stamp {
    millis: u64,
    tail: u128,
    /// The latest moment that was given with an id.
    moment: i128,
    /// Randomness for the next ids: asking the system for each takes longer than all the rest.
    pool: [u8; POOL],
    /// How much of it is left.
    left: usize,
}

impl Stamp {
    /// As much as one id takes. It is asked for only under the lock, so no two ids get the same.
    fn random(&mut self, entropy: &Entropy) -> u128 {
        if self.left == 0 {
            (self.pool, self.left) = (entropy.bytes(), POOL);
        }
        self.left -= 16;
        self.pool[self.left..].first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes))
    }
}

const TAIL_BITS: u32 = 74;

/// Bytes of randomness that are asked for together.
const POOL: usize = 512;

impl IdSource {
    /// Ids from this clock and this randomness.
    pub fn new(clock: Clock, entropy: Entropy) -> Self {
        Self {
            clock,
            entropy,
            last: Arc::new(Mutex::new(Stamp { millis: 0, tail: 0, moment: 0, pool: [0; POOL], left: 0 })),
        }
    }

    /// A new id, greater than every one before it.
    pub fn next_id(&self) -> Uuid {
        self.next_id_at().0
    }

    /// A new id and the moment at which it was made, in nanoseconds since 1970. Moments do not fall while ids rise: what is ordered by one is ordered
    /// by the other, also when the wall clock goes back.
    pub fn next_id_at(&self) -> (Uuid, i128) {
        let mut last = lock(&self.last);
        let moment = self.clock.now().unix_timestamp_nanos().max(last.moment);
        let millis = u64::try_from(moment / 1_000_000).unwrap_or(0);
        last.moment = moment;
        let random = last.random(&self.entropy);
        // The top bit of a fresh tail is left clear, so that there is room to count up within one millisecond.
        let fresh = random >> (128 - TAIL_BITS + 1);
        if millis > last.millis {
            (last.millis, last.tail) = (millis, fresh);
        } else {
            // The step is random too: an id does not give its neighbours away.
            last.tail += 1 + (random & 0xffff_ffff);
            if last.tail >> TAIL_BITS != 0 {
                (last.millis, last.tail) = (last.millis + 1, fresh);
            }
        }
        let (high, low) = (last.tail >> 62, last.tail & ((1 << 62) - 1));
        let id = Uuid::from_u128(u128::from(last.millis) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low);
        (id, moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_7_and_carry_the_time() {
        let (clock, _) = Clock::held(1_700_000_000);
        let id = IdSource::new(clock, Entropy::seeded(1)).next_id();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.get_timestamp().unwrap().to_unix().0, 1_700_000_000);
    }

    #[test]
    fn ids_rise_strictly_while_the_clock_stands_and_when_it_jumps_back() {
        let (clock, hand) = Clock::held(1_700_000_000);
        let ids = IdSource::new(clock, Entropy::seeded(7));
        let (mut last, mut made) = ids.next_id_at();
        for round in 0..10_000 {
            if round == 5_000 {
                hand.set(1_600_000_000);
            }
            let (next, moment) = ids.next_id_at();
            assert!(next > last && moment >= made, "round {round}");
            (last, made) = (next, moment);
        }
    }

    #[test]
    fn a_full_tail_borrows_the_next_millisecond() {
        let (clock, _) = Clock::held(1_700_000_000);
        let ids = IdSource::new(clock, Entropy::seeded(3));
        let before = ids.next_id();
        ids.last.lock().unwrap().tail = (1 << TAIL_BITS) - 1;
        let after = ids.next_id();
        assert!(after > before);
        assert_eq!(after.get_version_num(), 7);
        assert_eq!(after.as_u128() >> 80, (before.as_u128() >> 80) + 1);
    }

    #[test]
    fn ids_of_several_threads_never_meet() {
        let ids = IdSource::new(Clock::system(), Entropy::system());
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let ids = ids.clone();
                std::thread::spawn(move || (0..5_000).map(|_| ids.next_id()).collect::<Vec<_>>())
            })
            .collect();
        let mut all: Vec<Uuid> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let made = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), made);
    }
}
