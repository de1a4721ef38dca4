//! How much of the history of a collection's records is kept.

use std::{fmt::Write as _, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value, json};

use crate::{
    duration::{DurationError, parse_duration},
    problem::{FieldError, FieldErrors},
    reader::{Reader, invalid},
};

/// How much of the history of a collection's records is kept. Whatever it says, what is younger than [`History::SAFE`] is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// All of it.
    All,
    /// Nothing.
    Nothing,
    /// Up to some limits.
    Limited(Limits),
}

/// Limits to a history: what is beyond any of them goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Changes of a record at most, the latest.
    pub versions: Option<u32>,
    /// How old a change may be.
    pub age: Option<Duration>,
}

/// What is wrong with a history that is none of these.
const FORM: &str = "This is \"all\", \"none\", or limits such as {\"versions\": 1000, \"age\": \"365d\"}.";

impl Default for History {
    /// That of a new collection.
    fn default() -> Self {
        Self::Limited(Limits { versions: Some(1000), age: Some(Duration::from_hours(24 * 365)) })
    }
}

impl History {
    /// What is younger is always kept, so that everything can be undone for a day.
    pub const SAFE: Duration = Duration::from_hours(24);

    /// That of collections that were made before there were limits.
    pub const fn all() -> Self {
        Self::All
    }

    /// Reads it; errors stand under `history` and its members.
    pub fn read(value: Value, errors: &mut FieldErrors) -> Option<Self> {
        match &value {
            Value::String(word) if word == "all" => return Some(Self::All),
            Value::String(word) if word == "none" => return Some(Self::Nothing),
            Value::Object(limits) if !limits.is_empty() => {}
            _ => {
                errors.push("history", invalid(FORM));
                return None;
            }
        }
        let mut wrong = FieldErrors::new();
        let Ok(mut reader) = Reader::new(value) else { return None };
        let versions = reader.take("versions").and_then(|value| {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
            if number.is_none() {
                wrong.push("versions", invalid("This is a whole number from 1 to 4294967295."));
            }
            number
        });
        let age = reader.take("age").and_then(|value| match value.as_str().map(parse_duration) {
            Some(Ok(age)) => Some(age),
            Some(Err(error)) => {
                let code = match error {
                    DurationError::Zero => "min_value",
                    DurationError::TooLong => "max_value",
                    _ => "invalid",
                };
                wrong.push("age", FieldError::new(code, format!("This is no time: {error}.")));
                None
            }
            None => {
                wrong.push("age", invalid("This is a time with its unit, such as \"365d\"."));
                None
            }
        });
        wrong.append(reader.finish());
        let is_fine = wrong.is_empty();
        errors.nest("history", wrong);
        is_fine.then_some(Self::Limited(Limits { versions, age }))
    }

    /// As one line that people edit: `all`, `none`, `1000 versions, 365d`.
    pub fn to_line(self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Nothing => "none".to_owned(),
            Self::Limited(Limits { versions, age }) => {
                let versions = versions.map(|versions| format!("{versions} versions"));
                versions.into_iter().chain(age.map(short)).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// What a line says, as it is sent. A line that says something else is sent as it is, and refused.
    pub fn line_to_json(line: &str) -> Value {
        let mut limits = Map::new();
        for part in line.split(',').map(str::trim) {
            let versions = part.strip_suffix("versions").or_else(|| part.strip_suffix("version"));
            match versions.map(|number| number.trim().parse::<u64>()) {
                Some(Ok(number)) => limits.insert("versions".to_owned(), number.into()),
                None if parse_duration(part).is_ok() => limits.insert("age".to_owned(), part.into()),
                _ => return line.trim().into(),
            };
        }
        Value::Object(limits)
    }
}

/// A time in its largest unit that it is a whole number of.
fn short(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let (size, unit) = units.into_iter().find(|(size, _)| seconds.is_multiple_of(*size)).unwrap_or((1, 's'));
    let mut text = String::new();
    let _ = write!(text, "{}{unit}", seconds / size);
    text
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self {
            Self::All => json!("all"),
            Self::Nothing => json!("none"),
            Self::Limited(Limits { versions, age }) => {
                let versions = versions.map(|versions| ("versions".to_owned(), json!(versions)));
                let age = age.map(|age| ("age".to_owned(), json!(short(age))));
                Value::Object(versions.into_iter().chain(age).collect())
            }
        };
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for History {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(value, &mut FieldErrors::new()).ok_or_else(|| D::Error::custom("not a history"))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for History {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "History".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let versions = json!({"type": "integer", "minimum": 1, "maximum": u32::MAX});
        let age = json!({"type": "string", "pattern": crate::duration::pattern()});
        let limits = |required: &str| {
            json!({"type": "object", "properties": {"versions": versions, "age": age},
                "required": [required], "additionalProperties": false})
        };
        schemars::json_schema!({"anyOf": [
            {"type": "string", "enum": ["all", "none"]}, limits("versions"), limits("age"),
        ]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> Result<History, Vec<String>> {
        let mut errors = FieldErrors::new();
        History::read(value, &mut errors).ok_or_else(|| errors.0.into_keys().collect())
    }

    #[test]
    fn a_history_reads_back_as_it_was_written() {
        for value in [
            json!("all"),
            json!("none"),
            json!({"versions": 1000, "age": "365d"}),
            json!({"versions": 1}),
            json!({"age": "90m"}),
        ] {
            let history = read(value.clone()).unwrap();
            assert_eq!(json!(history), value);
            assert_eq!(serde_json::from_value::<History>(value.clone()).unwrap(), history);
            let line = history.to_line();
            assert_eq!(History::line_to_json(&line), value, "{line}");
        }
        assert_eq!(History::default().to_line(), "1000 versions, 365d");
        assert_eq!(History::line_to_json(" 1 version "), json!({"versions": 1}));
        assert_eq!(History::line_to_json("some"), json!("some"));
    }

    #[test]
    fn what_is_no_history_is_refused_where_it_is_wrong() {
        for (value, due) in [
            (json!("some"), "history"),
            (json!(3), "history"),
            (json!({}), "history"),
            (json!(null), "history"),
            (json!({"versions": 0}), "history.versions"),
            (json!({"versions": "3"}), "history.versions"),
            (json!({"versions": 5_000_000_000_u64}), "history.versions"),
            (json!({"age": "90"}), "history.age"),
            (json!({"age": 90}), "history.age"),
            (json!({"age": "90d", "size": 3}), "history.size"),
        ] {
            assert_eq!(read(value.clone()), Err(vec![due.to_owned()]), "{value}");
        }
    }
}
