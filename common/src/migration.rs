//! Migrations: named changes of collections and of what stands in them, kept in files and applied in order. A server knows which were
//! applied. What a step says is read where it is done; here it is an object.

#[cfg(feature = "files")]
mod file;
mod listed;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    Object,
    answer::JsonAnswer,
    collection::DryRun,
    id::{OperationId, UserId},
    json::type_name,
    name::CollectionName,
    operation::Operation,
    problem::{FieldError, FieldErrors},
    query::{Pairs, Query, flags, read_each, truth},
    reader::{Body, Reader, invalid},
    schema::described_as_text,
    undo::Changed,
};

#[cfg(feature = "files")]
pub use self::file::{ENDINGS, read_file, read_object};
pub use self::listed::{Listed, listed, summary};

/// Steps of one migration at most.
pub const MAX_STEPS: usize = 500;

/// The name of a migration within its folder: a number of four digits, and words: `0003_add_price`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MigrationName(String);

/// A text is not the name of a migration.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("A migration is named by four digits and words of a to z, 0 to 9 and _: 0003_add_price.")]
pub struct InvalidMigrationName;

impl MigrationName {
    /// Letters of a name at most.
    pub const MAX_LENGTH: usize = 100;

    /// A name of a number and words.
    pub fn new(number: u32, words: &str) -> Result<Self, InvalidMigrationName> {
        format!("{number:04}_{words}").parse()
    }

    /// The number that it begins with.
    pub fn number(&self) -> u32 {
        self.0.get(..4).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MigrationName {
    type Err = InvalidMigrationName;

    fn from_str(text: &str) -> Result<Self, InvalidMigrationName> {
        let (digits, words) = text.split_once('_').ok_or(InvalidMigrationName)?;
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_name = digits.len() == 4
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !words.is_empty()
            && text.len() <= Self::MAX_LENGTH
            && words.bytes().all(is_word);
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidMigrationName) }
    }
}

impl TryFrom<String> for MigrationName {
    type Error = InvalidMigrationName;

    fn try_from(text: String) -> Result<Self, InvalidMigrationName> {
        text.parse()
    }
}

impl From<MigrationName> for String {
    fn from(name: MigrationName) -> Self {
        name.0
    }
}

impl fmt::Display for MigrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

described_as_text!(MigrationName, "pattern": "^[0-9]{4}_[a-z0-9_]{1,95}$");

/// Which migration: its folder, which is the name that its collection had first, and its name there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MigrationId {
    /// The folder.
    pub collection: CollectionName,
    /// The name there.
    pub name: MigrationName,
}

impl FromStr for MigrationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (collection, name) =
            text.split_once('/').ok_or("Name a migration with its folder: snacks/0003_add_price.")?;
        let collection = collection.parse().map_err(|error: crate::name::InvalidName| error.to_string())?;
        Ok(Self { collection, name: name.parse().map_err(|error: InvalidMigrationName| error.to_string())? })
    }
}

impl TryFrom<String> for MigrationId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MigrationId> for String {
    fn from(id: MigrationId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.collection, self.name)
    }
}

described_as_text!(MigrationId, "pattern": "^[a-z][a-z0-9_]{0,62}/[0-9]{4}_[a-z0-9_]{1,95}$");

/// A migration as a file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Migration {
    /// The folder: the name that the collection had first.
    pub collection: CollectionName,
    /// Its name there.
    pub name: MigrationName,
    /// What has to be applied before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<MigrationId>,
    /// What it does, in order.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_STEPS)))]
    pub steps: Vec<Object>,
}

impl Migration {
    /// Which one it is.
    pub fn id(&self) -> MigrationId {
        MigrationId { collection: self.collection.clone(), name: self.name.clone() }
    }
}

