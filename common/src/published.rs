//! Published paths: addresses of an administrator's own under which a collection, or one of the server's own routes, answers in the shape
//! that a client expects. A path adds no right: the rules of what it names decide.

mod members;
mod pattern;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::{
    members::{Member, Members, Source, published_name},
    pattern::{InvalidPattern, PathPattern, Segment},
};
use crate::{
    Object,
    access::Action,
    answer::JsonAnswer,
    id::{PathId, Revision},
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    reader::{Body, Reader, invalid, object},
};

/// Records in one bare array, where a path says nothing else.
pub const DEFAULT_LIMIT: u64 = 1000;
/// Records in one bare array at most.
pub const MAX_LIMIT: u64 = 10_000;

/// The server's own routes that may have another address.
pub const ALIASES: [&str; 8] = [
    "/api/token/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/token/blacklist/",
    "/api/token/keys/",
    "/api/users/",
    "/api/users/me/",
    "/api/users/me/password/",
];

/// The shape of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ListForm {
    /// Numbered pages, with `count`, `next`, `previous` and `results`.
    #[default]
    Page,
    /// A bare array of all that match, up to the path's limit.
    Array,
    /// Parts by `limit` and `offset`, in the same object.
    LimitOffset,
    /// Parts by a cursor, without a count.
    Cursor,
}

/// The shape of errors where a request asks for neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ErrorForm {
    /// As Django REST Framework writes them.
    Drf,
    /// Problem documents (RFC 9457).
    Problem,
}

/// What becomes of members and parameters that the path does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum UnknownNames {
    /// They are left out.
    Ignore,
    /// They are refused by name.
    Refuse,
}

