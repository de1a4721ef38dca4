//! The seam through which time enters the server: everything is handed a [`Clock`] and asks nothing of the operating system.
//! Formatting of times does not live here.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use time::OffsetDateTime;

use crate::lock;

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

fn date(unix_seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix_seconds).expect("a year between -9999 and 9999")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_ignores_a_wall_clock_that_goes_back() {
        let (clock, hand) = Clock::held(1_000);
        hand.advance(Duration::from_secs(5));
        assert_eq!((clock.unix_seconds(), clock.elapsed()), (1_005, Duration::from_secs(5)));
        hand.set(10);
        assert_eq!((clock.unix_seconds(), clock.elapsed()), (10, Duration::from_secs(5)));
    }
}
