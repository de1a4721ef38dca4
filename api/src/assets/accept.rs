//! `Accept` (RFC 9110 §12.5.1): whether a page is asked for. Browsers that go to an address name HTML; programs, and scripts of pages, name what they read or
//! nothing in particular.

use http::{HeaderMap, header};

use super::encoding::weight_of;

/// Whether HTML is named, and liked no less than the JSON that stands beside it. `*/*` names nothing.
pub(super) fn is_page_wanted(headers: &HeaderMap) -> bool {
    let (mut html, mut json) = (0, 0);
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = weight_of(parts);
        match name.as_str() {
            "text/html" | "application/xhtml+xml" | "text/*" => html = html.max(weight),
            "application/json" | "application/problem+json" => json = json.max(weight),
            // No browser says so: programs in Java do, which name HTML as well where nobody told them what to ask for.
            "*" => return false,
            _ => {}
        }
    }
    html > 0 && html >= json
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wanted(accept: &'static str) -> bool {
        is_page_wanted(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn b8_who_names_html_asks_for_a_page() {
        for accept in [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/xhtml+xml",
            "TEXT/HTML; charset=utf-8",
            "text/html;q=0.1",
            "text/*",
            "text/html, application/json;q=0.9",
            "application/json, text/html",
        ] {
            assert!(wanted(accept), "{accept}");
        }
    }

    #[test]
    fn b8_who_names_something_else_or_nothing_does_not() {
        assert!(!is_page_wanted(&HeaderMap::new()));
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/json, text/plain, */*",
            "text/html;q=0",
            "text/html;q=0.5, application/json",
            "text/htmlx",
            "text/plain",
            "image/avif,image/webp,*/*;q=0.8",
            "application/json, text/html;q=0.1",
            "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
        ] {
            assert!(!wanted(accept), "{accept}");
        }
    }
}
