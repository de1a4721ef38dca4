//! What loses nothing on the way from one type to another, and what to do about what would.

use serde_json::Value;

use crate::{
    field::{Field, FieldType},
    json::Exact,
    problem::FieldError,
    reader::invalid,
    record::Member,
    validate::{Ends, check_member, parse_decimal},
};

/// A value as one of `to`; with `may_lose` also where it says less there.
pub(super) fn fit(from: &FieldType, to: &Field, may_lose: bool, value: &Exact) -> Result<Exact, Vec<FieldError>> {
    let shaped = reshape(from, to, value);
    let shaped = shaped.as_ref().unwrap_or(value);
    let checked = check_member(to, Member { value: shaped, text: shaped.text() }, Ends::Kept)
        .map_err(|errors| with_way(from, to, value, errors))?;
    let is_text = !matches!(from, FieldType::Json { .. }) || value.is_string();
    if !may_lose {
        if let Some(text) = shaped.as_str().filter(|_| !matches!(from, FieldType::Decimal { .. }))
            && let Some(what) = loses(&to.kind, text, &checked)
        {
            return Err(vec![invalid(format!("This text would lose something as {what}."))])
                .map_err(|errors| with_way(from, to, value, errors));
        }
        if !is_text && is_of_texts(&to.kind) && !shaped.is_null() {
            return Err(with_way(from, to, value, vec![invalid("This is no text.")]));
        }
    }
    Ok(if matches!(to.kind, FieldType::Json { .. }) { shaped.clone() } else { checked.into() })
}

fn is_of_texts(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Text { .. } | FieldType::Email | FieldType::Url | FieldType::Choice { many: false, .. })
}

