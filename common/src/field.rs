//! Fields: what a collection says about one member of its records. How a value is checked against a field is in
//! [`crate::validate`], how a definition is read from a body in [`crate::collection`].

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::{
    conversion::Conversion,
    id::FieldId,
    json::{Exact, optional_exact, optional_value},
    name::{CollectionName, FieldName},
};

/// Text in an indexed or unique field is kept in keys, so it is bounded: characters.
pub const MAX_INDEXED_LENGTH: u64 = 255;
/// Text without a `max_length` of its own: characters.
pub const MAX_TEXT_LENGTH: u64 = 100_000;
/// A `json` value without a `max_bytes` of its own.
pub const MAX_JSON_BYTES: u64 = 65_536;
/// Records that one field of a record refers to at most.
pub const MAX_REFERENCES: usize = 1000;
/// Digits of a decimal in all.
pub const MAX_DECIMAL_DIGITS: u32 = 28;

/// One member of a collection's records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct Field {
    /// Names it for ever, whatever it is called. The server gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<FieldId>,
    /// Its name in the record.
    pub name: FieldName,
    /// Names that it had before, and that still lead to it in bodies and queries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<FieldName>,
    /// Its type, with the limits that the type has.
    #[serde(flatten)]
    pub kind: FieldType,
    /// Names that its choices had before, each with the choice that it still leads to in bodies and filters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub choice_aliases: BTreeMap<String, String>,
    /// Must be there when a record is made, and may not be blank.
    #[serde(default)]
    pub required: bool,
    /// May be null.
    #[serde(default)]
    pub nullable: bool,
    /// Whether no two records have the same value (null aside).
    #[serde(default)]
    pub unique: Unique,
    /// Kept in an index, so that filters and orderings by it are fast.
    #[serde(default)]
    pub indexed: bool,
    /// Its words are in the index that a search looks into.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub searchable: bool,
    /// Records are called by it, wherever something refers to them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub display: bool,
    /// Taken where a new record does not have the member.
    #[serde(default, deserialize_with = "optional_exact", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Value>"))]
    pub default: Option<Exact>,
    /// A sentence for those who fill it in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Text"))]
    pub help: String,
    /// What a request says beside that.
    #[serde(flatten)]
    pub change: Box<FieldChange>,
}

/// What a request says of a field beside what it is to be: where its values come from. No answer has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldChange {
    /// What it is called so far, for who does not send ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<FieldName>,
    /// How the values that there are become values of the field, where something may be lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convert: Option<Conversion>,
    /// What the records that exist get, where they have no value.
    #[serde(default, deserialize_with = "optional_value", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Value>"))]
    pub value: Option<Value>,
    /// Choices that get another name, in the records too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::FilledText>"))]
    pub rename: BTreeMap<String, String>,
    /// It says which aliases the field has; otherwise those stay.
    #[serde(skip)]
    pub says_aliases: bool,
    /// The same of those of its choices.
    #[serde(skip)]
    pub says_choice_aliases: bool,
}

impl FieldChange {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether no two records may have the same value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unique {
    /// They may.
    #[default]
    No,
    /// They may not: `true`.
    Exact,
    /// They may not, whatever the case of their letters: `ignore_case`, for texts and e-mail addresses.
    IgnoreCase,
}

impl Unique {
    /// The word for values that are compared without case.
    pub const IGNORE_CASE: &str = "ignore_case";

    /// As a definition says it: a boolean or the word.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(false) => Some(Self::No),
            Value::Bool(true) => Some(Self::Exact),
            Value::String(word) if word == Self::IGNORE_CASE => Some(Self::IgnoreCase),
            _ => None,
        }
    }

    /// As a definition says it.
    pub fn to_json(self) -> Value {
        match self {
            Self::No => Value::Bool(false),
            Self::Exact => Value::Bool(true),
            Self::IgnoreCase => Self::IGNORE_CASE.into(),
        }
    }
}

impl Serialize for Unique {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).ok_or_else(|| D::Error::custom("true, false or \"ignore_case\" is expected"))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Unique {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unique".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": [false, true, Self::IGNORE_CASE, null]})
    }
}

/// The types a field can have, with their limits. The word in `type` is the variant's name in snake case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum FieldType {
    /// Unicode text.
    Text {
        /// At least so many characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min_length: Option<u64>,
        /// At most so many characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_length: Option<u64>,
        /// A regular expression that the whole text must match.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
        /// Shown and edited on several lines.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        multiline: bool,
    },
    /// A whole number from −2^53 to 2^53.
    Integer {
        /// At least this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// At most this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// An exact decimal number, sent as text.
    Decimal {
        /// At least this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Decimal>"))]
        min: Option<String>,
        /// At most this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Decimal>"))]
        max: Option<String>,
        /// Digits after the point; values are written with exactly so many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(range(max = MAX_DECIMAL_DIGITS)))]
        places: Option<u32>,
    },
    /// True or false.
    Boolean,
    /// A day: `YYYY-MM-DD`.
    Date,
    /// A moment: RFC 3339, kept in UTC.
    Datetime,
    /// An e-mail address.
    Email,
    /// An absolute http, https or ftp address.
    Url,
    /// One of a list of texts, or several.
    Choice {
        /// The values to choose from.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::FilledText>", length(min = 1), extend("uniqueItems" = true)))]
        choices: Vec<String>,
        /// Several may be chosen; the value is a list.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        many: bool,
    },
    /// The id of a record in a collection, or a list of ids.
    Reference {
        /// The collection that the record is in. Every definition names one; it is left out of an answer where that collection is not there
        /// for the caller.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(required))]
        collection: Option<CollectionName>,
        /// It refers to several; the value is a list.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        many: bool,
        /// The effect here when that record is deleted.
        #[serde(default)]
        on_delete: OnDelete,
    },
    /// Any JSON value.
    Json {
        /// At most so many bytes when written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_bytes: Option<u64>,
    },
}

