//! Collections: a name, fields and access rules. Here they are read from a body and checked on their own; whether the
//! collections that they refer to exist, and whether stored records fit, the server knows.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Object,
    access::{AccessRules, Action},
    answer::JsonAnswer,
    field::{Field, FieldType, MAX_DECIMAL_DIGITS, MAX_INDEXED_LENGTH, OnDelete},
    id::{CollectionId, Revision},
    name::{CollectionName, FieldName},
    problem::{FieldError, FieldErrors},
    reader::{Body, Reader, invalid, object, unchanged},
    validate::{self, parse_decimal},
};

/// Fields of one collection at most.
pub const MAX_FIELDS: usize = 200;

/// A collection as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    /// Names it for ever.
    pub id: CollectionId,
    /// Its name, as in `/api/records/{name}/`. It cannot be changed.
    pub name: CollectionName,
    /// A sentence about it.
    #[serde(default)]
    pub description: String,
    /// Its fields, in the order in which they are shown.
    pub fields: Vec<Field>,
    /// Who may do what.
    pub access: AccessRules,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
    /// The number of the change that wrote it.
    pub revision: Revision,
    /// How many records it has; absent for callers who see only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl JsonAnswer for Collection {}

impl Collection {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }

    /// Members that a body brought back and cannot change must be what they are.
    pub fn check_sent_back(&self, sent_back: &Object) -> Result<(), FieldErrors> {
        unchanged(sent_back, &json!(self))
    }
}

/// What may be posted or put: everything but what the server owns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Definition {
    /// Its name.
    pub name: CollectionName,
    /// A sentence about it.
    pub description: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Who may do what.
    pub access: AccessRules,
    /// The revision that was read, as `If-Match`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// What the server owns and came back: see [`Collection::check_sent_back`].
    #[serde(skip)]
    pub sent_back: Object,
}

impl From<Collection> for Definition {
    fn from(collection: Collection) -> Self {
        let Collection { name, description, fields, access, revision, .. } = collection;
        Self { name, description, fields, access, revision: Some(revision), sent_back: Object::new() }
    }
}

/// Takes off what the server owns, so that what was read can be sent back. The count is dropped: it changes with every record.
fn sent_back(reader: &mut Reader) -> Object {
    reader.take("count");
    reader.sent_back(&["id", "created_at", "updated_at"])
}

impl Body for Definition {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let sent_back = sent_back(&mut reader);
        let name = reader.parsed("name");
        let description = reader.text_or_empty("description");
        let fields = match reader.take("fields") {
            Some(value) => read_fields(value, &mut reader.errors),
            None => Some(Vec::new()),
        };
        let access = match reader.take("access") {
            Some(value) => read_access(value, AccessRules::default(), &mut reader.errors),
            None => Some(AccessRules::default()),
        };
        let revision = reader.length("revision").map(Revision);
        let errors = reader.finish();
        match (name, fields, access) {
            (Some(name), Some(fields), Some(access)) => {
                errors.or(Self { name, description, fields, access, revision, sent_back })
            }
            _ => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

/// What may be patched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DefinitionPatch {
    /// Must equal the collection's name where it is sent.
    pub name: Option<CollectionName>,
    /// A new sentence.
    pub description: Option<String>,
    /// All fields anew.
    pub fields: Option<Vec<Field>>,
    /// Members of `access` to change, as they were sent.
    pub access: Option<Value>,
    /// The revision that was read, as `If-Match`.
    pub revision: Option<Revision>,
    /// What the server owns and came back: see [`Collection::check_sent_back`].
    pub sent_back: Object,
}

impl DefinitionPatch {
    /// The definition that `collection` becomes.
    pub fn apply(self, collection: &Collection) -> Result<Definition, FieldErrors> {
        let mut errors = FieldErrors::new();
        let access = match self.access {
            Some(value) => read_access(value, collection.access.clone(), &mut errors),
            None => Some(collection.access.clone()),
        };
        let Some(access) = access else { return Err(errors) };
        errors.or(Definition {
            name: self.name.unwrap_or_else(|| collection.name.clone()),
            description: self.description.unwrap_or_else(|| collection.description.clone()),
            fields: self.fields.unwrap_or_else(|| collection.fields.clone()),
            access,
            revision: self.revision,
            sent_back: self.sent_back,
        })
    }
}

impl Body for DefinitionPatch {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let sent = object(value)?;
        let has = |name: &str| sent.contains_key(name);
        let (has_name, has_description) = (has("name"), has("description"));
        let mut reader = Reader::new(Value::Object(sent))?;
        let sent_back = sent_back(&mut reader);
        let name = if has_name { reader.parsed("name") } else { None };
        let description = has_description.then(|| reader.text_or_empty("description"));
        let fields = reader.take("fields").and_then(|value| read_fields(value, &mut reader.errors));
        let access = reader.take("access");
        let revision = reader.length("revision").map(Revision);
        reader.finish().or(Self { name, description, fields, access, revision, sent_back })
    }