/// As what a text would lose something, if it would: what was read from it is not written so.
fn loses(kind: &FieldType, text: &str, read: &Value) -> Option<&'static str> {
    let trimmed = |text: &str| {
        let is_fraction = text.contains('.');
        if is_fraction { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    let (keeps, what) = match (kind, read) {
        (FieldType::Integer { .. }, Value::Number(number)) => (number.to_string() == text, "a number"),
        (FieldType::Decimal { .. }, Value::String(number)) => (trimmed(number) == trimmed(text), "a number"),
        (FieldType::Boolean, Value::Bool(value)) => (value.to_string() == text, "true or false"),
        (FieldType::Date, Value::String(day)) => (day == text, "a day"),
        (FieldType::Datetime, Value::String(moment)) => {
            (moment == text || moment.strip_suffix(MIDNIGHT) == Some(text), "a moment")
        }
        _ => (true, ""),
    };
    (!keeps).then_some(what)
}

/// What stands behind a day that is a moment.
const MIDNIGHT: &str = "T00:00:00Z";

/// What a type's values look like as values of another.
fn reshape(from: &FieldType, to: &Field, value: &Value) -> Option<Exact> {
    use FieldType::{Boolean, Choice, Date, Datetime, Decimal, Integer, Json, Reference, Text};
    let list = |item: Value| Value::Array(vec![item]);
    let shaped = match (from, &to.kind, value) {
        // Nothing was chosen, and nothing is referred to.
        (_, Choice { many: true, .. }, Value::Null) if !to.nullable => Value::Array(Vec::new()),
        (_, Reference { many: true, .. }, Value::Null) => Value::Array(Vec::new()),
        (_, Choice { many: true, .. }, Value::String(text)) if text.is_empty() => Value::Array(Vec::new()),
        // JSON says itself whether it is a list.
        (Json { .. }, Choice { many: true, .. } | Reference { many: true, .. }, _) => return None,
        (_, Choice { many: true, .. }, Value::String(_))
        | (_, Reference { many: true, .. }, Value::String(_) | Value::Number(_)) => list(value.clone()),
        (Boolean, Choice { many: true, .. }, Value::Bool(value)) => list(value.to_string().into()),
        (Choice { many: true, .. }, Text { .. }, Value::Array(items)) if items.is_empty() => {
            Value::String(String::new())
        }
        (
            Choice { many: true, .. } | Reference { many: true, .. },
            Choice { many: true, .. } | Reference { many: true, .. } | Json { .. },
            _,
        ) => return None,
        (Choice { many: true, .. } | Reference { many: true, .. }, _, Value::Array(items)) => match items.as_slice() {
            [] => Value::Null,
            [one] => one.clone(),
            _ => return None,
        },
        (Boolean, Text { .. } | Choice { many: false, .. }, Value::Bool(value)) => Value::String(value.to_string()),
        (Boolean, Integer { .. } | Decimal { .. }, Value::Bool(value)) => Value::from(i64::from(*value)),
        // A day is its midnight, and that is the day.
        (Datetime, Date, Value::String(moment)) => Value::String(moment.strip_suffix(MIDNIGHT)?.to_owned()),
        // Zeros at the end of a fraction say nothing.
        (
            Decimal { .. },
            Decimal { .. } | Integer { .. } | Boolean | Reference { many: false, .. },
            Value::String(text),
        ) if text.contains('.') => Value::String(text.trim_end_matches('0').trim_end_matches('.').to_owned()),
        _ => return None,
    };
    Some(shaped.into())
}

/// What is wrong with a value, and behind it what can be done about that, where the field is of another kind than before.
fn with_way(from: &FieldType, to: &Field, value: &Value, errors: Vec<FieldError>) -> Vec<FieldError> {
    let Some(way) = way(from, &to.kind, value) else { return errors };
    let told = |error: FieldError| FieldError { message: format!("{} {way}", error.message), ..error };
    errors.into_iter().map(told).collect()
}

const ROUND: &str = "Convert it with \"round\" if that may go.";

/// How a value that does not fit can be carried over.
fn way(from: &FieldType, to: &FieldType, value: &Value) -> Option<&'static str> {
    use FieldType::{Boolean, Choice, Date, Datetime, Decimal, Email, Integer, Json, Reference, Text, Url};
    let is_text =
        value.is_string() && matches!(from, Text { .. } | Email | Url | Choice { many: false, .. } | Json { .. });
    let many = |kind: &FieldType| matches!(kind, Choice { many: true, .. } | Reference { many: true, .. });
    Some(match (from, to) {
        _ if value.is_null() => {
            if std::mem::discriminant(from) == std::mem::discriminant(to) && many(from) == many(to) {
                return None;
            }
            "Say by \"value\" what stands there instead, or by {\"default\": value} in \"convert\"."
        }
        (Decimal { places: was, .. }, Decimal { places: now, .. }) if was == now => return None,
        (Decimal { .. }, Integer { .. } | Decimal { .. }) => ROUND,
        (_, Decimal { places: Some(places), .. }) if is_text && has_more_places(value, *places) => ROUND,
        (_, Integer { .. }) if is_text && has_more_places(value, 0) => ROUND,
        (_, Integer { .. } | Decimal { .. }) if is_text => "Convert it with \"number\" if that is meant.",
        (Datetime, Date) => "Convert it with \"date\" if the time of day may go.",
        (_, Date | Datetime) if is_text => {
            "Convert it with {\"date\": \"DD.MM.YYYY\"}, or as it is written there; an offset goes with \"date\"."
        }
        (Choice { .. } | Text { .. } | Email | Url | Json { .. } | Integer { .. } | Decimal { .. }, Boolean) => {
            "Convert it with \"boolean\" if that is meant, or with a \"map\"."
        }
        (Choice { many: true, .. }, Choice { many: true, .. }) | (Reference { .. }, Reference { many: true, .. }) => {
            return None;
        }
        (_, Choice { many: false, .. } | Reference { many: false, .. })
            if value.as_array().is_some_and(|it| it.len() > 1) =>
        {
            "Convert it with \"first\" if the others may go."
        }
        (_, Text { .. }) if !value.is_string() => "Convert it with \"text\" if that is meant.",
        (was, now) if std::mem::discriminant(was) != std::mem::discriminant(now) || many(was) != many(now) => {
            "Convert it with a \"map\", or say what becomes of what does not fit: {\"default\": value} or \"null\"."
        }
        _ => return None,
    })
}

/// Whether a text is a number with more digits after its point.
fn has_more_places(value: &Value, places: u32) -> bool {
    value.as_str().and_then(parse_decimal).is_some_and(|number| number.normalize().scale() > places)
}
