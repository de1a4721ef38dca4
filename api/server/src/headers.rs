//! The headers that every answer carries, refusals and errors too (`docs/security.md`, B6 and B7). What a handler has set itself stays.

use http::{HeaderMap, HeaderName, HeaderValue, Version, header};

/// Names the request in the answer, and in the log.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Nothing of ours is to be loaded into pages of other sites; what they may ask for by a script, `origins` decides.
const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// For everything that is no page: there is nothing in it that a browser should run, load or frame.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Two years, this host only: those below it may be somebody else's.
const ALWAYS_TLS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Adds what is missing. `closing`: the connection ends with this answer. `is_secure`: it came over TLS, and so shall the next.
pub(super) fn complete(
    headers: &mut HeaderMap,
    request_id: HeaderValue,
    version: Version,
    closing: bool,
    is_secure: bool,
) {
    headers.insert(X_REQUEST_ID, request_id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(header::CACHE_CONTROL) {
        // An ETag promises that asking again is cheap; without one nothing is to be kept at all.
        let rule = if headers.contains_key(header::ETAG) { "private, no-cache" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(rule));
    }
    if is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ALWAYS_TLS);
    }
    // HTTP/2 has a frame for it and forbids the header.
    if closing && version < Version::HTTP_2 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Says that the answer depends on these headers of the request too.
pub fn vary(headers: &mut HeaderMap, names: &str) {
    let mut all: Vec<String> = Vec::new();
    let said: Vec<HeaderValue> = headers.get_all(header::VARY).iter().cloned().collect();
    let said = said.iter().filter_map(|said| said.to_str().ok());
    for name in said.chain([names]).flat_map(|names| names.split(',')).map(str::trim) {
        if !name.is_empty() && !all.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            all.push(name.to_owned());
        }
    }
    if let Ok(all) = HeaderValue::try_from(all.join(", ")) {
        headers.insert(header::VARY, all);
    }
}

/// Stands in the extensions of an answer whose policies for browsers are its own: none is added.
#[derive(Debug, Clone, Copy)]
pub struct OwnPolicies;

/// Keeps browsers from running, loading, framing and telling others of what is no page of its own.
pub(super) fn restrict(headers: &mut HeaderMap) {
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    headers.entry(RESOURCE_POLICY).or_insert(SAME_ORIGIN);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_depends_on_stands_in_one_line_and_once() {
        let mut headers = HeaderMap::new();
        vary(&mut headers, "Accept");
        vary(&mut headers, "Origin, accept");
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        vary(&mut headers, "ORIGIN");
        assert_eq!(headers.get_all(header::VARY).iter().collect::<Vec<_>>(), ["Accept, Origin, Accept-Encoding"]);
    }

    fn completed(mut headers: HeaderMap) -> HeaderMap {
        complete(&mut headers, HeaderValue::from_static("id"), Version::HTTP_11, false, false);
        restrict(&mut headers);
        headers
    }

    #[test]
    fn b6_every_answer_has_the_security_headers() {
        let headers = completed(HeaderMap::new());
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(headers["x-request-id"], "id");
        assert!(!headers.contains_key("server"));
    }

    #[test]
    fn b6_only_who_came_over_tls_is_told_to_come_back_so() {
        for (is_secure, rule) in [(true, Some("max-age=63072000")), (false, None)] {
            let mut headers = HeaderMap::new();
            complete(&mut headers, HeaderValue::from_static("id"), Version::HTTP_11, false, is_secure);
            assert_eq!(headers.get("strict-transport-security").map(|rule| rule.to_str().unwrap()), rule);
        }
    }

    #[test]
    fn b6_a_page_keeps_its_own_policy() {
        let mut page = HeaderMap::new();
        page.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("script-src 'self'"));
        let headers = completed(page);
        assert_eq!(headers.get_all("content-security-policy").iter().collect::<Vec<_>>(), ["script-src 'self'"]);
    }

    #[test]
    fn b7_an_answer_is_stored_nowhere_unless_it_says_so() {
        assert_eq!(completed(HeaderMap::new())["cache-control"], "no-store");
        let mut tagged = HeaderMap::new();
        tagged.insert(header::ETAG, HeaderValue::from_static("\"1\""));
        assert_eq!(completed(tagged.clone())["cache-control"], "private, no-cache");
        tagged.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=1"));
        assert_eq!(completed(tagged)["cache-control"], "public, max-age=1");
    }

    #[test]
    fn only_http_1_is_told_that_the_connection_closes() {
        for (version, told) in [(Version::HTTP_10, true), (Version::HTTP_11, true), (Version::HTTP_2, false)] {
            let mut headers = HeaderMap::new();
            complete(&mut headers, HeaderValue::from_static("id"), version, true, false);
            assert_eq!(headers.contains_key(header::CONNECTION), told, "{version:?}");
        }
    }
}
