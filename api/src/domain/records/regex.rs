//! The patterns of `regex` and `iregex`, as Python's `re.search` looks for them, and the time that one request may spend on them.

mod python;

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use common::{problem::FieldError, reader::invalid};
use regex::{Regex, RegexBuilder};

use crate::domain::{deadline::Deadline, error::Result};

/// Characters of a pattern at most.
const MAX_PATTERN: usize = 1000;
/// Bytes of a compiled pattern at most, and of what is kept while it looks.
const MAX_COMPILED: usize = 256 * 1024;
/// What one request may spend on its patterns.
const BUDGET: Duration = Duration::from_secs(2);
/// After so much of it others get the thread.
const STRETCH: Duration = Duration::from_millis(5);

/// Compiles a pattern.
pub(super) fn compile(pattern: &str, ignore_case: bool) -> std::result::Result<Regex, FieldError> {
    if pattern.chars().count() > MAX_PATTERN {
        return Err(invalid(format!("A pattern has at most {MAX_PATTERN} characters.")));
    }
    let mut builder = RegexBuilder::new(&python::translate(pattern));
    builder.case_insensitive(ignore_case).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED);
    builder.build().map_err(|error| {
        invalid(match error {
            regex::Error::CompiledTooBig(_) => {
                "This pattern repeats so much that it would take too long. Let it repeat less."
            }
            _ => "This is not a regular expression; look-around and references to groups are none here.",
        })
    })
}

/// What a request has spent on patterns.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    all: AtomicU64,
    /// Since others had the thread.
    stretch: AtomicU64,
}

impl Spent {
    /// Looks for a pattern.
    pub(super) fn is_match(&self, pattern: &Regex, text: &str) -> bool {
        if self.is_over() {
            return false;
        }
        let begun = Instant::now();
        let found = pattern.is_match(text);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.all.fetch_add(micros, Relaxed);
        self.stretch.fetch_add(micros, Relaxed);
        found
    }

    /// Lets others have the thread where it is time for it.
    pub(super) async fn rest(&self, deadline: &Deadline) -> Result<()> {
        if u128::from(self.stretch.load(Relaxed)) > STRETCH.as_micros() {
            self.stretch.store(0, Relaxed);
            deadline.pause().await?;
        }
        Ok(())
    }

    /// Nothing so far.
    pub(super) fn begin_anew(&self) {
        self.all.store(0, Relaxed);
    }

    /// Whether the budget is used up.
    pub(super) fn is_over(&self) -> bool {
        u128::from(self.all.load(Relaxed)) > BUDGET.as_micros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_searched_for_as_python_does() {
        for (pattern, ignore_case, text, found) in [
            ("^corn", false, "corn on the cob", true),
            ("corn$", false, "sweet corn", true),
            ("o.n", false, "sweet corn", true),
            ("CORN", false, "sweet corn", false),
            ("CORN", true, "sweet corn", true),
            ("ÄPFEL", true, "äpfel", true),
            (r"\d{2,}", false, "a1", false),
            ("", false, "", true),
            (r"corn\Z", false, "sweet corn", true),
            (r"^sweet\Z", false, "sweet corn", false),
            (r"a\\Z", false, r"a\Z", true),
            ("corn$", false, "sweet corn\n", true),
            ("corn$", false, "sweet corn\n\n", false),
            ("[[:alpha:]]", false, "zz", false),
            ("[[:alpha:]]", false, "p]", true),
            ("[a&&b]", false, "a", true),
            ("[a&&b]", false, "&", true),
            ("[~~]", false, "~", true),
            ("^[+--]$", false, ",", true),
            ("[]a]", false, "]", true),
            ("[^]a]", false, "]a", false),
            (r"[\b]", false, "\u{8}", true),
            (r"\<foo", false, "<foo", true),
            (r"\<foo", false, "a foo", false),
            (r"^\w+$", false, "cafe\u{301}", false),
            (r"^\w+$", false, "caf\u{e9}_1", true),
            (r"^[\W]+$", false, "\u{301}-", true),
            (r"^\s$", false, "\u{1d}", true),
            (r"^[^\S]$", false, "\u{1d}", true),
            ("^a{,2}$", false, "aa", true),
            ("^a{,2}$", false, "aaa", false),
            ("^a{$", false, "a{", true),
            ("^{x}{1}$", false, "{x}", true),
            (r"^\101\0$", false, "A\0", true),
            (r"^[\101-\103]$", false, "B", true),
            ("^a(?# a word, it's)$", false, "a it's", false),
            ("^a(?#nothing)b$", false, "ab", true),
        ] {
            let compiled = compile(pattern, ignore_case).unwrap_or_else(|error| panic!("{pattern}: {}", error.message));
            assert_eq!(compiled.is_match(text), found, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_too_large_a_one_is_refused() {
        for pattern in ["(", "[", r"\1", "(?=a)", "*a", &"a".repeat(1001), "(((a{99}){99}){99}){99}"] {
            assert!(compile(pattern, false).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_budget_that_is_used_up_ends_the_search() {
        let spent = Spent::default();
        spent.all.store(3_000_000, Relaxed);
        assert!(spent.is_over() && !spent.is_match(&compile("a", false).unwrap(), "a"));
    }
}
