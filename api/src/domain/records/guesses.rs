//! How often callers guessed at unique values that they may not see.

use auth::throttle::{Account, Attempt, Throttle, ThrottleSettings};
use base::Clock;

use crate::domain::error::{Error, Result};

/// Guesses of a caller in one collection that cost nothing.
const FREE_GUESSES: u32 = 10;

/// The guesses of all callers.
pub struct Guesses(Throttle);

impl Guesses {
    /// None so far.
    pub fn new(clock: Clock) -> Self {
        Self(Throttle::new(ThrottleSettings { free_failures: FREE_GUESSES, ..ThrottleSettings::default() }, clock))
    }

    /// Asks for one more on somebody's account, who has to wait after a few.
    pub(in crate::domain) fn admit(&self, who: &str) -> Result<Attempt> {
        // Names tell callers apart; the addresses' own limit is about passwords.
        let unspecified = std::net::Ipv4Addr::UNSPECIFIED.into();
        let admitted = self.0.admit(Account::Nobody(who), unspecified, None);
        admitted.map_err(|locked| Error::Locked(locked.retry_after))
    }
}
