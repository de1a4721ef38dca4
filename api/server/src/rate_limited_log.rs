//! Keeps a log readable under attack: what happens with every connection is logged once a minute.

use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_mins(1);

/// Remembers when something was last logged.
#[derive(Debug, Default)]
pub(super) struct RateLimitedLog(Mutex<Option<Instant>>);

impl RateLimitedLog {
    /// Whether it may be logged now; if so, it counts as logged.
    pub(super) fn allows(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let allows = last.is_none_or(|last| last.elapsed() >= PAUSE);
        if allows {
            *last = Some(Instant::now());
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_thing_is_logged_once_a_minute() {
        let log = RateLimitedLog::default();
        assert!(log.allows());
        assert!(!log.allows());
        tokio::time::advance(PAUSE).await;
        assert!(log.allows());
        assert!(!log.allows());
    }
}
