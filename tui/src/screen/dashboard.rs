//! The dashboard: the server's last hour, and the newest changes, asked for again and again while it is seen.

use std::time::Duration;

use common::dashboard::{Feed, History, Span, clock};

use crate::{
    config,
    effect::{Ask, Effect},
    load::{Load, Tickets},
    message::{Failure, Told},
    words,
};

/// How much longer than the last answer took that is at least, so that the line is free for other things.
const REST: u32 = 4;
/// How long it is at most.
const LONGEST: Duration = Duration::from_secs(30);
/// How often the collections are counted.
const COLLECTIONS: Duration = Duration::from_secs(10);

/// The dashboard.
pub struct Dashboard {
    /// The server's last hour.
    pub history: History,
    /// The newest changes.
    pub feed: Feed,
    /// How far back its plots go.
    pub span: Span,
    /// How asking goes.
    pub load: Load,
    /// Why there is nothing newer of the server.
    pub silent: Option<String>,
    /// Why there are no newer changes.
    pub feed_silent: Option<String>,
    /// How long it waits between two answers.
    pub pause: Duration,
    /// It asks only when a key says so.
    pub is_off: bool,
    /// How long ago the collections were counted.
    counted: Duration,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            history: History::default(),
            feed: Feed::default(),
            span: Span::default(),
            load: Load::default(),
            silent: None,
            feed_silent: None,
            pause: config::REFRESH,
            is_off: false,
            counted: Duration::ZERO,
        }
    }
}

impl Dashboard {
    /// Asks for what is newer, after a pause.
    pub fn ask(&mut self, tickets: &Tickets, pause: Duration) -> Effect {
        let ask =
            Ask { pause, since: self.history.since(), changes: self.feed.next().cloned(), users: self.feed.unknown() };
        Effect::Dashboard(self.load.begin(tickets), Box::new(ask))
    }

    /// Takes what was told, and says how long to wait then; `None` where the session is over. `refresh`: how long that is at least.
    pub fn take(&mut self, told: Told, refresh: Option<Duration>) -> Option<Duration> {
        let is_over = |failure: &Failure| *failure == Failure::SignedOut;
        if told.metrics.as_ref().is_err_and(is_over) || told.changes.as_ref().is_err_and(is_over) {
            return None;
        }
        self.silent = match told.metrics {
            Ok(metrics) => {
                self.feed.begin(metrics.revision);
                self.history.take(metrics);
                None
            }
            Err(failure) => Some(words::failure(&failure)),
        };
        self.feed_silent = match told.changes {
            Ok(changes) => {
                self.feed.take(changes);
                None
            }
            Err(failure) => Some(words::failure(&failure)),
        };
        for (user, name) in told.users {
            self.feed.know(user, name);
        }
        let least = refresh.unwrap_or(LONGEST);
        self.is_off = refresh.is_none();
        self.pause = (told.took * REST).clamp(least, LONGEST.max(least));
        self.counted += self.pause + told.took;
        Some(self.pause)
    }

    /// Whether the collections are to be counted again. They count as counted then.
    pub fn counts(&mut self) -> bool {
        let is_time = self.counted >= COLLECTIONS;
        if is_time {
            self.counted = Duration::ZERO;
        }
        is_time
    }

    /// How fresh it is, in one line.
    pub fn state(&self) -> String {
        let at = self.history.newest().map(|sample| clock(&sample.at));
        words::dashboard_state(self.span, at.as_deref(), Some(self.pause).filter(|_| !self.is_off))
    }
}
