//! What becomes of members and parameters that nobody knows: refused by name, unless the operator or the request says otherwise.

use common::{
    json::Exact,
    problem::FieldErrors,
    query::{Pairs, Query},
    reader::Body,
};
use http::{HeaderMap, Method};
use serde_json::Value;

/// What the operator said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unknown {
    /// Members that an endpoint does not have are left out of a body.
    pub ignores_members: bool,
    /// Parameters that it does not have are left out of a query that only reads.
    pub ignores_parameters: bool,
}

/// What a request's `Prefer: handling=lenient` or `=strict` says (RFC 7240 §4.4). Of several the first counts (§2).
pub(super) fn preferred(headers: &HeaderMap) -> Option<bool> {
    let lines = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).find_map(|preference| {
        let (name, value) = preference.split(';').next().unwrap_or_default().split_once('=')?;
        match value.trim().trim_matches('"').to_ascii_lowercase().as_str() {
            _ if !name.trim().eq_ignore_ascii_case("handling") => None,
            "lenient" => Some(true),
            "strict" => Some(false),
            _ => None,
        }
    })
}

/// Whether a browser sends a form of a page's by itself, not a program in it: what its buttons are called, and what a framework hides in it, is sent as well.
pub(super) fn is_form_of_a_page(headers: &HeaderMap) -> bool {
    let has = |name: &str, test: fn(&str) -> bool| {
        let mut lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.any(|line| test(&line.to_ascii_lowercase()))
    };
    let is_form = has("content-type", |kind| {
        kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data")
    });
    // Older browsers do not say that they navigate (Fetch Metadata), and ask for a page as all do then.
    let navigates = match headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => has("accept", |accept| accept.starts_with("text/html")),
    };
    is_form && navigates
}

/// Whether a request does not want to wait: `Prefer: respond-async` (RFC 7240 §4.1).
pub(super) fn responds_async(headers: &HeaderMap) -> bool {
    let lines = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    let mut preferences = lines.flat_map(|line| line.split(','));
    preferences.any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// Reads a query. What changes something is never asked for by fewer conditions than were sent.
pub(super) fn read_query<Q: Query>(pairs: Pairs, unknown: Unknown, method: &Method) -> Result<Q, FieldErrors> {
    let reads = method == Method::GET || method == Method::OPTIONS;
    if reads && unknown.ignores_parameters { Q::from_known_pairs(pairs) } else { Q::from_pairs(pairs) }
}

/// Reads a body.
pub(super) fn read_body<B: Body>(body: Exact, ignores_unknown: bool) -> Result<B, FieldErrors> {
    if !ignores_unknown {
        return B::from_exact(body);
    }
    let mut read = B::from_exact(body.clone());
    let mut value = body.into_parts().0;
    // Of many faults only the first are told, so the rest may be of this kind too.
    while let Err(errors) = &read {
        let unknown: Vec<_> = errors.0.keys().filter(|name| errors.is_unknown(name)).cloned().collect();
        let before = value.clone();
        for path in &unknown {
            remove(&mut value, path);
        }
        if value == before {
            break;
        }
        read = B::from_exact(value.clone().into());
    }
    read
}

/// Removes a member by its path, as errors name it: `fields.2.name`. A name may have dots of its own.
fn remove(value: &mut Value, path: &str) {
    match value {
        Value::Object(members) if members.contains_key(path) => {
            members.shift_remove(path);
        }
        Value::Object(members) => {
            let inner = path.split_once('.').and_then(|(name, rest)| Some((members.get_mut(name)?, rest)));
            if let Some((inner, rest)) = inner {
                remove(inner, rest);
            }
        }
        Value::Array(items) => {
            let inner =
                path.split_once('.').and_then(|(at, rest)| Some((items.get_mut(at.parse::<usize>().ok()?)?, rest)));
            if let Some((inner, rest)) = inner {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use common::collection::Definition;
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_members_are_left_out_wherever_they_stand() {
        let body = json!({"name": "a", "zzz": 1, "a.b": 2, "access": {"lst": []}, "fields": [
            {"name": "t", "type": "text", "requird": true}, {"name": "n", "type": "integer"}]});
        let read: Definition = read_body(body.clone().into(), true).unwrap();
        assert_eq!((read.fields.len(), read.fields[0].required), (2, false));
        assert!(read_body::<Definition>(body.into(), false).is_err());
        let wrong = json!({"name": "A", "zzz": 1});
        let errors = read_body::<Definition>(wrong.into(), true).unwrap_err();
        assert_eq!(errors.0.keys().collect::<Vec<_>>(), ["name"]);
    }

    #[test]
    fn the_first_word_on_handling_counts() {
        let preferred = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("prefer", HeaderValue::from_static(line));
            }
            preferred(&headers)
        };
        for (line, lenient) in [
            ("handling=lenient", Some(true)),
            ("respond-async, Handling=\"lenient\"; x=1", Some(true)),
            ("handling = strict", Some(false)),
            ("handling=strict, handling=lenient", Some(false)),
            ("handling", None),
            ("handling=maybe", None),
            ("return=minimal", None),
        ] {
            assert_eq!(preferred(&[line]), lenient, "{line}");
        }
        assert_eq!(preferred(&["wait=10", "handling=lenient"]), Some(true));
        assert_eq!(preferred(&[]), None);
    }
}