impl Body for Migration {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let (collection, name) = (reader.parsed("collection"), reader.parsed("name"));
        let after = reader.list("after").unwrap_or_default();
        let mut steps = Vec::new();
        match reader.take("steps") {
            None => {}
            Some(Value::Array(items)) if items.len() > MAX_STEPS => {
                let message = format!("A migration has at most {MAX_STEPS} steps.");
                reader.errors.push("steps", FieldError::new("max_length", message));
            }
            Some(Value::Array(items)) => {
                for (i, item) in items.into_iter().enumerate() {
                    match item {
                        Value::Object(step) => steps.push(step),
                        _ => reader.errors.push(format!("steps.{i}"), invalid("A step is an object.")),
                    }
                }
            }
            Some(other) => {
                let message = format!("Expected a list of items but got type \"{}\".", type_name(&other));
                reader.errors.push("steps", FieldError::new("not_a_list", message));
            }
        }
        let errors = reader.finish();
        match (collection, name) {
            (Some(collection), Some(name)) => errors.or(Self { collection, name, after, steps }),
            _ => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

/// How a migration that a server knows of stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MigrationState {
    /// It is being applied.
    Applying,
    /// It was applied.
    Applied,
    /// It is being taken back.
    Reverting,
}

/// A migration that a server knows of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AppliedMigration {
    /// As the file had it.
    #[serde(flatten)]
    pub migration: Migration,
    /// How it stands.
    pub state: MigrationState,
    /// It was noted as applied, and not done: what it says had been done by hand.
    pub recorded: bool,
    /// SHA-256 of what it says, in hexadecimal digits: a file with another one was changed since.
    pub digest: String,
    /// When it was applied or noted: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// The user who had it applied; null for the command line.
    pub by: Option<UserId>,
    /// The work that applied it or takes it back; null where it was noted.
    pub operation: Option<OperationId>,
}

impl JsonAnswer for AppliedMigration {}

/// What one step would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepPlan {
    /// What it does, in words.
    pub step: String,
    /// What it would do to records; null where that cannot be said before the steps ahead of it are done.
    pub dry_run: Option<DryRun>,
    /// Why it cannot be taken back later, or not all of it; null where it can.
    pub irreversible: Option<String>,
}

/// What a migration would do, or taking it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MigrationPlan {
    /// Which one.
    pub migration: MigrationId,
    /// Its steps, in the order in which they would be done.
    pub steps: Vec<StepPlan>,
}

/// The answer to applying a migration, or to taking one back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum MigrationAnswer {
    /// It is under way: how far.
    Begun(Box<Operation>),
    /// Nothing was done: what would be.
    WouldBe(Box<MigrationPlan>),
    /// It is applied; or, where it was taken back, what it was.
    Done(Box<AppliedMigration>),
}

impl JsonAnswer for MigrationAnswer {}

/// The parameters of applying a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApplyQuery {
    /// Nothing is done; it is told what would be.
    pub dry_run: bool,
    /// It is noted as applied, and not done.
    pub record: bool,
    /// Where it is noted, the server adds what no definition says: what records got in new fields, and how values were converted. The answer
    /// has the migration as it is noted.
    pub complete: bool,
}

impl Query for ApplyQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        read_each(pairs, |query: &mut Self, name, value| {
            let flag = match name {
                "dry_run" => &mut query.dry_run,
                "record" => &mut query.record,
                "complete" => &mut query.complete,
                _ => return None,
            };
            Some(truth(flag, value))
        })
    }

    fn to_pairs(&self) -> Pairs {
        flags([("dry_run", self.dry_run), ("record", self.record), ("complete", self.complete)])
    }
}

/// The parameters of taking a migration back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RevertMigrationQuery {
    /// Nothing is done; it is told what would be.
    pub dry_run: bool,
    /// What becomes of what was changed since.
    pub changed: Changed,
}

impl Query for RevertMigrationQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        read_each(pairs, |query: &mut Self, name, value| match name {
            "dry_run" => Some(truth(&mut query.dry_run, value)),
            "changed" => Some(query.changed.take(value)),
            _ => None,
        })
    }

    fn to_pairs(&self) -> Pairs {
        flags([("dry_run", self.dry_run)]).into_iter().chain(self.changed.to_pairs()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn a_name_has_four_digits_and_words() {
        assert_eq!("0003_add_price".parse::<MigrationName>().unwrap().number(), 3);
        for bad in ["", "3_add", "0003", "0003_", "0003_Add", "00003_add", "0003-add", "../x", "0003_a/b", "٠٠٠٣_add"]
        {
            assert!(bad.parse::<MigrationName>().is_err(), "{bad}");
        }
        assert_eq!("snacks/0003_add".parse::<MigrationId>().unwrap().to_string(), "snacks/0003_add");
        for bad in ["0003_add", "snacks/", "/0003_add", "Snacks/0003_add", "a/b/0003_add"] {
            assert!(bad.parse::<MigrationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn queries_read_back_as_they_were_written() {
        for raw in ["dry_run=true", "record=true&complete=true"] {
            assert_eq!(encode(&ApplyQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
        for raw in ["dry_run=true", "changed=skip", "dry_run=true&changed=overwrite"] {
            assert_eq!(encode(&RevertMigrationQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
        assert!(ApplyQuery::from_pairs(decode("changed=skip")).is_err());
        assert!(RevertMigrationQuery::from_pairs(decode("changed=no")).is_err());
    }
}
