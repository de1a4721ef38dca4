//! A clock that was put back makes tokens that are good begin in the future, and everybody is told that theirs is invalid. Only the log
//! can say why.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use auth::token::TokenError;
use base::Clock;

/// How often it is said.
const PACE: Duration = Duration::from_mins(1);

/// Says so, once a minute at most.
#[derive(Default)]
pub struct ClockWarning(Mutex<Option<Duration>>);

impl ClockWarning {
    /// Looks at why a token was refused. Only one that this server has signed can begin in the future.
    pub(super) fn look_at(&self, error: TokenError, clock: &Clock) {
        let TokenError::Early { seconds } = error else { return };
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock.elapsed();
        if last.is_some_and(|last| now.saturating_sub(last) < PACE) {
            return;
        }
        *last = Some(now);
        tracing::warn!(
            seconds,
            "a token that this server signed begins in the future, so this machine's clock is behind what it was by so many seconds; \
             until it is set right, sessions that were begun or refreshed before are refused as invalid"
        );
    }
}
