//! Reads the fields of a definition from a body, and checks that the parts of each fit together.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    Object,
    conversion::Conversion,
    field::{Field, FieldChange, FieldType, MAX_DECIMAL_DIGITS, MAX_INDEXED_LENGTH, OnDelete, Unique},
    id::FieldId,
    json::{Exact, is_kept, literals, optional_exact, type_name},
    name::FieldName,
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::{Reader, invalid},
    text::single_line,
    validate::{Ends, check_exact, compile, parse_decimal},
};

/// Fields of one collection at most.
pub const MAX_FIELDS: usize = 200;

/// Reads the fields of a definition.
pub(super) fn read_fields(value: Value, errors: &mut FieldErrors) -> Option<Vec<Field>> {
    let Value::Array(items) = value else {
        let message = format!("Expected a list of items but got type \"{}\".", type_name(&value));
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
            Err(wrong) => {
                errors.nest(&format!("fields.{i}"), wrong);
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
    if let Some((name, wrong)) = second_title(&fields).filter(|_| fine) {
        errors.push(name, wrong);
        fine = false;
    }
    fine.then_some(fields)
}

/// What is wrong where records are called by two fields, and the member that says so again.
pub fn second_title(fields: &[Field]) -> Option<(String, FieldError)> {
    let mut titles = fields.iter().enumerate().filter(|(_, field)| field.display);
    let ((_, first), (i, _)) = (titles.next()?, titles.next()?);
    let message = format!("Records are called by \"{}\" already. Take display off one of the two.", first.name);
    Some((format!("fields.{i}.display"), FieldError::new("unique", message)))
}

/// The defaults of the fields of a definition with the digits that were sent; and which number of the definition has more digits than
/// are kept, since it stands elsewhere.
pub(super) struct Defaults {
    of_fields: Vec<Option<Exact>>,
    lost: Option<String>,
}

#[derive(Deserialize)]
struct WithDefaults {
    #[serde(default)]
    fields: Vec<WithDefault>,
}

#[derive(Deserialize)]
struct WithDefault {
    #[serde(default, deserialize_with = "optional_exact")]
    default: Option<Exact>,
}

impl Defaults {
    /// Of a definition's text. One that is no definition has none; its reader says what is wrong.
    pub(super) fn of(text: &str) -> Self {
        let fields = serde_json::from_str::<WithDefaults>(text).map(|read| read.fields).unwrap_or_default();
        let of_fields: Vec<_> = fields.into_iter().map(|field| field.default).collect();
        let beyond = |text: &str| literals(text).filter(|literal| !is_kept(literal)).map(str::to_owned).collect();
        let mut lost: Vec<String> = beyond(text);
        for text in of_fields.iter().flatten().filter_map(Exact::text) {
            for number in beyond(text) {
                if let Some(at) = lost.iter().position(|lost| *lost == number) {
                    lost.remove(at);
                }
            }
        }
        Self { of_fields, lost: lost.into_iter().next() }
    }

    /// Puts them in place of those that were read without their digits.
    pub(super) fn put(self, fields: &mut [Field], errors: &mut FieldErrors) {
        if let Some(number) = self.lost {
            let message = format!("The number {number} has more digits than are kept here; send fewer digits.");
            errors.push(NON_FIELD, invalid(message));
        }
        for (i, (field, default)) in fields.iter_mut().zip(self.of_fields).enumerate() {
            let Some(default) = default.filter(|default| default.text().is_some()) else { continue };
            match check_exact(field, &default, Ends::Trimmed) {
                Ok(value) => field.default = Some(value),
                Err(wrong) => errors.add(format!("fields.{i}.default"), wrong),
            }
        }
    }
}

/// Reads one field's definition and checks that its parts fit together.
pub fn read_field(value: Value) -> Result<Field, FieldErrors> {
    let mut reader = Reader::new(value)?;
    let id = read_id(&mut reader);
    let name: Option<FieldName> = reader.parsed("name");
    let aliases = reader.list("aliases");
    let kind = read_type(&mut reader);
    let choice_aliases = read_choice_aliases(&mut reader);
    let (required, nullable) = (reader.optional_boolean("required"), reader.optional_boolean("nullable"));
    // Who says only that there is no null does not say that nothing need be there.
    let says_not_null = nullable == Some(false) && required.is_none();
    let (required, nullable) = (required.unwrap_or(false), nullable.unwrap_or(false));
    let unique = read_unique(&mut reader);
    let indexed = reader.boolean("indexed");
    let searchable = reader.boolean("searchable");
    let display = reader.boolean("display");
    let default = reader.take("default").filter(|value| !value.is_null()).map(Exact::from);
    let help = reader.text_or_empty("help");
    let (says_aliases, says_choice_aliases) = (aliases.is_some(), choice_aliases.is_some());
    let change = Box::new(FieldChange { says_aliases, says_choice_aliases, ..read_change(&mut reader) });
    let (aliases, choice_aliases) = (aliases.unwrap_or_default(), choice_aliases.unwrap_or_default());
    let mut errors = reader.finish();
    let (Some(name), Some(kind)) = (name, kind) else { return Err(errors) };
    let mut field = Field {
        id,
        aliases,
        choice_aliases,
        required,
        nullable,
        unique,
        indexed,
        searchable,
        display,
        default,
        help,
        change,
        ..Field::new(name, kind)
    };
    if field.default.is_none() && !field.required && !field.has_empty_value() {
        (field.required, field.nullable) = (says_not_null, !says_not_null);
    }
    check_together(&mut field, &mut errors);
    errors.or(field)
}

/// Of a field's members that others are put over, leaves out what would speak for those: whether there has to be a value and whether it
/// may be null follow from each other, where one of the two is not said.
pub fn let_flags_follow(members: &mut Object, patch: &Object) {
    for name in ["required", "nullable"] {
        let is_said = patch.get(name).is_some_and(|value| !value.is_null());
        if !is_said && members.get(name) == Some(&Value::Bool(false)) {
            members.shift_remove(name);
        }
    }
}

fn read_id(reader: &mut Reader) -> Option<FieldId> {
    let value = reader.take("id").filter(|value| !value.is_null())?;
    let id = value.as_str().and_then(|text| text.parse().ok());
    id.or_else(|| reader.fail("id", invalid("This is not the id of a field. Leave it out, or send it unchanged.")))
}

/// What a request says of where values come from.
fn read_change(reader: &mut Reader) -> FieldChange {
    let renamed_from = reader.take("renamed_from").filter(|value| !value.is_null()).and_then(|value| {
        let name = value.as_str().and_then(|text| text.parse().ok());
        name.or_else(|| reader.fail("renamed_from", invalid("This is not the name of a field.")))
    });
    let convert = reader
        .take("convert")
        .filter(|value| !value.is_null())
        .and_then(|value| Conversion::read(value).map_err(|error| reader.errors.push("convert", error)).ok());
    let value = reader.take("value").filter(|value| !value.is_null());
    let rename = reader.take("rename").map_or_else(BTreeMap::new, |value| {
        let read = serde_json::from_value::<BTreeMap<String, String>>(value).ok();
        let read = read.filter(|names| names.values().all(|name| !name.is_empty() && !name.contains('\0')));
        let message = "Send an object with the old name of each choice, and its new one.";
        read.or_else(|| reader.fail("rename", invalid(message))).unwrap_or_default()
    });
    FieldChange { renamed_from, convert, value, rename, ..FieldChange::default() }
}

fn read_choice_aliases(reader: &mut Reader) -> Option<BTreeMap<String, String>> {
    let value = reader.take("choice_aliases").filter(|value| !value.is_null())?;
    let message =
        "Send an object with the former name of each choice, and the one that it leads to. {} drops them all.";
    serde_json::from_value(value).ok().or_else(|| reader.fail("choice_aliases", invalid(message)))
}

fn read_type(reader: &mut Reader) -> Option<FieldType> {
    let word = reader.text("type")?;
    let is_many = word == "reference" && reader.boolean("many");
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
            collection: Some(reader.parsed("collection")?),
            many: is_many,
            on_delete: match reader.take("on_delete") {
                // What is gone is in no list, unless it is said otherwise.
                None | Some(Value::Null) if is_many => OnDelete::SetNull,
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
                single_line(&word),
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
    let is_unique = field.unique != Unique::No;
    // References have an index in any case.
    let is_indexed = field.indexed && !field.kind.refers_to_many();
    if (is_unique || is_indexed) && !field.kind.indexable() {
        let part = if is_unique { "unique" } else { "indexed" };
        errors.push(part, invalid("Values of this type are too large to be unique or indexed."));
    }
    if field.unique == Unique::IgnoreCase && !matches!(field.kind, FieldType::Text { .. } | FieldType::Email) {
        errors.push("unique", invalid("Only texts and e-mail addresses are compared without case. Use true."));
    }
    if field.searchable && !matches!(field.kind, FieldType::Text { .. } | FieldType::Email | FieldType::Url) {
        errors.push("searchable", invalid("Only texts are searched by words."));
    }
    if field.display && !field.kind.can_name() {
        errors.push(
            "display",
            invalid("No record is called by JSON, by several values, or by another record. Choose another field."),
        );
    }
    let keyed = is_unique || field.indexed;
    if let FieldType::Choice { choices, .. } = &mut field.kind {
        for choice in choices.iter_mut() {
            if let Some(name) = field.change.rename.get(choice) {
                choice.clone_from(name);
            }
        }
        let mut seen = HashSet::new();
        choices.retain(|choice| seen.insert(choice.clone()));
        // What is taken where nothing is sent goes along.
        if let Some(default) = field.default.take() {
            let renamed = |value: &Value| {
                let name = value.as_str().and_then(|choice| field.change.rename.get(choice));
                name.map_or_else(|| value.clone(), |name| name.clone().into())
            };
            field.default = Some(match &*default {
                Value::Array(items) => Exact::from(items.iter().map(renamed).collect::<Value>()),
                value @ Value::String(_) => Exact::from(renamed(value)),
                _ => default,
            });
        }
    } else if !field.change.rename.is_empty() {
        errors.push("rename", invalid("Only choices have names. To rename the field, send its id with another name."));
    }
    match &mut field.kind {
        FieldType::Text { max_length, .. } if keyed && max_length.is_none() => *max_length = Some(MAX_INDEXED_LENGTH),
        FieldType::Text { max_length: Some(max), .. } if keyed && *max > MAX_INDEXED_LENGTH => {
            let message = format!("A unique or indexed text has at most {MAX_INDEXED_LENGTH} characters.");
            errors.push("max_length", FieldError::new("max_value", message));
        }
        // A list that is empty says that there is nothing.
        FieldType::Reference { many: true, .. } => field.nullable = false,
        FieldType::Reference { on_delete: OnDelete::SetNull, .. } if !field.nullable => {
            errors.push("on_delete", invalid("set_null needs a field that may be null."));
        }
        _ => {}
    }
    if let FieldType::Text { pattern: Some(pattern), max_length, .. } = &field.kind
        && compile(pattern, *max_length).is_none()
    {
        let message = match regex_lite::Regex::new(pattern) {
            Ok(_) => {
                "This pattern repeats so much that it would take too long. Let it repeat less, or lower max_length."
            }
            Err(_) => "This is not a regular expression.",
        };
        errors.push("pattern", invalid(message));
    }
    if !in_order(&field.kind) {
        errors.push("max", invalid("The upper bound lies below the lower one."));
    }
    if let Some(default) = &field.default {
        match check_exact(field, default, Ends::Trimmed) {
            Ok(value) => field.default = Some(value),
            Err(wrong) => {
                errors.add("default".to_owned(), wrong);
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

/// Reads whether values are unique: a boolean or a word.
pub(super) fn read_unique(reader: &mut Reader) -> Unique {
    match reader.take("unique") {
        None | Some(Value::Null) => Unique::No,
        Some(value) => Unique::from_json(&value).unwrap_or_else(|| {
            let message = "Use true, false, or \"ignore_case\" for texts that are the same whatever their case.";
            reader.errors.push("unique", invalid(message));
            Unique::No
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_called_by_one_field_that_says_something_itself() {
        let read = |fields: Value| {
            let mut errors = FieldErrors::new();
            let read = read_fields(fields, &mut errors);
            (read.map(|fields| json!(fields)), errors.0.into_keys().collect::<Vec<_>>())
        };
        let (read_back, errors) = read(
            json!([{"name": "a", "type": "text", "display": true}, {"name": "b", "type": "text", "display": false}]),
        );
        let read_back = read_back.unwrap();
        assert_eq!((&read_back[0]["display"], read_back[1].get("display"), errors.len()), (&json!(true), None, 0));
        let two =
            json!([{"name": "a", "type": "text", "display": true}, {"name": "b", "type": "integer", "display": true}]);
        assert_eq!(read(two).1, ["fields.1.display"]);
        for kind in [
            json!({"type": "json"}),
            json!({"type": "reference", "collection": "x"}),
            json!({"type": "choice", "choices": ["a"], "many": true}),
        ] {
            let mut field = kind.clone();
            (field["name"], field["display"]) = ("a".into(), true.into());
            assert_eq!(read(json!([field])).1, ["fields.0.display"], "{kind}");
        }
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