/// The effect on a record when the record that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OnDelete {
    /// The deletion is refused with 409.
    #[default]
    Restrict,
    /// This record is deleted too.
    Cascade,
    /// The reference becomes null; in a list it is taken out.
    SetNull,
}

impl OnDelete {
    /// All three words.
    pub const WORDS: [&'static str; 3] = ["restrict", "cascade", "set_null"];
}

impl FieldType {
    /// Every type's word, in the order in which they are offered.
    pub const WORDS: [&'static str; 11] =
        ["text", "integer", "decimal", "boolean", "date", "datetime", "email", "url", "choice", "reference", "json"];

    /// The word in `type`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Integer { .. } => "integer",
            Self::Decimal { .. } => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Email => "email",
            Self::Url => "url",
            Self::Choice { .. } => "choice",
            Self::Reference { .. } => "reference",
            Self::Json { .. } => "json",
        }
    }

    /// Whether values can be kept in an index or be unique: they are small and have an order.
    pub fn indexable(&self) -> bool {
        !matches!(self, Self::Json { .. } | Self::Choice { many: true, .. } | Self::Reference { many: true, .. })
    }

    /// Whether a record can be called by a value: it says one thing, by itself.
    pub fn can_name(&self) -> bool {
        self.indexable() && !matches!(self, Self::Reference { .. })
    }

    /// Whether the case of values of the type with this word can be left out of account: [`Unique::IgnoreCase`].
    pub fn has_case(word: &str) -> bool {
        matches!(word, "text" | "email")
    }

    /// Whether it refers to several records.
    pub fn refers_to_many(&self) -> bool {
        matches!(self, Self::Reference { many: true, .. })
    }

    /// Whether `search` looks for words in its values: what people write, and not what they choose from a list, count or refer to.
    pub fn is_searched(&self) -> bool {
        match self {
            Self::Text { .. } | Self::Email | Self::Url => true,
            // Roles of users, of which there is no list.
            Self::Choice { choices, .. } => choices.is_empty(),
            _ => false,
        }
    }

    /// Whether `contains` and its kin make sense.
    pub fn is_textual(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Email | Self::Url | Self::Choice { many: false, .. })
    }
}

impl Field {
    /// A field of this name and type with nothing else said.
    pub fn new(name: FieldName, kind: FieldType) -> Self {
        Self {
            id: None,
            name,
            aliases: Vec::new(),
            kind,
            choice_aliases: BTreeMap::new(),
            required: false,
            nullable: false,
            unique: Unique::No,
            indexed: false,
            searchable: false,
            display: false,
            default: None,
            help: String::new(),
            change: Box::default(),
        }
    }

    /// The choice that a name leads to: one of today's, or the one that was called so before.
    pub fn choice(&self, name: &str) -> Option<&str> {
        let FieldType::Choice { choices, .. } = &self.kind else { return None };
        let of_today = |name: &str| choices.iter().find(|choice| *choice == name).map(String::as_str);
        of_today(name).or_else(|| of_today(self.choice_aliases.get(name)?))
    }

    /// The field without its id, its former names, and what a request says beside it.
    #[must_use]
    pub fn of_no_server(self) -> Self {
        let (aliases, choice_aliases) = (Vec::new(), BTreeMap::new());
        Self { id: None, aliases, choice_aliases, change: Box::default(), ..self }
    }

    /// Leaves of the former names of choices those that lead to one: names of today win over them.
    pub fn settle_choice_aliases(&mut self) {
        let FieldType::Choice { choices, .. } = &self.kind else { return self.choice_aliases.clear() };
        self.choice_aliases.retain(|old, new| !choices.contains(old) && choices.contains(new));
    }

    /// Whether the store keeps an index entry for each value: asked for, or needed (to find who refers to a record).
    pub fn has_index(&self) -> bool {
        self.indexed || matches!(self.kind, FieldType::Reference { .. })
    }

    /// Whether the type has a value that says "nothing" without being null. An optional field of another type, with no
    /// default, may always be null.
    pub fn has_empty_value(&self) -> bool {
        match self.kind {
            FieldType::Text { .. } | FieldType::Email | FieldType::Url => self.unique == Unique::No,
            FieldType::Boolean | FieldType::Choice { many: true, .. } | FieldType::Reference { many: true, .. } => true,
            _ => false,
        }
    }

    /// The value of a member that a new record does not bring.
    pub fn initial(&self) -> Exact {
        if let Some(default) = &self.default {
            return default.clone();
        }
        let value = match &self.kind {
            _ if self.nullable => Value::Null,
            FieldType::Text { .. } | FieldType::Email | FieldType::Url => Value::String(String::new()),
            FieldType::Boolean => Value::Bool(false),
            FieldType::Choice { many: true, .. } | FieldType::Reference { many: true, .. } => Value::Array(Vec::new()),
            _ => Value::Null,
        };
        value.into()
    }
}
