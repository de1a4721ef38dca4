//! Finding the members of stored JSON without parsing them: only where each begins and ends.

use memchr::{memchr, memchr2};

/// Tells of each member of JSON without braces, as it is stored: its name, and the text of its value. `None` where the JSON is not
/// written as this program writes it, so that it has to be parsed.
pub(super) fn members<E>(json: &[u8], mut tell: impl FnMut(&str, &[u8]) -> Result<(), E>) -> Result<Option<()>, E> {
    let mut rest = json;
    while !rest.is_empty() {
        let Some((name, value, after)) = member(rest) else { return Ok(None) };
        tell(name, value)?;
        rest = after;
    }
    Ok(Some(()))
}

/// The first member, and what stands behind it and its comma.
pub(in crate::domain) fn member(json: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let json = json.strip_prefix(b"\"")?;
    let (name, json) = json.split_at_checked(memchr2(b'"', b'\\', json)?)?;
    let json = json.strip_prefix(b"\":")?;
    let (value, rest) = json.split_at_checked(length(json)?)?;
    let after = match rest.split_first() {
        None => rest,
        Some((b',', after)) if !after.is_empty() => after,
        Some(_) => return None,
    };
    Some((std::str::from_utf8(name).ok()?, value, after))
}

/// The first item of an array without its brackets, and what stands behind it and its comma.
pub(in crate::domain) fn item(json: &[u8]) -> Option<(&[u8], &[u8])> {
    let (value, rest) = json.split_at_checked(length(json)?)?;
    match rest.split_first() {
        None => Some((value, rest)),
        Some((b',', after)) if !after.is_empty() => Some((value, after)),
        Some(_) => None,
    }
}

/// A member of an object, where it is one and has it.
pub(in crate::domain) fn find<'a>(object: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    let mut rest = object.strip_prefix(b"{")?.strip_suffix(b"}")?;
    while !rest.is_empty() {
        let (name, value, after) = member(rest)?;
        if name == wanted {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// How many bytes the value at the beginning takes.
fn length(json: &[u8]) -> Option<usize> {
    match json.first()? {
        b'"' => Some(1 + string(json.get(1..)?)?),
        b'{' | b'[' => {
            let (mut at, mut depth) = (0, 0_usize);
            loop {
                match json.get(at)? {
                    b'"' => at += string(json.get(at + 1..)?)?,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth == 1 => return Some(at + 1),
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
            }
        }
        _ => Some(memchr(b',', json).unwrap_or(json.len())).filter(|length| *length > 0),
    }
}

/// How many bytes there are up to the end of a string that has begun, its quotation mark included.
fn string(json: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', json.get(at..)?)?;
        if json[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(json: &[u8]) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        let whole = members(json, |name, value| {
            found.push((name.to_owned(), String::from_utf8(value.to_vec()).unwrap()));
            Ok::<_, ()>(())
        });
        whole.unwrap().map(|()| found)
    }

    #[test]
    fn members_are_those_that_parsing_finds() {
        let values = [
            json!(null),
            json!(true),
            json!(-1.5e300),
            json!(""),
            json!("a\"b\\"),
            json!("},]{,\"["),
            json!([]),
            json!({}),
            json!({"a": [{"b": "]}\\\""}, []], "c,": ","}),
            json!([[["x"]]]),
            json!("\u{0}ä\n"),
        ];
        let mut text = Vec::new();
        for (i, value) in values.iter().enumerate() {
            text.push(format!("\"m{i}\":{value}"));
        }
        for at in 0..=text.len() {
            let (before, after) = (text[..at].join(","), text[at..].join(","));
            for json in [before, after] {
                let whole: Value = serde_json::from_str(&format!("{{{json}}}")).unwrap();
                let found = found(json.as_bytes()).unwrap();
                assert_eq!(found.len(), whole.as_object().unwrap().len());
                for (name, value) in found {
                    assert_eq!(serde_json::from_str::<Value>(&value).unwrap(), whole[&name], "{json}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_in_another_way_is_left_to_the_parser() {
        for json in [
            "\"a\\u0062\":1",
            " \"a\":1",
            "\"a\" :1",
            "\"a\":1,",
            "\"a\":\"x",
            "\"a\":[1",
            "\"a\":",
            "a:1",
            "\"a\":\"x\"y",
        ] {
            assert_eq!(found(json.as_bytes()), None, "{json}");
        }
    }
}
