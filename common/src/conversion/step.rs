//! What one step of a conversion makes of a value.

use rust_decimal::RoundingStrategy;
use serde_json::Value;

use super::{
    date,
    definition::{ConversionStep, Mark, With, Word},
    number,
};
use crate::{
    field::FieldType,
    validate::{canonical_date, canonical_datetime, parse_decimal, truth},
};

impl ConversionStep {
    /// Whether it may take something away from a value.
    pub(super) fn may_lose(&self) -> bool {
        match self {
            Self::Word(word) => !matches!(word, Word::Trim | Word::Lower | Word::Null),
            Self::With(with) => matches!(with, With::Number(_) | With::Date(_)),
        }
    }

    /// What becomes of a value of a field that is to be `to`, if anything does.
    pub(super) fn apply(&self, to: &FieldType, value: &Value) -> Option<Value> {
        match self {
            Self::Word(word) => word.apply(to, value),
            Self::With(with) => with.apply(value),
        }
    }
}

impl Word {
    fn apply(self, to: &FieldType, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Trim | Self::Lower, Value::Array(items)) => {
                Some(items.iter().map(|item| self.apply(to, item).unwrap_or_else(|| item.clone())).collect())
            }
            (Self::Trim, Value::String(text)) => Some(text.trim().into()),
            (Self::Lower, Value::String(text)) => Some(text.to_lowercase().into()),
            // What could be read in two ways was refused before.
            (Self::Number, Value::String(text)) => number::read(text, Mark::Point).map(Value::String),
            (Self::Number, Value::Bool(value)) => Some(i64::from(*value).into()),
            (Self::Round, value) => round(to, value),
            (Self::Date, Value::String(text)) => match to {
                FieldType::Datetime => canonical_datetime(text).map(Value::String),
                _ => canonical_date(text)
                    .or_else(|| canonical_datetime(text)?.get(..10).map(str::to_owned))
                    .map(Value::String),
            },
            (Self::Boolean, value) => is_true(value).map(Value::Bool),
            (Self::Text, Value::Array(items)) => {
                let items: Vec<String> = items.iter().map(as_text).collect();
                Some(items.join(", ").into())
            }
            (Self::Text, Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Some(as_text(value).into()),
            (Self::First, Value::Array(items)) => Some(items.first().cloned().unwrap_or_default()),
            _ => None,
        }
    }
}

impl With {
    fn apply(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Map(_), Value::Array(items)) => {
                Some(items.iter().map(|item| self.apply(item).unwrap_or_else(|| item.clone())).collect())
            }
            (Self::Number(mark), Value::String(text)) => number::read(text, *mark).map(Value::String),
            (Self::Number(_), Value::Bool(value)) => Some(i64::from(*value).into()),
            (Self::Date(pattern), Value::String(text)) => date::read(pattern, text).map(Value::String),
            (Self::Map(map), Value::Null) => map.get("null").or_else(|| map.get("")).cloned(),
            (Self::Map(map), Value::String(text)) => map.get(text).cloned(),
            (Self::Map(map), other) => map.get(&other.to_string()).cloned(),
            _ => None,
        }
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A number with no more places than a field has.
fn round(to: &FieldType, value: &Value) -> Option<Value> {
    let places = match to {
        FieldType::Integer { .. } => 0,
        FieldType::Decimal { places, .. } => (*places)?,
        _ => return None,
    };
    let number = match value {
        Value::String(text) => parse_decimal(text)?,
        Value::Number(number) => parse_decimal(&number.to_string())?,
        _ => return None,
    };
    let rounded = number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    Some(rounded.normalize().to_string().into())
}

/// What a value says as a truth value.
fn is_true(value: &Value) -> Option<bool> {
    match value {
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(text) => truth(value.into()).ok().or_else(|| Some(!parse_decimal(text.trim())?.is_zero())),
        _ => None,
    }
}
