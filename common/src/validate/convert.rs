//! Conversions that lose nothing, as Django REST Framework makes them: texts to numbers and truth values, numbers to texts.

use std::borrow::Cow;

use serde_json::Value;

use super::Ends;
use crate::{
    field::FieldType,
    json::Literal,
    problem::FieldError,
    reader::{self, invalid},
    record::Member,
    text::trim,
};

/// Characters of a text that is read as a number at most, as there.
const MAX_NUMBER_LENGTH: usize = 1000;

/// Whether a value says "nothing" where a field may be null: an empty text, unless the type has texts of its own; of truth values also
/// the word.
pub(super) fn is_nothing(kind: &FieldType, value: &Value) -> bool {
    let Value::String(text) = value else { return false };
    match kind {
        FieldType::Text { .. } | FieldType::Email | FieldType::Url | FieldType::Json { .. } => false,
        FieldType::Choice { .. } => text.is_empty(),
        FieldType::Boolean => text.is_empty() || text.eq_ignore_ascii_case("null"),
        _ => text.trim().is_empty(),
    }
}

/// A text, or a number by its digits as they were sent.
pub(super) struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    pub(super) fn of(member: Member<'a>) -> Result<Self, FieldError> {
        match member {
            Member { value: Value::Number(_), text: Some(digits) } => Ok(Self(Cow::Borrowed(digits))),
            Member { value: Value::Number(number), text: None } => Ok(Self(Cow::Owned(number.to_string()))),
            Member { value, .. } => reader::text(value).map(|text| Self(Cow::Borrowed(text))),
        }
    }

    pub(super) fn ends(self, ends: Ends) -> Cow<'a, str> {
        match (ends, self.0) {
            (Ends::Kept, text) => text,
            (Ends::Trimmed, Cow::Borrowed(text)) => Cow::Borrowed(trim(text)),
            (Ends::Trimmed, Cow::Owned(text)) => Cow::Owned(trim(&text).to_owned()),
        }
    }
}

/// A number that was sent as one or as a text; `None` for what is none.
fn literal(member: Member<'_>) -> Option<Literal> {
    match member.value {
        Value::String(text) if text.len() <= MAX_NUMBER_LENGTH => Literal::read(text.trim()),
        Value::Number(_) => Text::of(member).ok().and_then(|Text(digits)| Literal::read(&digits)),
        _ => None,
    }
}

/// A 64-bit integer: `3`, `"3"`, `3.0`, `1e3`.
pub fn integer(member: Member<'_>) -> Result<i64, FieldError> {
    if let Some(number) = member.value.as_i64() {
        return Ok(number);
    }
    let literal = literal(member).filter(Literal::is_whole).ok_or_else(|| invalid("A valid integer is required."))?;
    literal.to_i64().ok_or_else(|| {
        let (code, bound) = if literal.negative {
            ("min_value", format!("greater than or equal to {}", i64::MIN))
        } else {
            ("max_value", format!("less than or equal to {}", i64::MAX))
        };
        FieldError::new(code, format!("Ensure this value is {bound}."))
    })
}

/// A decimal number.
pub(super) fn decimal(member: Member<'_>) -> Result<Literal, FieldError> {
    literal(member).ok_or_else(|| invalid("A valid number is required."))
}

/// True or false, in the words that Django REST Framework knows, whatever their case.
pub(crate) fn boolean(member: Member<'_>) -> Result<bool, FieldError> {
    const TRUE: [&str; 6] = ["true", "1", "t", "yes", "y", "on"];
    const FALSE: [&str; 6] = ["false", "0", "f", "no", "n", "off"];
    let is_one_of = |words: &[&str], text: &str| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match member.value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if is_one_of(&TRUE, text.trim()) => Ok(true),
        Value::String(text) if is_one_of(&FALSE, text.trim()) => Ok(false),
        Value::Number(_) => match literal(member).and_then(|literal| literal.to_i64()) {
            Some(1) => Ok(true),
            Some(0) => Ok(false),
            _ => Err(invalid("Must be a valid boolean.")),
        },
        _ => Err(invalid("Must be a valid boolean.")),
    }
}
