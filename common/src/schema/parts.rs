//! What derived schemas are mended with where the reader of a body differs from what its Rust type says.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Value, json};

/// Makes the schemas of requests.
pub fn requests() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_deserialize().into_generator()
}

/// Makes the schemas of answers.
pub fn responses() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

/// A text, as [`crate::reader::text`] reads one.
pub struct Text;

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[^\\u0000]*$"})
    }
}

/// A text that is not empty, as [`crate::reader::Reader::text`] reads one.
pub struct FilledText;

impl JsonSchema for FilledText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FilledText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"})
    }
}

/// A bound of decimal numbers: sent as a text, and read from a number too.
pub struct Decimal;

impl JsonSchema for Decimal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = if generator.contract().is_deserialize() { json!(["string", "number"]) } else { json!("string") };
        json_schema!({"type": kinds, "pattern": r"^-?[0-9]+(\.[0-9]+)?$"})
    }
}

/// The default of what is on unless it is turned off.
pub const fn yes() -> bool {
    true
}

/// For a member that may be left out, but not be null.
pub fn not_null(schema: &mut Schema) {
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            let kind = kind.clone();
            members.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.retain(|choice| choice != &json!({"type": "null"}));
    }
}

/// For an object none of whose members may be null.
pub fn not_null_within(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for property in properties.values_mut() {
        if let Ok(property) = property.try_into() {
            not_null(property);
        }
    }
}

/// For an object that has one member by either of two names: by the first, unless that says nothing and the other does. See
/// [`crate::reader::Reader::named`].
pub fn also_named([name, other]: [&'static str; 2]) -> impl Fn(&mut Schema) {
    move |schema| {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
        let Some(member) = properties.remove(name) else { return };
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|required| required != name);
        }
        let nothing = json!({"enum": [null, ""], "description": format!("Says nothing, so that \"{other}\" does.")});
        let ways = json!([
            {"properties": {name: &member}, "required": [name]},
            {"properties": {other: &member, name: nothing}, "required": [other]},
        ]);
        schema.insert("anyOf".to_owned(), ways);
    }
}

/// For an object that may bring back members which the server owns: see [`crate::reader::Reader::sent_back`].
pub fn read_only(names: &[&str]) -> impl Fn(&mut Schema) {
    move |schema| {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
        for name in names {
            let description = "Set by the server. It may come back unchanged.";
            properties.insert((*name).to_owned(), json!({"readOnly": true, "description": description}));
        }
    }
}
