//! Indexes over several fields, as a definition has them.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Collection, fields::read_unique, server_fields::server_field};
use crate::{
    field::Unique,
    json::type_name,
    problem::{FieldError, FieldErrors},
    reader::{Reader, invalid, required},
    text::single_line,
};

/// Fields of one index at most.
pub const MAX_INDEX_FIELDS: usize = 4;
/// Indexes of one collection at most, beside those that fields ask for.
pub const MAX_INDEXES: usize = 16;
/// Members of the server's that an index may have.
pub const SERVER_PARTS: [&str; 3] = ["owner", "created_at", "updated_at"];

/// An index over several fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct IndexDefinition {
    /// The fields in the order in which they count; one with a minus before it sorts the largest first.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::FilledText>", length(min = 1, max = MAX_INDEX_FIELDS)))]
    pub fields: Vec<IndexField>,
    /// Whether no two records may have the same in all of its fields, where none of them is null.
    #[serde(default)]
    pub unique: Unique,
}

impl IndexDefinition {
    /// Reads a line of an editor: `kind, -price`, `unique owner, slug` or `unique ignore_case owner, slug`.
    pub fn from_line(line: &str) -> Self {
        let words = line.trim().strip_prefix("unique ").map(str::trim_start);
        let (unique, fields) = match (words, words.and_then(|words| words.strip_prefix("ignore_case "))) {
            (_, Some(fields)) => (Unique::IgnoreCase, fields),
            (Some(fields), None) => (Unique::Exact, fields),
            (None, None) => (Unique::No, line),
        };
        let names = fields.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self { fields: names.map(|name| name.to_owned().into()).collect(), unique }
    }
}

/// As [`IndexDefinition::from_line`] reads it.
impl fmt::Display for IndexDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<String> = self.fields.iter().map(ToString::to_string).collect();
        let unique = match self.unique {
            Unique::No => "",
            Unique::Exact => "unique ",
            Unique::IgnoreCase => "unique ignore_case ",
        };
        write!(f, "{unique}{}", fields.join(", "))
    }
}

/// One field of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct IndexField {
    /// The field's name, or `owner`, `created_at` or `updated_at`.
    pub name: String,
    /// The largest comes first.
    pub descending: bool,
}

impl From<String> for IndexField {
    fn from(text: String) -> Self {
        match text.strip_prefix('-') {
            Some(name) => Self { name: name.to_owned(), descending: true },
            None => Self { name: text, descending: false },
        }
    }
}

impl From<IndexField> for String {
    fn from(field: IndexField) -> Self {
        field.to_string()
    }
}

impl fmt::Display for IndexField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.name)
    }
}

/// Reads the indexes of a definition. Whether their fields are there is for [`check_indexes`].
pub(super) fn read_indexes(value: Value, errors: &mut FieldErrors) -> Option<Vec<IndexDefinition>> {
    let Value::Array(items) = value else {
        let message = format!("Expected a list of items but got type \"{}\".", type_name(&value));
        errors.push("indexes", FieldError::new("not_a_list", message));
        return None;
    };
    let mut indexes = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let read = Reader::new(item).and_then(|mut reader| {
            let fields: Option<Vec<String>> = reader.list("fields");
            let is_filled = |fields: &Vec<String>| {
                (1..=MAX_INDEX_FIELDS).contains(&fields.len()) && fields.iter().all(|name| !name.is_empty())
            };
            match &fields {
                None if !reader.errors.0.contains_key("fields") => reader.errors.push("fields", required()),
                Some(fields) if !is_filled(fields) => {
                    reader.errors.push("fields", invalid(format!("An index has 1 to {MAX_INDEX_FIELDS} fields.")));
                }
                _ => {}
            }
            let fields = fields.unwrap_or_default();
            let unique = read_unique(&mut reader);
            let fields = fields.into_iter().map(IndexField::from).collect();
            reader.finish().or(IndexDefinition { fields, unique })
        });
        match read {
            Ok(index) => indexes.push(index),
            Err(wrong) => errors.nest(&format!("indexes.{i}"), wrong),
        }
    }
    Some(indexes)
}

/// What is wrong with a collection's indexes. Former names of fields become those of today.
pub fn check_indexes(collection: &mut Collection) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut indexes = std::mem::take(&mut collection.indexes);
    if indexes.len() > MAX_INDEXES {
        errors
            .push("indexes", FieldError::new("max_length", format!("A collection has at most {MAX_INDEXES} indexes.")));
    }
    for (i, index) in indexes.iter_mut().enumerate() {
        let mut fault = |message: String| errors.push(format!("indexes.{i}.fields"), invalid(message));
        if index.unique != Unique::No && index.fields.len() == 1 {
            fault("For one field, say \"unique\" in the field.".to_owned());
        }
        for at in 0..index.fields.len() {
            let name = index.fields[at].name.clone();
            let shown = single_line(&name).into_owned();
            match collection.field(&name) {
                Some(field) if field.kind.indexable() => index.fields[at].name = field.name.to_string(),
                Some(_) => fault(format!("Values of \"{shown}\" are too large to be in an index.")),
                None if SERVER_PARTS.contains(&name.as_str()) && server_field(&name).is_some() => {}
                None => fault(format!("There is no field \"{shown}\".")),
            }
            if index.fields[..at].iter().any(|other| other.name == index.fields[at].name) {
                fault(format!("\"{shown}\" stands twice."));
            }
        }
    }
    collection.indexes = indexes;
    errors.or(())
}
