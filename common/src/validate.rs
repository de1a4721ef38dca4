//! Checks values against fields, with Django REST Framework's messages. What loses nothing is converted, as there: `"3"` is an
//! integer where one is asked for, and `3` a text. The same code runs in the server, and in both clients while people type. Whether a
//! unique value is taken and whether a referenced record exists is not known here: the server adds that. Whole bodies are checked
//! in [`crate::clean`].

mod address;
mod convert;
mod moment;
mod pattern;

pub use self::{
    convert::integer,
    moment::{before, canonical_date, canonical_datetime, canonical_time, day_in_words, day_of, format_moment},
    pattern::{REQUEST_MATCH_WORK, compile, within_work},
};

pub(crate) use self::convert::boolean as truth;

use std::{borrow::Cow, collections::HashSet};

use rust_decimal::Decimal;
use serde_json::Value;

use self::{
    address::{is_email, is_url},
    convert::{Text, boolean, decimal, is_nothing},
};
use crate::{
    field::{Field, FieldType, MAX_DECIMAL_DIGITS, MAX_JSON_BYTES, MAX_REFERENCES, MAX_TEXT_LENGTH},
    id::RecordId,
    json::{Exact, Literal, type_name},
    problem::FieldError,
    reader::{invalid, not_blank, not_null},
    record::Member,
    text::single_line,
};

/// Whether single-line texts lose the spaces at their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// They do: what is sent or typed.
    Trimmed,
    /// They do not: what is stored, and was sent by other rules.
    Kept,
}

/// Checks one value that was sent or typed, and gives it in canonical form.
pub fn check<'a>(field: &Field, value: impl Into<Member<'a>>) -> Result<Value, Vec<FieldError>> {
    check_member(field, value.into(), Ends::Trimmed)
}

/// The same with the digits of its numbers, which `json` alone keeps.
pub fn check_exact(field: &Field, value: &Exact, ends: Ends) -> Result<Exact, Vec<FieldError>> {
    let checked = check_member(field, value.into(), ends)?;
    Ok(if matches!(field.kind, FieldType::Json { .. }) { value.clone() } else { checked.into() })
}

/// Reads a text that was typed, or that a filter says, as a value of the field's type; not of several choices, and not of `json`,
/// which is no text. The field's limits are not looked at, and nothing is trimmed that could be meant.
pub fn convert(field: &Field, typed: &str) -> Result<Value, FieldError> {
    let value = Value::from(typed);
    let member = Member::from(&value);
    match &field.kind {
        FieldType::Choice { .. } => Ok(field.choice(typed).unwrap_or(typed).into()),
        FieldType::Text { .. } | FieldType::Email | FieldType::Url | FieldType::Json { .. } => Ok(value),
        FieldType::Integer { .. } => integer(member).map(Value::from),
        FieldType::Decimal { .. } => match parse_decimal(typed) {
            Some(number) => Ok(Value::String(number.normalize().to_string())),
            None => Err(invalid("A valid number is required.")),
        },
        FieldType::Boolean => boolean(member).map(Value::Bool),
        FieldType::Reference { .. } => {
            Ok(RecordId::from_value(&value).map_or_else(|| typed.trim().into(), RecordId::to_value))
        }
        // Not by all that a field asks for: patterns, which take room, are no matter of the web app's first part.
        FieldType::Date => check_date(&value),
        FieldType::Datetime => check_datetime(&value),
    }
}

fn check_date(value: &Value) -> Result<Value, FieldError> {
    value
        .as_str()
        .and_then(canonical_date)
        .map(Value::String)
        .ok_or_else(|| invalid("Date has wrong format. Use one of these formats instead: YYYY-MM-DD."))
}

fn check_datetime(value: &Value) -> Result<Value, FieldError> {
    value.as_str().and_then(canonical_datetime).map(Value::String).ok_or_else(|| {
        if value.as_str().is_some_and(moment::is_out_of_range) {
            return FieldError::new("overflow", "Datetime value out of range.");
        }
        invalid(
            "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
        )
    })
}

