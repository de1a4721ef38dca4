//! The seam through which time, randomness and new ids enter the server: [`Clock`], [`Entropy`], [`IdSource`].
//! Everything else is handed one of these and asks nothing of the operating system, so a test can hold the clock and
//! foretell the ids. Formatting of times does not live here.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use time::OffsetDateTime;
use uuid::Uuid;

/// Tells the time. Cheap to clone; clones of a held clock move together.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System { started: Instant },
    Held(Arc<Mutex<Held>>),
}

#[derive(Debug, Clone, Copy)]
struct Held {
    now: OffsetDateTime,
    elapsed: Duration,
}

/// Moves a held [`Clock`].
#[derive(Debug, Clone)]
pub struct ClockHand(Arc<Mutex<Held>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System { started: Instant::now() })
    }

    /// A clock that stands at `unix_seconds` until its hand is moved.
    ///
    /// # Panics
    /// Where `unix_seconds` is not in the years -9999 to 9999.
    pub fn held(unix_seconds: i64) -> (Self, ClockHand) {
        let held = Arc::new(Mutex::new(Held { now: date(unix_seconds), elapsed: Duration::ZERO }));
        (Self(Source::Held(held.clone())), ClockHand(held))
    }

    /// The wall clock, in UTC. It may jump, in both directions.
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            Source::System { .. } => OffsetDateTime::now_utc(),
            Source::Held(held) => lock(held).now,
        }
    }

    /// [`Self::now`] in whole seconds since 1970, as tokens have it.
    pub fn unix_seconds(&self) -> i64 {
        self.now().unix_timestamp()
    }

    /// Time since this clock was made. Never goes back, whatever happens to the wall clock: delays and deadlines use it.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::System { started } => started.elapsed(),
            Source::Held(held) => lock(held).elapsed,
        }
    }
}

impl ClockHand {
    /// Sets the wall clock, also backwards. [`Clock::elapsed`] stays.
    ///
    /// # Panics
    /// Where `unix_seconds` is not in the years -9999 to 9999.
    pub fn set(&self, unix_seconds: i64) {
        lock(&self.0).now = date(unix_seconds);
    }

    /// Lets time pass: both the wall clock and [`Clock::elapsed`] go on.
    pub fn advance(&self, by: Duration) {
        let mut held = lock(&self.0);
        held.now += by;
        held.elapsed += by;
    }
}

/// Gives random bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Entropy(Randomness);

#[derive(Debug, Clone)]
enum Randomness {
    System,
    /// `SplitMix64`; foretold on purpose.
    Seeded(Arc<Mutex<u64>>),
}

impl Entropy {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self(Randomness::System)
    }

    /// The same bytes for the same seed. For tests, and for names that must differ and may be guessed.
    pub fn seeded(seed: u64) -> Self {
        Self(Randomness::Seeded(Arc::new(Mutex::new(seed))))
    }

    /// Fills `buffer`.
    ///
    /// # Panics
    /// Where the operating system has no randomness to give: nothing may go on with less.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Randomness::System => getrandom::fill(buffer).expect("the operating system gives random bytes"),
            Randomness::Seeded(state) => {
                let mut state = lock(state);
                for chunk in buffer.chunks_mut(8) {
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut word = *state;
                    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    word ^= word >> 31;
                    chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

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
}

const TAIL_BITS: u32 = 74;

impl IdSource {
    /// Ids from this clock and this randomness.
    pub fn new(clock: Clock, entropy: Entropy) -> Self {
        Self { clock, entropy, last: Arc::new(Mutex::new(Stamp { millis: 0, tail: 0 })) }
    }

    /// A new id, greater than every one before it.
    pub fn next_id(&self) -> Uuid {
        let millis = self.clock.now().unix_timestamp_nanos() / 1_000_000;
        let millis = u64::try_from(millis).unwrap_or(0);
        let mut last = lock(&self.last);
        let random = u128::from_le_bytes(self.entropy.bytes());
        // The top bit of a fresh tail is left clear, so that there is room to count up within one millisecond.
        let fresh = random >> (128 - TAIL_BITS + 1);
        if millis > last.millis {
            *last = Stamp { millis, tail: fresh };
        } else {
            // The step is random too: an id does not give its neighbours away.
            last.tail += 1 + (random & 0xffff_ffff);
            if last.tail >> TAIL_BITS != 0 {
                *last = Stamp { millis: last.millis + 1, tail: fresh };
            }
        }
        let (high, low) = (last.tail >> 62, last.tail & ((1 << 62) - 1));
        Uuid::from_u128(u128::from(last.millis) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
    }
}

fn date(unix_seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix_seconds).expect("a year between -9999 and 9999")
}

// A panic elsewhere cannot leave these plain values half written.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut last = ids.next_id();
        for round in 0..10_000 {
            if round == 5_000 {
                hand.set(1_600_000_000);
            }
            let next = ids.next_id();
            assert!(next > last, "round {round}");
            last = next;
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

    #[test]
    fn elapsed_time_ignores_a_wall_clock_that_goes_back() {
        let (clock, hand) = Clock::held(1_000);
        hand.advance(Duration::from_secs(5));
        assert_eq!((clock.unix_seconds(), clock.elapsed()), (1_005, Duration::from_secs(5)));
        hand.set(10);
        assert_eq!((clock.unix_seconds(), clock.elapsed()), (10, Duration::from_secs(5)));
    }

    #[test]
    fn seeded_entropy_repeats_itself_and_system_entropy_does_not() {
        assert_eq!(Entropy::seeded(9).bytes::<20>(), Entropy::seeded(9).bytes::<20>());
        assert_ne!(Entropy::system().bytes::<16>(), Entropy::system().bytes::<16>());
    }
}
