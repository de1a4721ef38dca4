//! Checks values against fields, with Django REST Framework's messages. The same code runs in the server, and in both clients
//! while people type. Whether a unique value is taken and whether a referenced record exists is not known here: the server
//! adds that. Whole bodies are checked in [`crate::clean`].

use rust_decimal::Decimal;
use serde_json::Value;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use crate::{
    field::{Field, FieldType, MAX_DECIMAL_DIGITS, MAX_JSON_BYTES, MAX_TEXT_LENGTH},
    id::RecordId,
    json::{MAX_INTEGER, type_name},
    problem::FieldError,
    reader::{self, invalid, not_blank, not_null},
    text::single_line,
};

/// Bytes of a compiled pattern at most.
const MAX_PATTERN_BYTES: u64 = 64 * 1024;
/// Bytes of a compiled pattern times characters of the text: half a second at worst.
const MAX_MATCH_WORK: u64 = MAX_PATTERN_BYTES * 10_000;

/// Checks one value and gives it in canonical form.
pub fn check(field: &Field, value: &Value) -> Result<Value, Vec<FieldError>> {
    if value.is_null() {
        return if field.nullable { Ok(Value::Null) } else { Err(vec![not_null()]) };
    }
    let one = |error| vec![error];
    match &field.kind {
        FieldType::Text { min_length, max_length, pattern, .. } => {
            let text = filled(field, value).map_err(one)?;
            check_length(text, *min_length, *max_length)?;
            if let Some(pattern) = pattern.as_deref().filter(|_| !text.is_empty())
                && !compile(pattern, *max_length).is_some_and(|regex| regex.is_match(text))
            {
                return Err(one(invalid("This value does not match the required pattern.")));
            }
            Ok(Value::String(text.to_owned()))
        }
        FieldType::Integer { min, max } => {
            let number = value.as_i64().filter(|n| (-MAX_INTEGER..=MAX_INTEGER).contains(n));
            let number = number.ok_or_else(|| one(invalid("A valid integer is required.")))?;
            check_bounds(&number, min.as_ref(), max.as_ref()).map_err(one)?;
            Ok(number.into())
        }
        FieldType::Decimal { min, max, places } => check_decimal(value, min.as_deref(), max.as_deref(), *places).map_err(one),
        FieldType::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            _ => Err(one(invalid("Must be a valid boolean."))),
        },
        FieldType::Date => value.as_str().and_then(canonical_date).map(Value::String).ok_or_else(|| {
            one(invalid("Date has wrong format. Use one of these formats instead: YYYY-MM-DD."))
        }),
        FieldType::Datetime => value.as_str().and_then(canonical_datetime).map(Value::String).ok_or_else(|| {
            one(invalid(
                "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
            ))
        }),
        FieldType::Email => check_address(field, value, is_email, "Enter a valid email address.").map_err(one),
        FieldType::Url => check_address(field, value, is_url, "Enter a valid URL.").map_err(one),
        FieldType::Choice { choices, many: false } => check_choice(choices, value).map_err(one),
        FieldType::Choice { choices, many: true } => check_choices(field, choices, value).map_err(one),
        FieldType::Reference { .. } => check_reference(value).map_err(one),
        FieldType::Json { max_bytes } => {
            let limit = max_bytes.unwrap_or(MAX_JSON_BYTES);
            if value.to_string().len() as u64 > limit {
                let message = format!("Ensure this value takes no more than {limit} bytes as JSON.");
                return Err(one(FieldError::new("max_bytes", message)));
            }
            Ok(value.clone())
        }
    }
}

/// A pattern that the whole of a text must match; `None` where it is no regular expression, or one whose work on the longest text
/// of the field would not be bounded. It runs in proportion to the length of both, and repetitions make a pattern long.
pub fn compile(pattern: &str, max_length: Option<u64>) -> Option<regex_lite::Regex> {
    let max_length = max_length.unwrap_or(MAX_TEXT_LENGTH).max(1);
    let size = (MAX_MATCH_WORK / max_length).min(MAX_PATTERN_BYTES);
    let whole = format!("^(?:{pattern})$");
    regex_lite::RegexBuilder::new(&whole).size_limit(usize::try_from(size).ok()?).build().ok()
}

/// A text; not blank where the field is required.
fn filled<'a>(field: &Field, value: &'a Value) -> Result<&'a str, FieldError> {
    let text = reader::text(value)?;
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

/// A decimal in plain notation, kept exactly; `None` where it is none or has more than [`MAX_DECIMAL_DIGITS`].
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { Decimal::from_str_exact(text).ok() } else { None }
}

/// Digits of a number in plain notation, zeros before all others left out.
fn digits(text: &str) -> usize {
    text.trim_start_matches('-').trim_start_matches('0').bytes().filter(u8::is_ascii_digit).count()
}

