//! `Range` (RFC 9110 §14): one range of bytes. Several at once, and what is no range, are ignored, as the RFC allows: the whole file is right too.

use http::{HeaderMap, HeaderValue, header};

/// What a request wants of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// These bytes, the last one included.
    Part { first: usize, last: usize },
    /// Bytes that the file does not have.
    Unsatisfiable,
}

/// The one range that is asked for of a file of `length` bytes.
pub(super) fn requested(headers: &HeaderMap, length: usize) -> Option<Range> {
    let mut values = headers.get_all(header::RANGE).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (unit, range) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        // The last so many bytes.
        let count = number(last)?.min(length);
        return Some(match count {
            0 => Range::Unsatisfiable,
            count => Range::Part { first: length - count, last: length - 1 },
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { usize::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some(if first < length { Range::Part { first, last: last.min(length - 1) } } else { Range::Unsatisfiable })
}

/// Digits only; a number too large to hold is as good as the largest.
fn number(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(usize::MAX))
}

/// `Content-Range` of a part.
pub(super) fn content_range(first: usize, last: usize, length: usize) -> HeaderValue {
    text(&format!("bytes {first}-{last}/{length}"))
}

/// `Content-Range` of a refusal.
pub(super) fn unsatisfied(length: usize) -> HeaderValue {
    text(&format!("bytes */{length}"))
}

fn text(value: &str) -> HeaderValue {
    // Digits and punctuation are always a header value.
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(value: &'static str, length: usize) -> Option<Range> {
        requested(&HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(value))]), length)
    }

    #[test]
    fn single_ranges_are_cut_to_the_file() {
        assert_eq!(range("bytes=0-0", 10), Some(Range::Part { first: 0, last: 0 }));
        assert_eq!(range("Bytes = 2 - 5", 10), Some(Range::Part { first: 2, last: 5 }));
        assert_eq!(range("bytes=2-", 10), Some(Range::Part { first: 2, last: 9 }));
        assert_eq!(range("bytes=-3", 10), Some(Range::Part { first: 7, last: 9 }));
        assert_eq!(range("bytes=-30", 10), Some(Range::Part { first: 0, last: 9 }));
        assert_eq!(range("bytes=9-99999999999999999999999", 10), Some(Range::Part { first: 9, last: 9 }));
    }

    #[test]
    fn bytes_that_are_not_there_cannot_be_had() {
        for value in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(range(value, 10), Some(Range::Unsatisfiable), "{value}");
        }
        assert_eq!(range("bytes=0-", 0), Some(Range::Unsatisfiable));
        assert_eq!(range("bytes=-1", 0), Some(Range::Unsatisfiable));
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for value in [
            "bytes=0-1,3-4",
            "bytes=5-2",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1",
            "lines=0-1",
            "bytes",
            "bytes=0--1",
        ] {
            assert_eq!(range(value, 10), None, "{value}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        twice.append(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        assert_eq!(requested(&twice, 10), None);
    }
}
