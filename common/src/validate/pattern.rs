//! The patterns of text fields. A pattern is compiled once on each thread, however many values are compared with it, and what may be spent on comparing can be
//! bounded for all values of a request together.

use std::cell::{Cell, RefCell};

use regex_lite::{Regex, RegexBuilder};

use crate::{field::MAX_TEXT_LENGTH, problem::FieldError, reader::invalid};

/// Bytes of a compiled pattern at most.
const MAX_PATTERN_BYTES: u64 = 64 * 1024;
/// Bytes of a compiled pattern times characters of the text: half a second at worst.
const MAX_MATCH_WORK: u64 = MAX_PATTERN_BYTES * 10_000;
/// The same for all values of one request: two seconds at worst.
pub const REQUEST_MATCH_WORK: u64 = 4 * MAX_MATCH_WORK;
/// The size of a compiled pattern is found out to a power of two; none is smaller than this.
const LEAST_BYTES: u64 = 256;
/// Patterns that a thread keeps.
const KEPT: usize = 64;

struct Compiled {
    pattern: String,
    max_length: Option<u64>,
    /// `None` for what is no pattern.
    regex: Option<Regex>,
    /// Bytes, rounded up.
    size: u64,
}

thread_local! {
    static COMPILED: RefCell<Vec<Compiled>> = const { RefCell::new(Vec::new()) };
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Checks values with no more than `left` to spend on patterns; what is over then is taken from it. Values that there is nothing left for do not fit.
pub fn within_work<T>(left: &mut u64, check: impl FnOnce() -> T) -> T {
    let before = LEFT.replace(*left);
    let checked = check();
    *left = LEFT.replace(before);
    checked
}

/// A pattern that the whole of a text must match; `None` where it is no regular expression, or one whose work on the longest text
/// of the field would not be bounded. It runs in proportion to the length of both, and repetitions make a pattern long.
pub fn compile(pattern: &str, max_length: Option<u64>) -> Option<Regex> {
    let max_length = max_length.unwrap_or(MAX_TEXT_LENGTH).max(1);
    compile_within(pattern, (MAX_MATCH_WORK / max_length).min(MAX_PATTERN_BYTES))
}

fn compile_within(pattern: &str, size: u64) -> Option<Regex> {
    let whole = format!("^(?:{pattern})$");
    RegexBuilder::new(&whole).size_limit(usize::try_from(size).ok()?).build().ok()
}

/// Checks a text.
pub(super) fn check(pattern: &str, max_length: Option<u64>, text: &str) -> Result<(), FieldError> {
    COMPILED.with_borrow_mut(|kept| {
        let place = kept.iter().position(|known| known.pattern == pattern && known.max_length == max_length);
        // The one that was used last comes first.
        if let Some(place) = place {
            kept[..=place].rotate_right(1);
        } else {
            kept.insert(0, Compiled::new(pattern, max_length));
            kept.truncate(KEPT);
        }
        kept[0].check(text)
    })
}

impl Compiled {
    fn new(pattern: &str, max_length: Option<u64>) -> Self {
        let regex = compile(pattern, max_length);
        let sizes = std::iter::successors(Some(LEAST_BYTES), |size| Some(size * 2));
        let size =
            sizes.take_while(|size| *size < MAX_PATTERN_BYTES).find(|size| compile_within(pattern, *size).is_some());
        Self { pattern: pattern.to_owned(), max_length, regex, size: size.unwrap_or(MAX_PATTERN_BYTES) }
    }

    fn check(&self, text: &str) -> Result<(), FieldError> {
        let work = self.size.saturating_mul(text.chars().count() as u64);
        let Some(left) = LEFT.get().checked_sub(work) else {
            LEFT.set(0);
            let message = "Comparing this with the field's pattern takes too long. Send fewer records at once.";
            return Err(FieldError::new("too_much", message));
        };
        LEFT.set(left);
        match &self.regex {
            Some(regex) if regex.is_match(text) => Ok(()),
            _ => Err(invalid("This value does not match the required pattern.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = "([a-z]?[a-y]?[a-x]?){60}!";

    #[test]
    fn m2_patterns_of_one_request_have_a_bound_together() {
        let text = "a".repeat(10_000);
        let mut left = REQUEST_MATCH_WORK;
        let codes: Vec<String> = (0..1000)
            .filter_map(|_| within_work(&mut left, || check(EVIL, Some(10_000), &text)).err())
            .map(|error| error.code.to_string())
            .collect();
        let compared = codes.iter().take_while(|code| *code == "invalid").count();
        assert!((1..100).contains(&compared) && codes[compared] == "too_much", "{compared}");
        assert_eq!(check("a*", None, &text), Ok(()), "others have what they had before");
    }

    #[test]
    fn a_usual_pattern_fits_any_number_of_records_of_a_request() {
        let mut left = REQUEST_MATCH_WORK;
        for n in 0..1000 {
            let text = format!("AB-{n:04}-{}", "x".repeat(100));
            within_work(&mut left, || check(r"[A-Z]{2}-[0-9]{4}-[a-z]*", None, &text)).unwrap();
        }
    }
}
