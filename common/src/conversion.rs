//! How values become values of a field that is defined otherwise. What loses nothing happens by itself; what could lose something has
//! to be asked for, by a [`Conversion`].

mod date;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    field::{Field, FieldType},
    json::{Exact, Literal},
    problem::FieldError,
    reader::invalid,
    record::Member,
    validate::{Ends, check_member},
};

/// Steps, one after the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conversion(pub Vec<ConversionStep>);

/// One step of a conversion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ConversionStep {
    /// Texts lose the spaces at their ends.
    Trim,
    /// Texts are put into small letters.
    Lower,
    /// Texts are read as numbers, with spaces, separators and leading zeros.
    Number,
    /// Texts are read as days or moments of this pattern: `YYYY`, `MM`, `DD`, `hh`, `mm`, `ss`, and what stands between them.
    Date(String),
    /// Values are replaced, by their text.
    Map(BTreeMap<String, Value>),
    /// What does not fit becomes this.
    Default(Value),
    /// What does not fit becomes null.
    Null,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Conversion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Conversion".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let step = generator.subschema_for::<ConversionStep>();
        schemars::json_schema!({"anyOf": [step, {"type": "array", "items": step}]})
    }
}

impl Conversion {
    /// Reads one step, or a list of them.
    pub fn read(value: Value) -> Result<Self, FieldError> {
        let steps = match value {
            Value::Array(steps) => steps,
            step => vec![step],
        };
        let read = |step| {
            let step = serde_json::from_value(step).map_err(|_| {
                invalid(
                    "Use \"trim\", \"lower\", \"number\", {\"date\": \"DD.MM.YYYY\"}, {\"map\": {\"old\": \"new\"}}, {\"default\": value} or \"null\", or a list of these.",
                )
            })?;
            match &step {
                ConversionStep::Date(pattern) if !date::is_pattern(pattern) => {
                    Err(invalid("A pattern has YYYY, MM and DD in it, and may have hh, mm and ss."))
                }
                _ => Ok(step),
            }
        };
        steps.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// What becomes of what does not fit; `None` where nothing was said.
    pub fn fallback(&self) -> Option<Value> {
        self.0.iter().rev().find_map(|step| match step {
            ConversionStep::Default(value) => Some(value.clone()),
            ConversionStep::Null => Some(Value::Null),
            _ => None,
        })
    }
}

/// Makes a value of a field of type `from` a value of `to`; `convert` says how, where something may be lost.
pub fn carry_over(
    from: &FieldType,
    to: &Field,
    convert: &Conversion,
    member: Member<'_>,
) -> Result<Exact, Vec<FieldError>> {
    let mut value = Exact::from(member);
    let mut may_lose = false;
    for step in &convert.0 {
        if let Some(converted) = step.apply(&value) {
            value = converted.into();
        }
        may_lose |= matches!(step, ConversionStep::Number);
    }
    match fit(from, to, may_lose, &value) {
        Err(errors) => convert.fallback().map_or(Err(errors), |fallback| Ok(fallback.into())),
        fitting => fitting,
    }
}

fn fit(from: &FieldType, to: &Field, may_lose: bool, value: &Exact) -> Result<Exact, Vec<FieldError>> {
    let shaped = reshape(from, &to.kind, value);
    let shaped = shaped.as_ref().unwrap_or(value);
    let checked = check_member(to, Member { value: shaped, text: shaped.text() }, Ends::Kept)?;
    if let (FieldType::Text { .. }, Some(text), false) = (from, shaped.as_str(), may_lose)
        && !keeps_digits(&to.kind, text, &checked)
    {
        return Err(vec![invalid(
            "This text would lose something as a number. Convert it with \"number\" if that is meant.",
        )]);
    }
    Ok(if matches!(to.kind, FieldType::Json { .. }) { shaped.clone() } else { checked.into() })
}

/// Whether a text says nothing beyond the number that was read from it.
fn keeps_digits(kind: &FieldType, text: &str, number: &Value) -> bool {
    let trimmed = |text: &str| {
        let is_fraction = text.contains('.');
        if is_fraction { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    match (kind, number) {
        (FieldType::Integer { .. }, Value::Number(number)) => number.to_string() == text,
        (FieldType::Decimal { .. }, Value::String(number)) => trimmed(number) == trimmed(text),
        _ => true,
    }
}

/// What a type's values look like as values of another.
fn reshape(from: &FieldType, to: &FieldType, value: &Value) -> Option<Exact> {
    let shaped = match (from, to, value) {
        (_, FieldType::Choice { many: true, .. }, Value::String(text)) if text.is_empty() => Value::Array(Vec::new()),
        (_, FieldType::Choice { many: true, .. }, Value::String(_))
        | (_, FieldType::Reference { many: true, .. }, Value::String(_) | Value::Number(_)) => {
            Value::Array(vec![value.clone()])
        }
        (
            FieldType::Choice { many: true, .. },
            FieldType::Choice { many: false, .. } | FieldType::Text { .. },
            Value::Array(items),
        )
        | (FieldType::Reference { many: true, .. }, FieldType::Reference { many: false, .. }, Value::Array(items)) => {
            match items.as_slice() {
                [] => Value::Null,
                [one] => one.clone(),
                _ => return None,
            }
        }
        (FieldType::Boolean, FieldType::Text { .. } | FieldType::Choice { many: false, .. }, Value::Bool(value)) => {
            Value::String(value.to_string())
        }
        (_, FieldType::Reference { many: true, .. }, Value::Null) => Value::Array(Vec::new()),
        // Zeros at the end of a fraction say nothing.
        (FieldType::Decimal { .. }, FieldType::Decimal { .. } | FieldType::Integer { .. }, Value::String(text))
            if text.contains('.') =>
        {
            Value::String(text.trim_end_matches('0').trim_end_matches('.').to_owned())
        }
        _ => return None,
    };
    Some(shaped.into())
}

impl ConversionStep {
    /// What becomes of a value, if anything does.
    fn apply(&self, value: &Value) -> Option<Value> {
        if let Value::Array(items) = value
            && matches!(self, Self::Trim | Self::Lower | Self::Map(_))
        {
            return Some(items.iter().map(|item| self.apply(item).unwrap_or_else(|| item.clone())).collect());
        }
        match (self, value) {
            (Self::Trim, Value::String(text)) => Some(text.trim().into()),
            (Self::Lower, Value::String(text)) => Some(text.to_lowercase().into()),
            (Self::Number, Value::String(text)) => number(text).map(Value::String),
            (Self::Number, Value::Bool(value)) => Some(i64::from(*value).into()),
            (Self::Date(pattern), Value::String(text)) => date::read(pattern, text).map(Value::String),
            (Self::Map(map), Value::Null) => map.get("null").or_else(|| map.get("")).cloned(),
            (Self::Map(map), Value::String(text)) => map.get(text).cloned(),
            (Self::Map(map), other) => map.get(&other.to_string()).cloned(),
            _ => None,
        }
    }
}

/// A number as people write it: `1,234.50`, `1.234,50`, `1 234`, `007`. A single separator with other than three digits behind it, or
/// after a zero, stands before a fraction.
fn number(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '_' | '\u{a0}')).collect();
    let last = compact.rfind(['.', ',']);
    let separators = |sought: char| compact.chars().filter(|c| *c == sought).count();
    let plain = match last {
        None => compact.clone(),
        Some(at) => {
            let mark = if compact[at..].starts_with(',') { ',' } else { '.' };
            let other = if mark == ',' { '.' } else { ',' };
            let is_thousands = separators(mark) > 1
                || (mark == ',' && separators(other) == 0 && compact.len() - at == 4 && !compact.starts_with("0,"));
            if is_thousands {
                compact.replace([mark, other], "")
            } else {
                compact[..at].replace([mark, other], "") + "." + &compact[at + 1..]
            }
        }
    };
    let literal = Literal::read(plain.trim_start_matches('+'))?;
    literal.to_plain(40)
}

#[cfg(test)]
mod tests;
