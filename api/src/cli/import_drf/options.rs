//! What a view of Django REST Framework answers `OPTIONS` with, as the document that says the same.

use anyhow::{Result, bail};
use common::Object;
use serde_json::{Value, json};

use super::document::Document;

/// A document of one list.
pub(super) fn document(answer: &Value, path: &str) -> Result<Document> {
    let actions = answer.get("actions").and_then(Value::as_object);
    let fields = actions.and_then(|actions| actions.get("POST").or_else(|| actions.values().next()));
    let Some(fields) = fields.and_then(Value::as_object) else {
        bail!(
            "this answer to OPTIONS names no fields: ask the address of a list, as somebody who may create records there, for JSON"
        );
    };
    if path.contains('{') || path.trim_matches('/').is_empty() {
        bail!("give the address of a list: --path /api/v1/snacks/");
    }
    let list = format!("/{}/", path.trim_matches('/'));
    let record = object(fields);
    let content = |schema: &Value| json!({"content": {"application/json": {"schema": schema}}});
    let (one, many) = (content(&record), content(&json!({"type": "array", "items": record})));
    let detail = json!({"get": {"responses": {"200": one}}, "patch": {"responses": {"200": one}}, "delete": {}});
    let all = json!({"get": {"responses": {"200": many}}, "post": {"requestBody": one, "responses": {"201": one}}});
    let paths: Object = [(list.clone(), all), (format!("{list}{{id}}/"), detail)].into_iter().collect();
    Document::read(json!({"openapi": "3.0.3", "security": [{"token": []}], "paths": paths}))
}

fn object(fields: &Object) -> Value {
    let is_so = |field: &Value, member: &str| field.get(member).is_some_and(|value| *value == true);
    let required: Vec<&String> =
        fields.iter().filter(|(_, field)| is_so(field, "required")).map(|(name, _)| name).collect();
    let properties: Object = fields.iter().map(|(name, field)| (name.clone(), schema(field))).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// The schema of a field.
fn schema(field: &Value) -> Value {
    let text = |member: &str| field.get(member).and_then(Value::as_str).unwrap_or_default();
    let choices = || -> Vec<Value> {
        let choices = field.get("choices").and_then(Value::as_array).into_iter().flatten();
        choices.filter_map(|choice| choice.get("value").cloned()).collect()
    };
    let mut schema = match text("type") {
        "integer" => json!({"type": "integer"}),
        "float" => json!({"type": "number"}),
        "decimal" => json!({"type": "string", "format": "decimal"}),
        "boolean" => json!({"type": "boolean"}),
        "date" => json!({"type": "string", "format": "date"}),
        "datetime" => json!({"type": "string", "format": "date-time"}),
        "email" => json!({"type": "string", "format": "email"}),
        "url" => json!({"type": "string", "format": "uri"}),
        "slug" => json!({"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"}),
        "regex" | "string" | "time" | "duration" => json!({"type": "string"}),
        "choice" => json!({"enum": choices()}),
        "multiple choice" => json!({"type": "array", "items": {"enum": choices()}}),
        "file upload" | "image upload" => json!({"type": "string", "format": "binary"}),
        "nested object" => match field.get("children").and_then(Value::as_object) {
            Some(children) => object(children),
            None => json!({"type": "object"}),
        },
        "list" => json!({"type": "array", "items": field.get("child").map(schema).unwrap_or_default()}),
        // A reference: of many where it has a child.
        "field" => match field.get("child") {
            Some(child) if child.get("children").is_some() => json!({"type": "array", "items": schema(child)}),
            Some(_) => json!({"type": "array", "items": {"type": "integer"}}),
            None if field.get("choices").is_some() => json!({"enum": choices()}),
            None => json!({"type": "integer"}),
        },
        _ => json!({}),
    };
    if let Value::Object(members) = &mut schema {
        let limits = [
            ("max_length", "maxLength"),
            ("min_length", "minLength"),
            ("max_value", "maximum"),
            ("min_value", "minimum"),
        ];
        for (there, here) in limits {
            members.extend(field.get(there).map(|value| (here.to_owned(), value.clone())));
        }
        if field.get("read_only").is_some_and(|value| *value == true) {
            members.insert("readOnly".to_owned(), json!(true));
        }
        let help = text("help_text");
        if !help.is_empty() {
            members.insert("description".to_owned(), json!(help));
        }
    }
    schema
}
