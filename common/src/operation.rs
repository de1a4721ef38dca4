//! Operations: work that the server does in the background, in pieces, for as long as it takes.

mod state;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answer::JsonAnswer,
    collection::Collection,
    duration::{self, DurationError},
    field::{Field, FieldType},
    id::{OperationId, RecordId, UserId},
    import::Import,
    people,
    problem::{FieldError, FieldErrors},
    reader::{Body, Reader, invalid},
    text,
};

pub use state::OperationState;

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Removes old entries of the journal.
    TrimChanges,
    /// Undoes a large operation.
    Revert,
    /// Checks records against a changed definition, and writes them anew after it.
    Redefine,
    /// Writes the rows of a file.
    Import,
    /// Removes what a deleted collection left.
    DeleteCollection,
    /// Deletes a record with more than one commit takes, children first.
    DeleteRecord,
    /// Erases something from the journal.
    Erase,
    /// Applies a migration, or takes one back: its steps, one after another.
    Migrate,
    /// Changes or deletes records as a step of a migration says.
    ChangeRecords,
    /// Removes sessions whose tokens have all expired. It recurs and is in no list.
    SweepSessions,
    /// Removes the records of operations that ended long ago. It recurs and is in no list.
    SweepOperations,
    /// Removes the answers that keys of requests have kept long enough. It recurs and is in no list.
    SweepKeys,
    /// Removes what indexes left that are gone. It recurs and is in no list.
    SweepIndexes,
    /// Removes from histories what definitions do not keep. It recurs and is in no list.
    TrimHistory,
}

/// Records that do not fit a changed definition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InvalidRecords {
    /// How many records.
    pub count: u64,
    /// What is wrong with the first of them.
    pub examples: Vec<Misfit>,
}

/// What is wrong with one field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Misfit {
    /// The record.
    pub id: RecordId,
    /// The field, by the name that it is to have.
    pub field: String,
    /// What is wrong, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

impl fmt::Display for InvalidRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let does = if self.count == 1 { "does" } else { "do" };
        write!(f, "{} {does} not fit the new definition.", text::count(self.count, "record"))?;
        match self.examples.first() {
            Some(first) => write!(f, " The first is {}, {}: {}", first.id, first.field, first.message),
            None => Ok(()),
        }
    }
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Operation {
    /// Names it for ever; ids rise with the time of the start.
    pub id: OperationId,
    /// The kind of the operation.
    pub kind: OperationKind,
    /// How it stands.
    pub state: OperationState,
    /// How many entries are done.
    pub done: u64,
    /// How many there are to do, as counted when the work was taken up; null where nobody counted.
    pub of: Option<u64>,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub started_at: String,
    /// RFC 3339, UTC; null while it is not over.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub ended_at: Option<String>,
    /// The user who started it; null for the command line.
    pub by: Option<UserId>,
    /// Why it failed; null unless it did.
    pub error: Option<String>,
    /// Records that do not fit, where it checks any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misfits: Option<InvalidRecords>,
    /// What became of the rows of a file, where it imports one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Box<Import>>,
}

impl JsonAnswer for Operation {}

/// The operations as a table: what their list can be searched, filtered and ordered by.
pub fn table() -> Collection {
    let nullable = |field| Field { nullable: true, ..field };
    people::table(
        "operations",
        vec![
            people::field("kind", people::TEXT),
            people::field("state", people::TEXT),
            people::field("started_at", FieldType::Datetime),
            nullable(people::field("ended_at", FieldType::Datetime)),
        ],
    )
}

/// The wish to have the journal trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct TrimChanges {
    /// Entries that are younger than this stay. Sent with its unit: `90d`.
    #[cfg_attr(feature = "schema", schemars(with = "Age"))]
    pub older_than: Duration,
}

/// A duration with its unit, such as `90d`.
#[cfg(feature = "schema")]
struct Age;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Age {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Age".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": duration::pattern()})
    }
}

impl Body for TrimChanges {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let older_than = reader.required("older_than").and_then(|value| {
            match value.as_str().map_or(Err(DurationError::Malformed), duration::parse_duration) {
                Ok(age) => Some(age),
                Err(error @ DurationError::TooLong) => {
                    reader.fail("older_than", FieldError::new("max_value", sentence(&error)))
                }
                Err(error @ DurationError::Zero) => {
                    reader.fail("older_than", FieldError::new("min_value", sentence(&error)))
                }
                Err(error) => reader.fail("older_than", invalid(sentence(&error))),
            }
        });
        let errors = reader.finish();
        match older_than {
            Some(older_than) => errors.or(Self { older_than }),
            None => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!({"older_than": format!("{}s", self.older_than.as_secs())})
    }
}

/// What is wrong, as a request is told it.
fn sentence(error: &DurationError) -> String {
    let told = error.to_string();
    let mut letters = told.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_unit() {
        let days = |days: u64| Duration::from_hours(24 * days);
        for (text, duration) in [
            ("90d", days(90)),
            ("2w", days(14)),
            ("12h", Duration::from_hours(12)),
            ("1h 30m", Duration::from_mins(90)),
        ] {
            let wish = TrimChanges::from_json(json!({"older_than": text})).unwrap();
            assert_eq!(wish.older_than, duration);
            assert_eq!(TrimChanges::from_json(wish.to_json()), Ok(wish));
        }
        for bad in [
            json!("90"),
            json!(90),
            json!("0"),
            json!("0s"),
            json!("1.5h"),
            json!("12345678901s"),
            json!("10M"),
            json!("-1d"),
            json!(""),
            json!("d"),
            json!(null),
        ] {
            assert!(TrimChanges::from_json(json!({"older_than": bad})).is_err(), "{bad}");
        }
        assert!(TrimChanges::from_json(json!({})).unwrap_err().0.contains_key("older_than"));
    }
}