/// Checks one value, and gives it in canonical form.
pub fn check_member(field: &Field, member: Member<'_>, ends: Ends) -> Result<Value, Vec<FieldError>> {
    let value = member.value;
    if value.is_null() || (field.nullable && is_nothing(&field.kind, value)) {
        return if field.nullable { Ok(Value::Null) } else { Err(vec![not_null()]) };
    }
    let one = |error| vec![error];
    match &field.kind {
        FieldType::Text { min_length, max_length, pattern, multiline } => {
            let text = filled(field, member, if *multiline { Ends::Kept } else { ends }).map_err(one)?;
            check_length(&text, *min_length, *max_length)?;
            if let Some(pattern) = pattern.as_deref().filter(|_| !text.is_empty()) {
                pattern::check(pattern, *max_length, &text).map_err(one)?;
            }
            Ok(Value::String(text.into_owned()))
        }
        FieldType::Integer { min, max } => {
            // Beyond 64 bits it is beyond the field's own bounds, which say more.
            let number = integer(member).map_err(|error| {
                let end = if error.code == "min_value" { i64::MIN } else { i64::MAX };
                let beyond = error.code == "min_value" || error.code == "max_value";
                let own = beyond.then(|| check_bounds(&end, min.as_ref(), max.as_ref()).err()).flatten();
                one(own.unwrap_or(error))
            })?;
            check_bounds(&number, min.as_ref(), max.as_ref()).map_err(one)?;
            Ok(number.into())
        }
        FieldType::Decimal { min, max, places } => {
            check_decimal(member, min.as_deref(), max.as_deref(), *places).map_err(one)
        }
        FieldType::Boolean => boolean(member).map(Value::Bool).map_err(one),
        FieldType::Date => check_date(value).map_err(one),
        FieldType::Datetime => check_datetime(value).map_err(one),
        FieldType::Email => check_address(field, member, ends, is_email, "Enter a valid email address.").map_err(one),
        FieldType::Url => check_address(field, member, ends, is_url, "Enter a valid URL.").map_err(one),
        FieldType::Choice { many: false, .. } => check_choice(field, member).map_err(one),
        FieldType::Choice { many: true, .. } => check_choices(field, value).map_err(one),
        FieldType::Reference { many: false, .. } => check_reference(value).map_err(one),
        FieldType::Reference { many: true, .. } => check_references(field, value).map_err(one),
        FieldType::Json { max_bytes } => {
            let limit = max_bytes.unwrap_or(MAX_JSON_BYTES);
            if member.text.map_or_else(|| value.to_string().len(), str::len) as u64 > limit {
                let message = format!("Ensure this value takes no more than {limit} bytes as JSON.");
                return Err(one(FieldError::new("max_bytes", message)));
            }
            Ok(value.clone())
        }
    }
}

/// A text; not blank where the field is required.
fn filled<'a>(field: &Field, member: Member<'a>, ends: Ends) -> Result<Cow<'a, str>, FieldError> {
    let text = Text::of(member)?.ends(ends);
    if field.required && text.trim().is_empty() {
        return Err(not_blank());
    }
    Ok(text)
}

fn check_length(text: &str, min: Option<u64>, max: Option<u64>) -> Result<(), Vec<FieldError>> {
    let length = text.chars().count() as u64;
    let max = max.unwrap_or(MAX_TEXT_LENGTH);
    if length > max {
        return Err(vec![FieldError::new(
            "max_length",
            format!("Ensure this field has no more than {max} characters."),
        )]);
    }
    match min {
        Some(min) if length > 0 && length < min => {
            Err(vec![FieldError::new("min_length", format!("Ensure this field has at least {min} characters."))])
        }
        _ => Ok(()),
    }
}

fn check_bounds<T: PartialOrd + std::fmt::Display>(
    value: &T,
    min: Option<&T>,
    max: Option<&T>,
) -> Result<(), FieldError> {
    match (min, max) {
        (Some(min), _) if value < min => {
            Err(FieldError::new("min_value", format!("Ensure this value is greater than or equal to {min}.")))
        }
        (_, Some(max)) if value > max => {
            Err(FieldError::new("max_value", format!("Ensure this value is less than or equal to {max}.")))
        }
        _ => Ok(()),
    }
}

/// A decimal in any notation, kept exactly; `None` where it is none or has more than [`MAX_DECIMAL_DIGITS`].
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    // What is stored is in plain notation, and compared often.
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && !text.contains(['e', 'E', '_']);
    if is_plain && let Ok(number) = Decimal::from_str_exact(text) {
        return Some(number);
    }
    let plain = Literal::read(text.trim())?.to_plain(MAX_DECIMAL_DIGITS as usize)?;
    Decimal::from_str_exact(&plain).ok()
}

/// Whether a stored decimal is in the form that its field gives it, and can be read again.
pub fn is_canonical_decimal(field: &Field, value: &Value) -> bool {
    let FieldType::Decimal { places, .. } = &field.kind else { return true };
    value.is_null() || check_decimal(value.into(), None, None, *places).as_ref() == Ok(value)
}

