//! The metadata of a collection's records, in the shape of Django REST Framework's `OPTIONS` answer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{answer::JsonAnswer, collection::IndexDefinition, history::History};

/// What a collection's records look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Metadata {
    /// The collection's name, as people read it.
    pub name: String,
    /// The collection's description.
    pub description: String,
    /// How much of its records' history is kept.
    pub history: History,
    /// The media types of answers.
    pub renders: Vec<String>,
    /// The media types of bodies.
    pub parses: Vec<String>,
    /// Of each method that the caller may use, the members of its body, in their order.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "std::collections::BTreeMap<MetadataMethod, std::collections::BTreeMap<String, MetadataMember>>"
        )
    )]
    pub actions: Map<String, Value>,
    /// The collection's indexes over several fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexDefinition>,
}

impl JsonAnswer for Metadata {}

/// A method that writes.
#[cfg(feature = "schema")]
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord, schemars::JsonSchema)]
#[allow(dead_code)] // As of [`MetadataMember`].
enum MetadataMethod {
    #[serde(rename = "POST")]
    Post,
    #[serde(rename = "PUT")]
    Put,
}

/// What is said of a member. What a type does not have is left out.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)] // Only its schema is used: the values are put together from the definition.
struct MetadataMember {
    /// The word of Django REST Framework for the type, where it has one.
    #[serde(rename = "type")]
    kind: MetadataType,
    /// It must be sent.
    required: bool,
    /// It is the server's.
    read_only: bool,
    /// The name, as people read it.
    label: String,
    /// It may be null.
    #[schemars(skip_serializing_if = "Option::is_none", with = "bool")]
    allow_null: Option<bool>,
    /// No two records have the same value.
    #[schemars(skip_serializing_if = "Option::is_none", with = "bool")]
    unique: Option<bool>,
    /// A sentence about it.
    #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
    help_text: Option<String>,
    /// The value where none is sent.
    #[schemars(skip_serializing_if = "Option::is_none", with = "Value")]
    default: Option<Value>,
    /// Characters at least.
    #[schemars(skip_serializing_if = "Option::is_none", with = "u64")]
    min_length: Option<u64>,
    /// Characters at most.
    #[schemars(skip_serializing_if = "Option::is_none", with = "u64")]
    max_length: Option<u64>,
    /// A pattern that the whole text matches.
    #[schemars(skip_serializing_if = "Option::is_none", with = "String")]
    pattern: Option<String>,
    /// The least value.
    #[schemars(skip_serializing_if = "Option::is_none", with = "MetadataBound")]
    min_value: Option<MetadataBound>,
    /// The greatest value.
    #[schemars(skip_serializing_if = "Option::is_none", with = "MetadataBound")]
    max_value: Option<MetadataBound>,
    /// Digits at most.
    #[schemars(skip_serializing_if = "Option::is_none", with = "u32")]
    max_digits: Option<u32>,
    /// Digits behind the point.
    #[schemars(skip_serializing_if = "Option::is_none", with = "u32")]
    decimal_places: Option<u32>,
    /// What can be chosen.
    #[schemars(skip_serializing_if = "Option::is_none", with = "Vec<MetadataChoice>")]
    choices: Option<Vec<MetadataChoice>>,
    /// The collection that it refers to.
    #[schemars(skip_serializing_if = "Option::is_none", with = "crate::name::CollectionName")]
    collection: Option<crate::name::CollectionName>,
    /// It refers to several.
    #[schemars(skip_serializing_if = "Option::is_none", with = "bool")]
    many: Option<bool>,
    /// What becomes of the record when the one that it refers to is deleted.
    #[schemars(skip_serializing_if = "Option::is_none", with = "crate::field::OnDelete")]
    on_delete: Option<crate::field::OnDelete>,
    /// Bytes of JSON at most.
    #[schemars(skip_serializing_if = "Option::is_none", with = "u64")]
    max_bytes: Option<u64>,
}

#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
enum MetadataType {
    String,
    Integer,
    Decimal,
    Boolean,
    Date,
    Datetime,
    Email,
    Url,
    Choice,
    #[serde(rename = "multiple choice")]
    MultipleChoice,
    /// A reference, or JSON.
    Field,
}

/// A bound of an integer, or of a decimal, which is a text.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum MetadataBound {
    Integer(i64),
    Decimal(crate::schema::Decimal),
}

#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)]
struct MetadataChoice {
    value: String,
    display_name: String,
}
