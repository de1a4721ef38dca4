//! Strict JSON.

use common::json::{self, Exact};
use serde_json::Value;

/// What is read is JSON for everybody, means the same to everybody, and is read again as it was when written. What `serde_json` reads and
/// this does not has one of the two things that are refused on purpose.
pub fn json(bytes: &[u8]) {
    let loose = serde_json::from_slice::<Value>(bytes);
    let Ok(value) = json::parse(bytes) else {
        if let Ok(loose) = loose {
            let text = std::str::from_utf8(bytes).expect("serde_json reads UTF-8 only");
            let is_deep = depth(text) > json::MAX_DEPTH;
            assert!(is_deep || !same_names(text), "refused without a reason: {loose}");
        }
        return;
    };
    assert_eq!(*value, loose.expect("what is strict JSON is JSON"));
    let read: Exact = serde_json::from_str(&value.to_text()).expect("a text is JSON");
    assert_eq!(read, value, "digits are kept");
    // The loose reader would have merged members of one name.
    assert_eq!(members(&value), colons(std::str::from_utf8(bytes).expect("JSON is UTF-8")));
    let written = serde_json::to_vec(&value).expect("a value can be written");
    assert_eq!(json::parse(&written).expect("what was written can be read"), value);
}

/// How deep the brackets outside texts nest.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut is_quoted, mut is_escaped) = (0_usize, 0, false, false);
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '[' | '{' if !is_quoted => depth += 1,
            ']' | '}' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether no object has a member name twice: then writing what the loose reader made of it loses no colon.
fn same_names(text: &str) -> bool {
    let value: Value = serde_json::from_str(text).expect("it was read before");
    members(&value) == colons(text)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

fn colons(text: &str) -> usize {
    let (mut count, mut is_quoted, mut is_escaped) = (0, false, false);
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ':' if !is_quoted => count += 1,
            _ => {}
        }
    }
    count
}