/// A method that a path can have do something else than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs)] // The methods of HTTP.
pub enum PathMethod {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl PathMethod {
    /// The method.
    pub const fn method(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }
}

/// What an administrator says of a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = crate::schema::read_only(READ_ONLY)))]
pub struct PathDefinition {
    /// The address, with parameters in braces: `/api/v1/posts/{post}/comments/`.
    pub path: PathPattern,
    /// The collection whose records it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionName>,
    /// In place of a collection: the own route that it is another address of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Alias>"))]
    pub alias: Option<String>,
    /// What is true of all records there: members and their values, of which parameters stand in braces.
    #[serde(default, rename = "where", skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Conditions"))]
    pub conditions: BTreeMap<String, Value>,
    /// The member that tells one record from the others: `id`, or a unique field.
    #[serde(default = "id", skip_serializing_if = "is_id")]
    #[cfg_attr(feature = "schema", schemars(with = "FieldWord"))]
    pub lookup: String,
    /// The shape of the list.
    #[serde(default, skip_serializing_if = "is_default")]
    pub list: ListForm,
    /// Records of one page where a request does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = crate::page::MAX_PAGE_SIZE)))]
    pub page_size: Option<u64>,
    /// The members of a record as they are sent. Empty: the record as it is.
    #[serde(default, skip_serializing_if = "Members::is_empty")]
    pub members: Members,
    /// The members that a request may set. Without it all that are fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<crate::schema::FilledText>>"))]
    pub writable: Option<Vec<String>>,
    /// What may be done there, of what the rules allow. Empty: everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// The method of the one action, where it is another than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<PathMethod>,
    /// The shape of errors where a request asks for neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorForm>,
    /// What becomes of members and parameters that it does not have. Without it, what the server does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<UnknownNames>,
    /// Records of a bare array at most; where there are more, the answer is an error.
    #[serde(default = "default_limit", skip_serializing_if = "is_default_limit")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = MAX_LIMIT)))]
    pub limit: u64,
}

/// The members that the server sets.
const READ_ONLY: &[&str] = &["id", "created_at", "updated_at", "revision", "notes"];

fn id() -> String {
    "id".to_owned()
}

fn is_id(lookup: &str) -> bool {
    lookup == "id"
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_default(form: &ListForm) -> bool {
    *form == ListForm::default()
}

const fn default_limit() -> u64 {
    DEFAULT_LIMIT
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_default_limit(limit: &u64) -> bool {
    *limit == DEFAULT_LIMIT
}

impl PathDefinition {
    /// A path for all that may be done with a collection.
    pub fn new(path: PathPattern, collection: CollectionName) -> Self {
        Self {
            path,
            collection: Some(collection),
            alias: None,
            conditions: BTreeMap::new(),
            lookup: id(),
            list: ListForm::Page,
            page_size: None,
            members: Members::default(),
            writable: None,
            actions: Vec::new(),
            method: None,
            errors: None,
            unknown: None,
            limit: DEFAULT_LIMIT,
        }
    }

    /// The parameters that no condition takes. There is one at most: it names the record.
    pub fn free_parameters(&self) -> impl Iterator<Item = &str> {
        let is_taken = |name: &str| self.conditions.values().any(|value| parameter_of(value) == Some(name));
        self.path.parameters().filter(move |name| !is_taken(name))
    }

    /// Whether the path itself is one record's, and not the collection's.
    pub fn is_of_a_record(&self) -> bool {
        self.free_parameters().next().is_some()
    }

    /// What may be done there.
    pub fn allowed(&self) -> Vec<Action> {
        let fits = |action: &Action| !self.is_of_a_record() || !matches!(action, Action::List | Action::Create);
        let said = |action: &Action| self.actions.is_empty() || self.actions.contains(action);
        Action::ALL.into_iter().filter(|action| fits(action) && said(action)).collect()
    }

    /// The same with some members in another way; a member that is null is left out.
    pub fn patched(&self, patch: &Object) -> Result<Self, FieldErrors> {
        let mut members = object(json!(self))?;
        members.extend(patch.clone());
        members.retain(|_, value| !value.is_null());
        Self::from_json(Value::Object(members))
    }
}

/// The parameter that a condition's value is.
pub fn parameter_of(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix('{')?.strip_suffix('}')
}

impl Body for PathDefinition {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        reader.sent_back(READ_ONLY);
        let path = reader.parsed("path");
        let collection = word(&mut reader, "collection");
        let alias = reader.take("alias").filter(|alias| !alias.is_null()).and_then(|alias| {
            let known = ALIASES.iter().find(|known| alias == **known);
            let message = || format!("Use one of {}.", ALIASES.join(", "));
            known.map(|known| (*known).to_owned()).or_else(|| reader.fail("alias", invalid(message())))
        });
        let conditions = read_conditions(&mut reader);
        let lookup =
            reader.take("lookup").map_or_else(|| Some(id()), |lookup| field_word(&mut reader, "lookup", &lookup));
        let list = word(&mut reader, "list");
        let page_size = between(&mut reader, "page_size", crate::page::MAX_PAGE_SIZE);
        let members = match reader.take("members").map(Members::read) {
            None => Members::default(),
            Some(Ok(members)) => members,
            Some(Err(error)) => reader.fail("members", error).unwrap_or_default(),
        };
        let writable = match reader.take("writable") {
            None | Some(Value::Null) => None,
            Some(names) => {
                let read: Option<Vec<String>> = names.as_array().and_then(|names| {
                    let filled = |name: &&str| !name.is_empty() && !name.contains('\0');
                    names.iter().map(|name| name.as_str().filter(filled).map(str::to_owned)).collect()
                });
                read.or_else(|| reader.fail("writable", invalid("Give a list of names of members.")))
            }
        };
        let actions = words(&mut reader, "actions");
        let method = word(&mut reader, "method");
        let errors = word(&mut reader, "errors");
        let unknown = word(&mut reader, "unknown");
        let limit = match reader.take("limit") {
            None => Some(DEFAULT_LIMIT),
            Some(limit) => number(&mut reader, "limit", &limit, MAX_LIMIT),
        };
        let faults = reader.finish();
        let (Some(path), Some(lookup), Some(limit)) = (path, lookup, limit) else { return Err(faults) };
        faults.or(Self {
            path,
            collection,
            alias,
            conditions,
            lookup,
            list: list.unwrap_or_default(),
            page_size,
            members,
            writable,
            actions: actions.unwrap_or_default(),
            method,
            errors,
            unknown,
            limit,
        })
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

/// One of a few words, or missing.
fn word<T: serde::de::DeserializeOwned>(reader: &mut Reader, name: &'static str) -> Option<T> {
    let value = reader.take(name)?;
    let optional = matches!(name, "collection" | "method" | "errors" | "unknown");
    if value.is_null() && optional {
        return None;
    }
    match serde_json::from_value(value) {
        Ok(word) => Some(word),
        Err(error) => reader.fail(name, invalid(said(&error))),
    }
}

/// A list of words.
fn words<T: serde::de::DeserializeOwned>(reader: &mut Reader, name: &'static str) -> Option<T> {
    match serde_json::from_value(reader.take(name)?) {
        Ok(words) => Some(words),
        Err(error) => reader.fail(name, invalid(said(&error))),
    }
}

/// What serde expected, as a sentence.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line").next().unwrap_or(&text).replace('`', "\"");
    format!("This is not known here: {text}.")
}

fn between(reader: &mut Reader, name: &str, most: u64) -> Option<u64> {
    let value = reader.take(name).filter(|value| !value.is_null())?;
    number(reader, name, &value, most)
}

fn number(reader: &mut Reader, name: &str, value: &Value, most: u64) -> Option<u64> {
    let number = value.as_u64().filter(|number| (1..=most).contains(number));
    number.or_else(|| reader.fail(name, FieldError::new("max_value", format!("Use a whole number from 1 to {most}."))))
}

fn field_word(reader: &mut Reader, name: &str, value: &Value) -> Option<String> {
    let word = value.as_str().filter(|word| is_field_word(word));
    word.map(str::to_owned).or_else(|| reader.fail(name, invalid("Use id or the name of a field.")))
}

fn is_field_word(word: &str) -> bool {
    let mut letters = word.bytes();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && word.len() <= 63
        && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_')
}

fn read_conditions(reader: &mut Reader) -> BTreeMap<String, Value> {
    let message = "Give an object of members and values: {\"post\": \"{post}\"}. A member is a field, or one of the record that a field refers to (\"post.slug\"); a value is a text, a whole number, true or false.";
    let Some(value) = reader.take("where") else { return BTreeMap::new() };
    let Value::Object(members) = value else { return reader.fail("where", invalid(message)).unwrap_or_default() };
    let is_value = |value: &Value| match value {
        Value::String(text) => !text.contains('\0'),
        Value::Bool(_) => true,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        _ => false,
    };
    let is_name = |name: &str| name.split('.').count() <= 2 && name.split('.').all(is_field_word);
    if members.iter().all(|(name, value)| is_name(name) && is_value(value)) {
        members.into_iter().collect()
    } else {
        reader.fail("where", invalid(message)).unwrap_or_default()
    }
}

/// A patch of a path: the members that change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathPatch(pub Object);

/// The members of a definition.
const NAMES: [&str; 14] = [
    "path",
    "collection",
    "alias",
    "where",
    "lookup",
    "list",
    "page_size",
    "members",
    "writable",
    "actions",
    "method",
    "errors",
    "unknown",
    "limit",
];

impl Body for PathPatch {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        reader.sent_back(READ_ONLY);
        let members = reader.sent_back(&NAMES);
        reader.finish().or(Self(members))
    }

    fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

/// A path as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishedPath {
    /// Names it for ever.
    pub id: PathId,
    /// What was said of it, with the names that collections and fields have today.
    #[serde(flatten)]
    pub definition: PathDefinition,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub updated_at: String,
    /// The number of the change that wrote it.
    pub revision: Revision,
    /// What there is to know: own routes that it goes before, names that lead nowhere any more.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl JsonAnswer for PublishedPath {}

#[cfg(feature = "schema")]
mod described {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use serde_json::{Map, Value};

    use super::{ALIASES, NAMES, PathPatch, READ_ONLY};

    impl JsonSchema for PathPatch {
        fn schema_name() -> Cow<'static, str> {
            "PathPatch".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let names = NAMES.iter().chain(READ_ONLY);
            let properties: Map<String, Value> = names.map(|name| ((*name).to_owned(), true.into())).collect();
            json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
        }
    }

    macro_rules! inline {
        ($name:ident, $schema:expr) => {
            pub(super) struct $name;

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    $schema
                }
            }
        };
    }

    inline!(Alias, json_schema!({"type": "string", "enum": ALIASES}));
    inline!(FieldWord, json_schema!({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,62}$"}));
    inline!(
        Conditions,
        json_schema!({
            "type": "object",
            "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,62}(\\.[a-z][a-z0-9_]{0,62})?$"},
            "additionalProperties": {"anyOf": [
                {"type": "string", "pattern": "^[^\\u0000]*$"}, {"type": "integer"}, {"type": "boolean"},
            ]},
        })
    );
}

#[cfg(feature = "schema")]
use described::{Alias, Conditions, FieldWord};

#[cfg(test)]
mod tests;
