//! The newest lines, kept in memory for whoever looks at the log from afar. What is kept is bounded in lines and in bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::Level;

/// Lines that are kept.
pub(super) const KEPT: usize = 1000;
/// Bytes of their texts.
const BYTES: usize = 1 << 20;
/// Bytes that are kept of one line.
const LONGEST: usize = 8 * 1024;
/// A line's room that is used again for the next one is no larger.
const ROOM: usize = 512;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailLine {
    /// Counts the lines since the start, from 1.
    pub number: u64,
    /// `2026-11-22T18:29:25.123456Z`
    pub at: String,
    /// How bad it is.
    pub level: Level,
    /// What it says, without moment and level, as the log's text form has it.
    pub text: String,
}

/// The newest lines, oldest first. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail(Arc<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<TailLine>,
    bytes: usize,
    last: u64,
}

impl Tail {
    /// Keeps a line.
    pub(super) fn push(&self, at: &str, level: Level, text: &str) {
        let mut ring = self.ring();
        let text = &text[..text.floor_char_boundary(LONGEST)];
        // The room of the one that goes, so that a line costs a copy and no more.
        let mut line = if ring.lines.len() >= KEPT { ring.drop_first() } else { None }.unwrap_or_else(|| TailLine {
            number: 0,
            at: String::new(),
            level,
            text: String::new(),
        });
        ring.last += 1;
        (line.number, line.level) = (ring.last, level);
        for (room, text) in [(&mut line.at, at), (&mut line.text, text)] {
            room.clear();
            room.shrink_to(ROOM);
            room.push_str(text);
        }
        ring.bytes += line.text.len();
        ring.lines.push_back(line);
        while ring.bytes > BYTES {
            drop(ring.drop_first());
        }
    }

    /// The lines after one, at least as bad as `level`, the newest where there are more than `most`; and the number of the newest of all. A
    /// number that was never given is one of another start of the server: then all are.
    pub(super) fn after(&self, number: u64, level: Level, most: usize) -> (Vec<TailLine>, u64) {
        let ring = self.ring();
        let number = if number > ring.last { 0 } else { number };
        let newer = ring.lines.iter().rev().take_while(|line| line.number > number).filter(|line| line.level <= level);
        let mut newer: Vec<TailLine> = newer.take(most).cloned().collect();
        newer.reverse();
        (newer, ring.last)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn drop_first(&mut self) -> Option<TailLine> {
        let line = self.lines.pop_front()?;
        self.bytes -= line.text.len();
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_within_their_bounds_and_told_by_number_and_level() {
        let tail = Tail::default();
        for n in 1..=1003 {
            let level = if n % 2 == 0 { Level::WARN } else { Level::INFO };
            tail.push("2026-11-22T18:29:25.123456Z", level, &format!("line {n}"));
        }
        let (lines, newest) = tail.after(0, Level::TRACE, KEPT);
        assert_eq!((lines.len(), lines[0].number, lines[0].text.as_str(), newest), (KEPT, 4, "line 4", 1003));
        let (lines, _) = tail.after(1000, Level::WARN, KEPT);
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1002]);
        assert_eq!(tail.after(2000, Level::TRACE, KEPT).0.len(), KEPT, "a number of an earlier start");
        assert_eq!(tail.after(0, Level::TRACE, 1).0[0].number, 1003);
        assert_eq!(tail.after(1003, Level::TRACE, KEPT), (Vec::new(), 1003));
    }

    #[test]
    fn long_lines_are_cut_and_take_the_place_of_others() {
        let tail = Tail::default();
        let long = "é".repeat(LONGEST);
        for _ in 0..500 {
            tail.push("x", Level::ERROR, &long);
        }
        let (lines, _) = tail.after(0, Level::TRACE, KEPT);
        assert_eq!(lines.len(), BYTES / LONGEST);
        assert_eq!(lines[0].text.len(), LONGEST);
    }
}
