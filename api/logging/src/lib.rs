//! The log: one event is one line on stderr, as text or JSON, written by a thread of its own so that no request waits for whoever
//! reads it, and its level, which can be changed while the server runs. What is worth a line is said where it happens, with `tracing`.
//!
//! - `line`: an event as a line, with everything escaped that could break or forge one
//! - `writer`: lines on their way out; bounded, and honest about what it had to drop
//! - `layer`: takes `tracing`'s events, makes them lines and hands them to the writer
//! - `request`: the request that a line belongs to
//! - `tail`: the newest lines, for whoever looks at the log from afar

mod layer;
mod line;
mod request;
mod tail;
mod writer;

use std::{
    io::Write,
    panic,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base::Clock;
use thiserror::Error;
use tracing_subscriber::{
    EnvFilter, Registry, filter::LevelFilter, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use layer::LineLayer;
use line::Lines;
use tail::Tail;
use writer::Writer;

pub use line::Format;
pub use request::{ACCESS, RequestId, in_current_request};
pub use tail::TailLine;
pub use tracing::Level;

/// How long the end of the process waits for the last lines, should nobody read them.
const LAST_LINES: Duration = Duration::from_secs(2);
/// How long a thread that panicked waits for its line.
const PANIC_LINE: Duration = Duration::from_millis(100);

/// The log could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The text names no level.
    #[error("{0} is not a level such as info or debug")]
    Level(String),
    /// There is a log already.
    #[error("another log was started before")]
    Again,
    /// No thread to write with.
    #[error("no thread could be started to write it")]
    Thread(#[source] std::io::Error),
}

/// A level cannot be set: there is no log, or the text names no level.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("the log's level could not be set")]
pub struct LevelError;

/// A handle to the log. [`Log::default`] writes nothing and remembers its level, for tests.
#[derive(Clone, Default)]
pub struct Log(Arc<Inner>);

#[derive(Default)]
struct Inner {
    level: Mutex<String>,
    filter: Option<reload::Handle<EnvFilter, Registry>>,
    writer: Option<Writer>,
    tail: Tail,
}

/// Sees to it that the last lines are written when it is dropped: at the end, also a failing one, and when its thread panics.
#[must_use = "the last lines are written when this is dropped"]
pub struct Guard(Log);

/// The filter of a text. To the library a word that is no level is a target without one, and `inof` would be silence.
fn filter(level: &str) -> Option<EnvFilter> {
    let is_known = |directive: &str| directive.contains(['=', '[']) || directive.trim().parse::<LevelFilter>().is_ok();
    // It would log the values of its statements: everything that is stored, with hashes of passwords.
    let is_secret = |directive: &str| directive.trim().starts_with("tokio_postgres");
    if !level.split(',').all(|directive| is_known(directive) && !is_secret(directive)) {
        return None;
    }
    Some(EnvFilter::try_new(level).ok()?.add_directive("tokio_postgres=warn".parse().ok()?))
}

impl Log {
    /// Starts the one log of the process, at `level`: `info`, `debug`, or directives such as `coffer=trace`. Panics get a line too.
    pub fn start(
        format: Format,
        level: &str,
        clock: Clock,
        out: impl Write + Send + 'static,
    ) -> Result<(Self, Guard), StartError> {
        let filter = filter(level).ok_or_else(|| StartError::Level(level.to_owned()))?;
        let (filter, handle) = reload::Layer::new(filter);
        let lines = Lines::new(format, clock);
        let writer = Writer::start(out, lines.clone()).map_err(StartError::Thread)?;
        let tail = Tail::default();
        let layer = LineLayer::new(lines, writer.clone(), tail.clone());
        Registry::default().with(filter).with(layer).try_init().map_err(|_| StartError::Again)?;
        let inner = Inner { level: Mutex::new(level.to_owned()), filter: Some(handle), writer: Some(writer), tail };
        let log = Self(Arc::new(inner));
        log.hook_panics();
        Ok((log.clone(), Guard(log)))
    }

    /// The level in effect, as it was given.
    pub fn level(&self) -> String {
        self.0.level.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets another level, from now on.
    pub fn set_level(&self, level: &str) -> Result<(), LevelError> {
        // Held until the filter has changed too, so that of two changes at once the one that is told is the one that holds.
        let mut current = self.0.level.lock().unwrap_or_else(PoisonError::into_inner);
        let filter = filter(level).ok_or(LevelError)?;
        if let Some(handle) = &self.0.filter {
            handle.reload(filter).map_err(|_| LevelError)?;
        }
        level.clone_into(&mut current);
        Ok(())
    }

    /// Lines that were dropped because nobody read fast enough.
    pub fn lost(&self) -> u64 {
        self.0.writer.as_ref().map_or(0, Writer::lost)
    }

    /// The lines after one, at least as bad as `level`, the newest where there are more than `most`; and the number of the newest of all. Those
    /// of requests that only look at how the server is are left out.
    pub fn lines_after(&self, number: u64, level: Level, most: usize) -> (Vec<TailLine>, u64) {
        self.0.tail.after(number, level, most)
    }

    /// Waits until everything so far is written, but not for ever.
    pub fn flush(&self) {
        self.flush_within(LAST_LINES);
    }

    fn flush_within(&self, timeout: Duration) {
        if let Some(writer) = &self.0.writer {
            writer.flush(timeout);
        }
    }

    /// The standard message of a panic takes several lines, and is no JSON.
    fn hook_panics(&self) {
        let log = self.clone();
        panic::set_hook(Box::new(move |info| {
            let location = info.location().map(ToString::to_string).unwrap_or_default();
            let thread = std::thread::current();
            let thread = thread.name().unwrap_or_default();
            let reason = info.payload_as_str().unwrap_or_default();
            tracing::error!(location, thread, reason, "a thread panicked");
            log.flush_within(PANIC_LINE);
        }));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_databases_statements_are_logged_at_no_level() {
        for level in ["trace", "debug,coffer=trace"] {
            assert!(filter(level).unwrap().to_string().contains("tokio_postgres=warn"), "{level}");
        }
        assert!(filter("info,tokio_postgres::query=debug").is_none());
    }

    #[test]
    fn a_level_that_is_none_changes_nothing() {
        let log = Log::default();
        log.set_level("debug").unwrap();
        for bad in ["coffer=loud", "inof", "coffer", "info,debig"] {
            assert_eq!(log.set_level(bad), Err(LevelError), "{bad}");
        }
        assert_eq!(log.level(), "debug");
    }
}
