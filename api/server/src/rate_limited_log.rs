//! Keeps a log readable under attack: what happens with every connection is logged once a minute.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

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

/// How many texts are told apart. Whoever makes up more of them hides no more than others of their own.
const MAX_TEXTS: usize = 32;

/// The same for each of several texts that clients choose.
#[derive(Debug, Default)]
pub(super) struct PerText(Mutex<HashMap<String, Instant>>);

impl PerText {
    /// Whether something may be logged of `text` now; if so, it counts as logged.
    pub(super) fn allows(&self, text: &str) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.get(text).is_some_and(|last| last.elapsed() < PAUSE) {
            return false;
        }
        last.retain(|_, last| last.elapsed() < PAUSE);
        let allows = last.len() < MAX_TEXTS;
        if allows {
            last.insert(text.to_owned(), Instant::now());
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_text_is_logged_once_a_minute_and_not_more_texts_than_can_be_read() {
        let log = PerText::default();
        assert!(log.allows("a") && log.allows("b"));
        assert!(!log.allows("a"));
        let more = (0..1000).filter(|number| log.allows(&number.to_string())).count();
        assert_eq!(more, MAX_TEXTS - 2);
        tokio::time::advance(PAUSE).await;
        assert!(log.allows("a"));
    }

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