    fn to_json(&self) -> Value {
        crate::reader::members([
            ("name", self.name.as_ref().map(|name| json!(name))),
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("fields", self.fields.as_ref().map(|fields| json!(fields))),
            ("access", self.access.clone()),
            ("revision", self.revision.map(|revision| json!(revision))),
        ])
    }
}

fn read_access(value: Value, mut rules: AccessRules, errors: &mut FieldErrors) -> Option<AccessRules> {
    let mut reader = match Reader::new(value) {
        Ok(reader) => reader,
        Err(faults) => {
            errors.nest("access", faults);
            return None;
        }
    };
    for action in Action::ALL {
        if let Some(list) = reader.list(action.name()) {
            *rules.rules_mut(action) = list;
        }
    }
    let faults = reader.finish();
    let fine = faults.is_empty();
    errors.nest("access", faults);
    fine.then_some(rules)
}

fn read_fields(value: Value, errors: &mut FieldErrors) -> Option<Vec<Field>> {
    let Value::Array(items) = value else {
        let message = format!("Expected a list of items but got type \"{}\".", crate::json::type_name(&value));
        errors.push("fields", FieldError::new("not_a_list", message));
        return None;
    };
    if items.len() > MAX_FIELDS {
        errors.push("fields", FieldError::new("max_length", format!("A collection has at most {MAX_FIELDS} fields.")));
        return None;
    }
    let mut fields: Vec<Field> = Vec::with_capacity(items.len());
    let mut fine = true;
    for (i, item) in items.into_iter().enumerate() {
        let field = match read_field(item) {
            Ok(field) => field,
            Err(faults) => {
                errors.nest(&format!("fields.{i}"), faults);
                fine = false;
                continue;
            }
        };
        if fields.iter().any(|earlier| earlier.name == field.name) {
            errors.push(format!("fields.{i}.name"), FieldError::new("unique", "Another field has this name already."));
            fine = false;
        }
        fields.push(field);
    }
    fine.then_some(fields)
}

/// Reads one field's definition and checks that its parts fit together.
pub fn read_field(value: Value) -> Result<Field, FieldErrors> {
    let mut reader = Reader::new(value)?;
    let name: Option<FieldName> = reader.parsed("name");
    let kind = read_type(&mut reader);
    let required = reader.boolean("required");
    let nullable = reader.boolean("nullable");
    let unique = reader.boolean("unique");
    let indexed = reader.boolean("indexed");
    let default = reader.take("default").filter(|value| !value.is_null());
    let help = reader.text_or_empty("help");
    let mut errors = reader.finish();
    let (Some(name), Some(kind)) = (name, kind) else { return Err(errors) };
    let mut field = Field { name, kind, required, nullable, unique, indexed, default, help };
    check_together(&mut field, &mut errors);
    errors.or(field)
}

fn read_type(reader: &mut Reader) -> Option<FieldType> {
    let word = reader.text("type")?;
    let kind = match word.as_str() {
        "text" => FieldType::Text {
            min_length: reader.length("min_length"),
            max_length: reader.length("max_length"),
            pattern: reader.take("pattern").filter(|value| !value.is_null()).and_then(|value| match value.as_str() {
                Some("") => None,
                Some(text) => Some(text.to_owned()),
                None => reader.fail("pattern", invalid("Not a valid string.")),
            }),
            multiline: reader.boolean("multiline"),
        },
        "integer" => FieldType::Integer { min: reader.integer("min"), max: reader.integer("max") },
        "decimal" => FieldType::Decimal {
            min: read_decimal(reader, "min"),
            max: read_decimal(reader, "max"),
            places: reader.length("places").and_then(|places| {
                let places = u32::try_from(places).ok().filter(|places| *places <= MAX_DECIMAL_DIGITS);
                places.or_else(|| {
                    let message = format!("Ensure this value is less than or equal to {MAX_DECIMAL_DIGITS}.");
                    reader.fail("places", FieldError::new("max_value", message))
                })
            }),
        },
        "boolean" => FieldType::Boolean,
        "date" => FieldType::Date,
        "datetime" => FieldType::Datetime,
        "email" => FieldType::Email,
        "url" => FieldType::Url,
        "choice" => {
            let choices: Vec<String> = reader.list("choices").unwrap_or_default();
            let distinct =
                choices.iter().enumerate().all(|(i, choice)| !choice.is_empty() && !choices[..i].contains(choice));
            if choices.is_empty() || !distinct {
                reader.errors.push("choices", invalid("Give at least one choice; none may be empty or stand twice."));
            }
            FieldType::Choice { choices, many: reader.boolean("many") }
        }
        "reference" => FieldType::Reference {
            collection: reader.parsed("collection")?,
            on_delete: match reader.take("on_delete") {
                None | Some(Value::Null) => OnDelete::default(),
                Some(value) => serde_json::from_value(value)
                    .ok()
                    .or_else(|| reader.fail("on_delete", invalid(format!("Use {}.", OnDelete::WORDS.join(", ")))))?,
            },
        },
        "json" => FieldType::Json { max_bytes: reader.length("max_bytes") },
        _ => {
            let message = format!(
                "\"{}\" is not a valid choice. Use one of {}.",
                crate::text::single_line(&word),
                FieldType::WORDS.join(", ")
            );
            return reader.fail("type", FieldError::new("invalid_choice", message));
        }
    };
    Some(kind)
}