fn check_decimal(
    member: Member<'_>,
    min: Option<&str>,
    max: Option<&str>,
    places: Option<u32>,
) -> Result<Value, FieldError> {
    let too_many_digits = || {
        let message = format!("Ensure that there are no more than {MAX_DECIMAL_DIGITS} digits in total.");
        FieldError::new("max_digits", message)
    };
    let most = MAX_DECIMAL_DIGITS as usize;
    let literal = decimal(member)?;
    let scale = usize::try_from(literal.exponent.min(0).unsigned_abs()).unwrap_or(usize::MAX);
    if let Some(places) = places.filter(|places| scale > *places as usize) {
        let message = format!("Ensure that there are no more than {places} decimal places.");
        return Err(FieldError::new("max_decimal_places", message));
    }
    let mut text = literal.to_plain(most).ok_or_else(too_many_digits)?;
    // As it is stored: with zeros up to its places, so that it can be read again.
    if let Some(missing) = places.map(|places| places as usize - scale).filter(|missing| *missing > 0) {
        if !text.contains('.') {
            text.push('.');
        }
        text.extend(std::iter::repeat_n('0', missing));
    }
    let digits = text.trim_start_matches('-').trim_start_matches('0').bytes().filter(u8::is_ascii_digit).count();
    let before_point = || match places {
        Some(places) => {
            let whole = most - places as usize;
            let message = format!("Ensure that there are no more than {whole} digits before the decimal point.");
            FieldError::new("max_whole_digits", message)
        }
        None => too_many_digits(),
    };
    let number = Decimal::from_str_exact(&text).ok().filter(|_| digits <= most).ok_or_else(before_point)?;
    check_bounds(&number, min.and_then(parse_decimal).as_ref(), max.and_then(parse_decimal).as_ref())?;
    Ok(Value::String(text))
}

fn check_address(
    field: &Field,
    member: Member<'_>,
    ends: Ends,
    holds: fn(&str) -> bool,
    message: &str,
) -> Result<Value, FieldError> {
    if !member.value.is_string() {
        return Err(invalid(message));
    }
    let text = filled(field, member, ends)?;
    if !text.is_empty() && !holds(&text) {
        return Err(invalid(message));
    }
    Ok(Value::String(text.into_owned()))
}

fn check_choice(field: &Field, member: Member<'_>) -> Result<Value, FieldError> {
    // Numbers are chosen by their digits.
    let text = match member.value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        value => member.text.map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed),
    };
    if (member.value.is_string() || member.value.is_number())
        && let Some(choice) = field.choice(&text)
    {
        return Ok(choice.into());
    }
    Err(FieldError::new("invalid_choice", format!("\"{}\" is not a valid choice.", single_line(&text))))
}

fn check_choices(field: &Field, value: &Value) -> Result<Value, FieldError> {
    let Value::Array(items) = value else {
        let message = format!("Expected a list of items but got type \"{}\".", type_name(value));
        return Err(FieldError::new("not_a_list", message));
    };
    if field.required && items.is_empty() {
        return Err(FieldError::new("empty", "This selection may not be empty."));
    }
    let mut chosen: Vec<Value> = Vec::new();
    for item in items {
        let item = check_choice(field, item.into())?;
        if !chosen.contains(&item) {
            chosen.push(item);
        }
    }
    Ok(Value::Array(chosen))
}

fn check_references(field: &Field, value: &Value) -> Result<Value, FieldError> {
    let Value::Array(items) = value else {
        let message = format!("Expected a list of items but got type \"{}\".", type_name(value));
        return Err(FieldError::new("not_a_list", message));
    };
    if field.required && items.is_empty() {
        return Err(FieldError::new("empty", "This list may not be empty."));
    }
    if items.len() > MAX_REFERENCES {
        let message = format!("Ensure this field has no more than {MAX_REFERENCES} elements.");
        return Err(FieldError::new("max_length", message));
    }
    let mut referred: Vec<Value> = Vec::with_capacity(items.len());
    let mut seen = HashSet::with_capacity(items.len());
    for item in items {
        let id = check_reference(item)?;
        if seen.insert(id.to_string()) {
            referred.push(id);
        }
    }
    Ok(Value::Array(referred))
}

fn check_reference(value: &Value) -> Result<Value, FieldError> {
    // `7.0` is what programs send that hold the numbers of a column as floats.
    let whole = value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0);
    #[allow(clippy::cast_possible_truncation, reason = "it is whole, and below 2^53")]
    let whole = whole.map(|float| float as i64);
    match (RecordId::from_value(value).or_else(|| RecordId::from_number(whole?)), value) {
        (Some(id), _) => Ok(id.to_value()),
        (None, Value::String(text)) => Err(does_not_exist(text)),
        (None, Value::Number(number)) if number.as_f64().is_some_and(|float| float.fract() == 0.0) => {
            Err(does_not_exist(&number.to_string()))
        }
        (None, value) => {
            let message = format!("Incorrect type. Expected pk value, received {}.", type_name(value));
            Err(FieldError::new("incorrect_type", message))
        }
    }
}

/// A reference to a record that is not there.
pub fn does_not_exist(id: &str) -> FieldError {
    FieldError::new("does_not_exist", format!("Invalid pk \"{}\" - object does not exist.", single_line(id)))
}

#[cfg(test)]
mod tests;
