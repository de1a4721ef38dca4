//! The newest lines of a server's log, as a screen follows them.

use std::collections::VecDeque;

use super::clock;
use crate::{
    log::{LEVELS, LinesQuery, LogLevel, LogLine, LogLines},
    text::single_line,
};

/// Lines that are kept.
const KEPT: usize = 1000;
/// Lines that are asked for first: more would hold up a slow line.
const FIRST: usize = 300;

/// The lines that were told so far.
#[derive(Debug, Clone, PartialEq)]
pub struct LogTail {
    lines: VecDeque<LogLine>,
    newest: u64,
    /// Only lines at least as bad are shown.
    pub least: LogLevel,
    /// What the server's log tells, once that is known.
    pub told: Option<String>,
}

impl Default for LogTail {
    fn default() -> Self {
        Self { lines: VecDeque::new(), newest: 0, least: LogLevel::Trace, told: None }
    }
}

impl LogTail {
    /// What is to be asked for next.
    pub fn next(&self) -> LinesQuery {
        LinesQuery { after: self.newest, limit: (self.newest == 0).then_some(FIRST), ..LinesQuery::default() }
    }

    /// Takes what is newer.
    pub fn take(&mut self, told: LogLines) {
        if told.newest < self.newest {
            // Another start of the server: its lines are counted anew.
            self.lines.clear();
        }
        self.newest = told.newest;
        self.told = Some(told.level);
        self.lines.extend(told.results);
        self.lines.drain(..self.lines.len().saturating_sub(KEPT));
    }

    /// Shows another least level: the next one that hides more, and after the last one all.
    pub fn switch(&mut self) {
        let at = LEVELS.iter().position(|level| *level == self.least).unwrap_or_default();
        self.least = LEVELS[(at + LEVELS.len() - 1) % LEVELS.len()];
    }

    /// The level to set next for the server's log, where it has one.
    pub fn next_told(&self) -> LogLevel {
        let told = self.told.as_deref().and_then(|told| told.parse().ok());
        told.map_or(LogLevel::Info, LogLevel::next)
    }

    /// The lines that are shown, oldest first.
    pub fn shown(&self) -> impl DoubleEndedIterator<Item = &LogLine> {
        self.lines.iter().filter(|line| line.level <= self.least)
    }

    /// How many lines there are, shown or not.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing was told yet.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl LogLine {
    /// The time of day, in UTC.
    pub fn clock(&self) -> String {
        clock(&self.at)
    }

    /// What it says, safe to show.
    pub fn shown(&self) -> String {
        single_line(&self.text).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(newest: u64, lines: &[(u64, LogLevel)]) -> LogLines {
        let line = |(number, level): &(u64, LogLevel)| LogLine {
            number: *number,
            at: "2026-11-28T08:00:01.000000Z".to_owned(),
            level: *level,
            text: format!("line {number}"),
        };
        LogLines { level: "info".to_owned(), newest, results: lines.iter().map(line).collect() }
    }

    #[test]
    fn it_goes_on_where_it_was_and_begins_anew_with_another_start() {
        let mut tail = LogTail::default();
        assert_eq!((tail.next().after, tail.next().limit), (0, Some(FIRST)));
        tail.take(told(7, &[(6, LogLevel::Info), (7, LogLevel::Warn)]));
        assert_eq!((tail.next().after, tail.next().limit, tail.len()), (7, None, 2));
        tail.switch();
        tail.switch();
        tail.switch();
        assert_eq!((tail.least, tail.shown().count()), (LogLevel::Warn, 1));
        tail.switch();
        tail.switch();
        assert_eq!(tail.least, LogLevel::Trace);
        assert_eq!(tail.next_told(), LogLevel::Debug);
        tail.take(told(2, &[(1, LogLevel::Info), (2, LogLevel::Info)]));
        assert_eq!((tail.len(), tail.next().after), (2, 2));
    }
}