fn read_decimal(reader: &mut Reader, name: &str) -> Option<String> {
    let value = reader.take(name).filter(|value| !value.is_null())?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if parse_decimal(&text).is_none() {
        return reader.fail(name, invalid("A valid number is required."));
    }
    Some(text)
}

/// What the parts of a definition ask of each other.
fn check_together(field: &mut Field, errors: &mut FieldErrors) {
    if (field.unique || field.indexed) && !field.kind.indexable() {
        let part = if field.unique { "unique" } else { "indexed" };
        errors.push(part, invalid("Values of this type are too large to be unique or indexed."));
    }
    let keyed = field.unique || field.indexed;
    match &mut field.kind {
        FieldType::Text { max_length, .. } if keyed && max_length.is_none() => *max_length = Some(MAX_INDEXED_LENGTH),
        FieldType::Text { max_length: Some(max), .. } if keyed && *max > MAX_INDEXED_LENGTH => {
            let message = format!("A unique or indexed text has at most {MAX_INDEXED_LENGTH} characters.");
            errors.push("max_length", FieldError::new("max_value", message));
        }
        FieldType::Reference { on_delete: OnDelete::SetNull, .. } if !field.nullable => {
            errors.push("on_delete", invalid("set_null needs a field that may be null."));
        }
        _ => {}
    }
    if let FieldType::Text { pattern: Some(pattern), max_length, .. } = &field.kind
        && validate::compile(pattern, *max_length).is_none()
    {
        let message = match regex_lite::Regex::new(pattern) {
            Ok(_) => {
                "This pattern repeats so much that it would take too long. Let it repeat less, or lower max_length."
            }
            Err(_) => "This is not a regular expression.",
        };
        errors.push("pattern", invalid(message));
    }
    if field.default.is_none() && !field.required && !field.has_empty_value() {
        field.nullable = true;
    }
    if !in_order(&field.kind) {
        errors.push("max", invalid("The upper bound lies below the lower one."));
    }
    if let Some(default) = &field.default {
        match validate::check(field, default) {
            Ok(value) => field.default = Some(value),
            Err(faults) => {
                errors.0.insert("default".to_owned(), faults);
            }
        }
    }
}

fn in_order(kind: &FieldType) -> bool {
    match kind {
        FieldType::Text { min_length: Some(min), max_length: Some(max), .. } => min <= max,
        FieldType::Integer { min: Some(min), max: Some(max) } => min <= max,
        FieldType::Decimal { min: Some(min), max: Some(max), .. } => parse_decimal(min) <= parse_decimal(max),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(value: Value) -> Vec<String> {
        Definition::from_json(value).unwrap_err().0.into_keys().collect()
    }

    #[test]
    fn the_contracts_example_reads_and_writes() {
        let body = json!({"name":"snacks","description":"","fields":[{"name":"title","type":"text","max_length":200,"required":true,"nullable":false,"unique":true,"indexed":false}],
            "access":{"list":["signed_in"],"view":["signed_in"],"create":["signed_in"],"update":["owner"],"delete":["owner","role:editor"]}});
        assert_eq!(Definition::from_json(body.clone()).unwrap().to_json(), body);
    }

    #[test]
    fn faults_are_named_by_their_place() {
        let body = json!({"name": "Snacks", "zzz": 1, "fields": [
            {"name": "a", "type": "txt"}, {"name": "b", "type": "text", "limit": 3}, {"name": "id", "type": "text"},
            {"name": "c", "type": "integer", "min": 3, "max": 1}, {"name": "c", "type": "json", "unique": true},
            {"name": "d", "type": "text", "pattern": "("}, {"name": "e", "type": "reference", "collection": "x", "on_delete": "set_null"},
            {"name": "f", "type": "integer", "default": "x"}, {"name": "g", "type": "choice", "choices": []}, {"name": "h", "type": "text", "indexed": true, "max_length": 999}
        ], "access": {"list": ["everyone"], "lst": []}});
        assert_eq!(
            errors(body),
            [
                "access.list",
                "access.lst",
                "fields.0.type",
                "fields.1.limit",
                "fields.2.name",
                "fields.3.max",
                "fields.4.unique",
                "fields.5.pattern",
                "fields.6.on_delete",
                "fields.7.default",
                "fields.8.choices",
                "fields.9.max_length",
                "name",
                "zzz"
            ]
        );
    }

    #[test]
    fn a_unique_text_gets_a_bound() {
        let field = read_field(json!({"name": "t", "type": "text", "unique": true})).unwrap();
        assert_eq!(
            field.kind,
            FieldType::Text { min_length: None, max_length: Some(255), pattern: None, multiline: false }
        );
    }
}
