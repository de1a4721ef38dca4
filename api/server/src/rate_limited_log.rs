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

/// How many texts are told apart. Of those beyond, one each second is logged, so that whoever makes up many of them hides none of the
/// others for long.
const MAX_TEXTS: usize = 32;
const PAUSE_BEYOND: Duration = Duration::from_secs(1);

/// The same for each of several texts that clients choose.
#[derive(Debug, Default)]
pub(super) struct PerText(Mutex<Texts>);

#[derive(Debug, Default)]
struct Texts {
    last: HashMap<String, Instant>,
    beyond: Option<Instant>,
}

impl PerText {
    /// Whether something may be logged of `text` now; if so, it counts as logged.
    pub(super) fn allows(&self, text: &str) -> bool {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Texts { last, beyond } = &mut *texts;
        if last.get(text).is_some_and(|last| last.elapsed() < PAUSE) {
            return false;
        }
        last.retain(|_, last| last.elapsed() < PAUSE);
        if last.len() < MAX_TEXTS {
            last.insert(text.to_owned(), Instant::now());
            return true;
        }
        let allows = beyond.is_none_or(|last| last.elapsed() >= PAUSE_BEYOND);
        if allows {
            *beyond = Some(Instant::now());
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
        assert_eq!(more, MAX_TEXTS - 2 + 1);
        tokio::time::advance(PAUSE_BEYOND).await;
        assert!(log.allows("the operator's own"), "whoever made up the others does not hide it");
        assert!(!log.allows("another"));
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
