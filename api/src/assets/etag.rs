//! Entity tags of files and the conditions on them (RFC 9110 §8.8.3, §13.1). Records have their own, made of revisions.

use http::{HeaderMap, HeaderValue, header};

use super::encoding::Encoding;

/// The tag of a file with this hash in this encoding.
pub(super) fn of(hash: &str, encoding: Encoding) -> HeaderValue {
    let suffix = match encoding {
        Encoding::Identity => "",
        Encoding::Brotli => "-br",
        Encoding::Gzip => "-gz",
    };
    // The hash is hexadecimal digits, which a header value may hold.
    HeaderValue::try_from(format!("\"{hash}{suffix}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// `If-None-Match`: `Some(false)` where one of its tags is `etag` (or `*`), so that the client has the file already; `None` where nothing was asked.
/// Tags compare weakly: what a cache on the way has weakened still names the same file.
pub(super) fn none_match(headers: &HeaderMap, etag: &HeaderValue) -> Option<bool> {
    let mut lists = headers.get_all(header::IF_NONE_MATCH).iter().peekable();
    lists.peek()?;
    let etag = etag.as_bytes();
    let named = lists.any(|list| {
        // Our own tags hold no comma, so cutting foreign ones at theirs cannot make one of ours.
        list.as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag)
    });
    Some(!named)
}

/// `If-Range`: whether a range may be sent. Absent, or exactly this tag; dates and weak tags prove nothing.
pub(super) fn if_range(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers.get(header::IF_RANGE).is_none_or(|tag| tag == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none_match_of(values: &[&'static str]) -> Option<bool> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        none_match(&headers, &of("ab", Encoding::Gzip))
    }

    #[test]
    fn every_encoding_has_a_tag_of_its_own() {
        let tags = [Encoding::Identity, Encoding::Brotli, Encoding::Gzip].map(|encoding| of("ab", encoding));
        assert_eq!(tags, ["\"ab\"", "\"ab-br\"", "\"ab-gz\""]);
    }

    #[test]
    fn if_none_match_takes_one_tag_many_tags_weak_tags_and_the_star() {
        for values in [&["\"ab-gz\""][..], &["\"x\", \"ab-gz\""], &["\"x\"", "\"y\",W/\"ab-gz\" , \"z\""], &["*"]] {
            assert_eq!(none_match_of(values), Some(false), "{values:?}");
        }
        for values in [&["\"ab\""][..], &["ab-gz"], &["w/\"ab-gz\""], &["\"ab-gz"], &[""]] {
            assert_eq!(none_match_of(values), Some(true), "{values:?}");
        }
        assert_eq!(none_match_of(&[]), None);
    }

    #[test]
    fn if_range_wants_the_very_tag() {
        let etag = of("ab", Encoding::Identity);
        let with = |value| HeaderMap::from_iter([(header::IF_RANGE, HeaderValue::from_static(value))]);
        assert!(if_range(&HeaderMap::new(), &etag));
        assert!(if_range(&with("\"ab\""), &etag));
        for other in ["W/\"ab\"", "\"ab-br\"", "Sun, 22 Nov 2026 15:00:00 GMT", "*"] {
            assert!(!if_range(&with(other), &etag), "{other}");
        }
    }
}
