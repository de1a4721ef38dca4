//! Strict JSON (RFC 8259): what `serde_json` reads, less what it lets pass. A member name twice, nesting beyond
//! [`MAX_DEPTH`], more values than the limits below, and numbers that reading would change (integers beyond ±2^53, decimals that
//! binary cannot hold) are refused.

use std::{cell::Cell, collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use thiserror::Error;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;
/// How many members one object may have.
pub const MAX_MEMBERS: usize = 1000;
/// How many values there may be in all. In memory each takes dozens of bytes, however short it was written.
pub const MAX_VALUES: usize = 500_000;
/// Integers from minus this to this are exact in every client (2^53).
pub const MAX_INTEGER: i64 = 1 << 53;

/// Why bytes are not JSON as Coffer reads it. `Display` is the sentence for a person.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("JSON parse error - {0}")]
pub struct JsonError(String);

/// Reads one JSON value.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError("the body is not UTF-8".to_owned()))?;
    if let Some(number) = inexact_number(text) {
        return Err(JsonError(format!("the number {number} cannot be kept exactly; send it as a text")));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let values = Cell::new(0);
    let value = Strict { depth: 0, values: &values }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| JsonError(error.to_string()))?;
    Ok(value)
}

/// The Python name of a value's type, which Django REST Framework's messages use.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    /// Values so far, of the whole text.
    values: &'a Cell<usize>,
}

impl Strict<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format!("arrays and objects nest deeper than {MAX_DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES {
            return Err(D::Error::custom(format!("there are more than {MAX_VALUES} values; send less at once")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Value, E> {
        Number::from_f64(v).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::String(v))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        let mut seen = HashSet::new();
        while let Some(name) = access.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom("a member name stands twice in one object"));
            }
            if seen.len() > MAX_MEMBERS {
                return Err(A::Error::custom(format!("an object has more than {MAX_MEMBERS} members")));
            }
            members.insert(name, access.next_value_seed(inner)?);
        }
        Ok(Value::Object(members))
    }
}

/// The first number literal in `text` that a reader of binary floating point would change. Whatever is not JSON around it
/// is left to the parser.
fn inexact_number(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let start = at;
                while at < bytes.len() && matches!(bytes[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                    at += 1;
                }
                let literal = &text[start..at];
                if !is_exact(literal) {
                    return Some(literal);
                }
            }
            _ => at += 1,
        }
    }
    None
}

fn is_exact(literal: &str) -> bool {
    if !literal.contains(['.', 'e', 'E']) {
        return literal.parse::<i64>().map_or_else(
            // What is no number at all, the parser says so.
            |_| literal == "-" || !literal.bytes().skip(1).all(|b| b.is_ascii_digit()),
            |n| (-MAX_INTEGER..=MAX_INTEGER).contains(&n),
        );
    }
    // Not a number at all: the parser says so.
    let Ok(binary) = literal.parse::<f64>() else { return true };
    let written = format!("{binary:e}");
    // serde_json reads some numbers as their neighbours, and what is stored is read again. What it cannot read it refuses itself.
    let is_kept = |text| serde_json::from_str::<f64>(text).map_or(true, |read| read.to_bits() == binary.to_bits());
    binary.is_finite() && decimal_parts(literal) == decimal_parts(&written) && is_kept(literal) && is_kept(&written)
}

/// A decimal literal as its digits without outer zeros and the exponent of the last of them, so that equal values compare equal.
fn decimal_parts(literal: &str) -> (bool, String, i64) {
    let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
    let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return (false, String::new(), 0);
    }
    let dropped = digits.len() - digits.trim_end_matches('0').len();
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MAX / 2);
    let shift = i64::try_from(dropped).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
    (negative, significant.to_owned(), exponent.saturating_add(shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n6_numbers_that_would_change_are_refused() {
        for good in ["0", "-0", "1.10", "0.1", "1e3", "9007199254740992", "-9007199254740992", "1.5e-7", "100.0", "0.0"]
        {
            assert!(parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "9007199254740993",
            "18446744073709551615",
            "0.1000000000000000000001",
            "1e400",
            "123456789012345678901234567890",
            "9.9E40",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn n6_what_the_standard_does_not_allow_is_refused() {
        for bad in [
            "",
            "{bad",
            "NaN",
            "Infinity",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "+1",
            "// c\n1",
            "\"\\ud800\"",
            "\u{feff}1",
            "1 2",
            "'a'",
            "{\"a\":1,\"a\":2}",
            "-",
        ] {
            let error = parse(bad.as_bytes()).expect_err(bad);
            assert!(error.to_string().starts_with("JSON parse error"), "{bad}: {error}");
        }
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn n6_depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(parse(nested(MAX_DEPTH + 1).as_bytes()).is_err());
        assert!(parse(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn n6_members_and_values_are_bounded() {
        let object = |n: usize| format!("{{{}}}", (0..n).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
        assert!(parse(object(MAX_MEMBERS).as_bytes()).is_ok());
        assert!(parse(object(MAX_MEMBERS + 1).as_bytes()).is_err());
        // The array is a value too. What is empty takes its place in memory all the same.
        let array = |n: usize| format!("[{}]", vec!["[]"; n].join(","));
        assert!(parse(array(MAX_VALUES - 1).as_bytes()).is_ok());
        assert!(parse(array(MAX_VALUES).as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_number_is_not_called_one() {
        let told = |text: &str| parse(text.as_bytes()).unwrap_err().to_string();
        assert!(told("[-Infinity]").contains("invalid number"), "{}", told("[-Infinity]"));
        assert!(told("99999999999999999999").contains("cannot be kept exactly"));
    }

    #[test]
    fn numbers_inside_texts_are_left_alone() {
        assert!(parse(br#"{"a":"9007199254740993 \" 9007199254740993"}"#).is_ok());
    }
}