fn check_decimal(
    value: &Value,
    min: Option<&str>,
    max: Option<&str>,
    places: Option<u32>,
) -> Result<Value, FieldError> {
    let too_many_digits = || {
        let message = format!("Ensure that there are no more than {MAX_DECIMAL_DIGITS} digits in total.");
        FieldError::new("max_digits", message)
    };
    let parsed = match value {
        Value::String(text) if digits(text) > MAX_DECIMAL_DIGITS as usize => return Err(too_many_digits()),
        Value::String(text) => parse_decimal(text),
        Value::Number(number) => {
            let text = number.to_string();
            parse_decimal(&text).or_else(|| Decimal::from_scientific(&text).ok())
        }
        _ => None,
    };
    let number = parsed.ok_or_else(|| invalid("A valid number is required."))?.normalize();
    if let Some(places) = places.filter(|places| number.scale() > *places) {
        let message = format!("Ensure that there are no more than {places} decimal places.");
        return Err(FieldError::new("max_decimal_places", message));
    }
    // As it is stored: with zeros up to its places, so that it can be read again.
    let mut text = number.to_string();
    if let Some(missing) = places.map(|places| (places - number.scale()) as usize).filter(|missing| *missing > 0) {
        if !text.contains('.') {
            text.push('.');
        }
        text.extend(std::iter::repeat_n('0', missing));
    }
    if digits(&text) > MAX_DECIMAL_DIGITS as usize {
        return Err(too_many_digits());
    }
    check_bounds(&number, min.and_then(parse_decimal).as_ref(), max.and_then(parse_decimal).as_ref())?;
    Ok(Value::String(text))
}

fn check_address(field: &Field, value: &Value, holds: fn(&str) -> bool, message: &str) -> Result<Value, FieldError> {
    let text = filled(field, value)?;
    if !text.is_empty() && !holds(text) {
        return Err(invalid(message));
    }
    Ok(Value::String(text.to_owned()))
}

fn check_choice(choices: &[String], value: &Value) -> Result<Value, FieldError> {
    if value.as_str().is_some_and(|text| choices.iter().any(|choice| choice == text)) {
        return Ok(value.clone());
    }
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Err(FieldError::new("invalid_choice", format!("\"{}\" is not a valid choice.", single_line(&shown))))
}

fn check_choices(field: &Field, choices: &[String], value: &Value) -> Result<Value, FieldError> {
    let Value::Array(items) = value else {
        let message = format!("Expected a list of items but got type \"{}\".", type_name(value));
        return Err(FieldError::new("not_a_list", message));
    };
    if field.required && items.is_empty() {
        return Err(FieldError::new("empty", "This selection may not be empty."));
    }
    let mut chosen: Vec<Value> = Vec::new();
    for item in items {
        let item = check_choice(choices, item)?;
        if !chosen.contains(&item) {
            chosen.push(item);
        }
    }
    Ok(Value::Array(chosen))
}

fn check_reference(value: &Value) -> Result<Value, FieldError> {
    let Value::String(text) = value else {
        let message = format!("Incorrect type. Expected pk value, received {}.", type_name(value));
        return Err(FieldError::new("incorrect_type", message));
    };
    match text.parse::<RecordId>() {
        Ok(id) => Ok(Value::String(id.to_string())),
        Err(_) => Err(does_not_exist(text)),
    }
}

/// A reference to a record that is not there.
pub fn does_not_exist(id: &str) -> FieldError {
    FieldError::new("does_not_exist", format!("Invalid pk \"{}\" - object does not exist.", single_line(id)))
}

/// `YYYY-MM-DD` where it names a day.
pub fn canonical_date(text: &str) -> Option<String> {
    // The parser of moments does for days too: a second one would make the web app larger.
    let midnight = OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339).ok()?;
    (text.len() == 10 && midnight.year() >= 1).then(|| text.to_owned())
}

/// RFC 3339 in UTC, with as many decimals of a second as it needs, six at most. Seconds and offset may be left out (then
/// they are zero).
pub fn canonical_datetime(text: &str) -> Option<String> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let zone = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let zone = if zone.is_empty() { "Z" } else { zone };
    let moment = OffsetDateTime::parse(&format!("{date}T{clock}{seconds}{zone}"), &Rfc3339).ok()?;
    let moment = moment.checked_to_offset(UtcOffset::UTC)?;
    if moment.nanosecond() % 1000 != 0 {
        return None;
    }
    (1..=9999).contains(&moment.year()).then(|| format_moment(moment))
}

/// A moment as Coffer writes it: RFC 3339, `Z`, without trailing zeros.
pub fn format_moment(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    moment.format(&Rfc3339).unwrap_or_default()
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let dotted = |part: &str, allowed: fn(char) -> bool| {
        !part.is_empty() && part.split('.').all(|label| !label.is_empty() && label.chars().all(allowed))
    };
    text.len() <= 254
        && local.len() <= 64
        && dotted(local, |c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c))
        && domain.contains('.')
        && dotted(domain, |c| c.is_alphanumeric() || c == '-')
        && domain.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'))
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| if port.parse::<u16>().is_ok() { name } else { "" });
    let name = if host.starts_with('[') && host.contains(']') { host } else { name };
    ["http", "https", "ftp", "ftps"].contains(&scheme.to_ascii_lowercase().as_str())
        && text.len() <= 2048
        && !name.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"\\^`{|}".contains(c))
}

#[cfg(test)]
mod tests;
