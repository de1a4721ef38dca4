//! What a definition says of a conversion.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::date;
use crate::{problem::FieldError, reader::invalid};

/// Steps, one after the other.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conversion(pub Vec<ConversionStep>);

/// One step of a conversion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ConversionStep {
    /// One that is a word.
    Word(Word),
    /// One that says more.
    With(With),
}

/// A step that is a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Word {
    /// Texts lose the spaces at their ends.
    Trim,
    /// Texts are put into small letters.
    Lower,
    /// Texts are read as numbers, with spaces, separators and leading zeros. All values of a field are read in one way.
    Number,
    /// Numbers are rounded to the places that the field has; halves go away from zero.
    Round,
    /// Moments lose their time of day, in UTC; of texts it is read, whatever their offset.
    Date,
    /// Words such as `yes` and `off` are truth values, 0 is false, and all other numbers are true.
    Boolean,
    /// What is no text is written as one; items of a list with a comma between them.
    Text,
    /// Of several items the first stays.
    First,
    /// What does not fit becomes null.
    Null,
}

/// A step that says more than a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum With {
    /// Texts are read as numbers whose fraction begins with this.
    Number(Mark),
    /// Texts are read as days or moments of this pattern: `YYYY`, `MM`, `DD`, `hh`, `mm`, `ss`, and what stands between them.
    Date(String),
    /// Values are replaced, by their text.
    Map(BTreeMap<String, Value>),
    /// What does not fit becomes this.
    Default(Value),
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

impl From<Word> for ConversionStep {
    fn from(word: Word) -> Self {
        Self::Word(word)
    }
}

impl From<With> for ConversionStep {
    fn from(with: With) -> Self {
        Self::With(with)
    }
}

/// What stands before the fraction of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Mark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
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
                    "Use \"trim\", \"lower\", \"number\", {\"number\": \"point\"}, {\"number\": \"comma\"}, \"round\", \"date\", {\"date\": \"DD.MM.YYYY\"}, \"boolean\", \"text\", \"first\", {\"map\": {\"old\": \"new\"}}, {\"default\": value} or \"null\", or a list of these.",
                )
            })?;
            match &step {
                ConversionStep::With(With::Date(pattern)) if !date::is_pattern(pattern) => {
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
            ConversionStep::With(With::Default(value)) => Some(value.clone()),
            ConversionStep::Word(Word::Null) => Some(Value::Null),
            _ => None,
        })
    }

    /// Whether the values of a field have to say in which way their numbers are written.
    pub fn asks_for_mark(&self) -> bool {
        self.0.contains(&Word::Number.into())
    }

    /// The same where numbers are written with `mark` before a fraction.
    #[must_use]
    pub fn with_mark(self, mark: Mark) -> Self {
        let decided = |step| if step == Word::Number.into() { With::Number(mark).into() } else { step };
        Self(self.0.into_iter().map(decided).collect())
    }
}
