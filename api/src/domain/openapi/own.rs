//! The server's own routes, as their endpoints describe themselves. Those of collections' records are described for each collection.

use common::{
    ENDPOINTS,
    access::Caller,
    answer::AnswerKind,
    endpoint::{Access, BodyKind, EndpointInfo},
    endpoints::records,
    rows::RowFormat,
};
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::parts::{Paths, operation, put, responses};
use crate::domain::paths::Compiled;

/// Where schemas of components are.
const SCHEMAS: &str = "#/components/schemas/";

fn generator(is_request: bool) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let settings = if is_request { settings.for_deserialize() } else { settings.for_serialize() };
    settings.into_generator()
}

/// Describes all own routes that the caller may use, and the schemas that they name.
pub(super) fn describe(caller: &Caller, paths: &mut Paths, schemas: &mut Map<String, Value>) {
    let (mut requests, mut answers) = (generator(true), generator(false));
    for info in ENDPOINTS.iter().filter(|info| is_told(info, caller)) {
        let described = described(info, &mut requests, &mut answers);
        put(paths, info.path, info.method.as_str(), described);
    }
    for (mut generator, suffix) in [(requests, "Request"), (answers, "")] {
        for (name, mut schema) in generator.take_definitions(true) {
            renamed(&mut schema, suffix);
            schemas.insert(format!("{name}{suffix}"), schema);
        }
    }
    schemas.insert(
        "DrfErrors".to_owned(),
        json!({"description": "Messages by member, or what happened under detail; for an array a list of such.",
            "anyOf": [{"type": "object", "additionalProperties": true}, {"type": "array", "items": {"type": "object", "additionalProperties": true}}]}),
    );
    let text = json!({"type": "string"});
    schemas.insert(
        "ProblemDocument".to_owned(),
        json!({"type": "object", "required": ["type", "title", "status", "detail", "code"], "additionalProperties": true, "properties": {
            "type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text, "request_id": text,
            "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {
                "type": "object", "required": ["code", "message"], "properties": {"code": text, "message": text}}}},
        }}),
    );
}

/// Records are told of by collection, and what only this server's pages may call is no program's.
fn is_told(info: &EndpointInfo, caller: &Caller) -> bool {
    let is_of_records =
        info.is_at::<records::List>() || info.is_at::<records::Aggregate>() || info.is_at::<records::Get>();
    let may = match info.access {
        Access::Admin => caller.is_admin(),
        access => !access.is_browsers(),
    };
    may && !is_of_records
}

fn described(info: &EndpointInfo, requests: &mut SchemaGenerator, answers: &mut SchemaGenerator) -> Map<String, Value> {
    let parts = info.path.split('/').filter(|part| !part.is_empty());
    let words: Vec<&str> = parts.clone().map(|part| part.trim_matches(['{', '}'])).collect();
    let id = format!("{}_{}", info.method.as_str().to_lowercase(), words.join("_").replace('-', "_"));
    let tag = words.iter().find(|word| **word != "api").copied().unwrap_or("root");
    let mut described =
        operation(&id, tag, info.summary, info.access.takes_token() && !matches!(info.access, Access::Rules(_)));
    let parameters: Vec<Value> = parts
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if !parameters.is_empty() {
        described.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(schema) = (info.request_schema)(requests) {
        let schema = value(schema, "Request");
        let content = info.body.kinds.iter().map(|kind| (media_type(*kind).to_owned(), json!({"schema": schema})));
        let content: Map<String, Value> = content.collect();
        described.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
    }
    if info.body.is_upload() {
        let kinds = RowFormat::ALL.into_iter().map(|format| format.media_type().split(';').next().unwrap_or_default());
        let content: Map<String, Value> = kinds.map(|kind| (kind.to_owned(), json!({"schema": {}}))).collect();
        described.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
    }
    let content = (info.answer != AnswerKind::Nothing).then(|| {
        let media = info.media_type.split(';').next().unwrap_or_default();
        let schema = (info.response_schema)(answers).map_or_else(|| json!({}), |schema| value(schema, ""));
        json!({media: {"schema": schema}})
    });
    described.insert("responses".to_owned(), responses(info.success.as_u16(), "It is done.", content));
    described
}

fn value(schema: Schema, suffix: &str) -> Value {
    let mut value = schema.to_value();
    renamed(&mut value, suffix);
    value
}

/// The media type of a kind of body.
const fn media_type(kind: BodyKind) -> &'static str {
    match kind {
        BodyKind::Json => "application/json",
        BodyKind::Form => "application/x-www-form-urlencoded",
        BodyKind::Multipart => "multipart/form-data",
        BodyKind::Rows => "text/csv",
    }
}

/// Requests and answers of one type differ, so the schemas of requests have names of their own.
fn renamed(schema: &mut Value, suffix: &str) {
    match schema {
        Value::Object(members) => {
            members.remove("$schema");
            // Not every program that reads patterns knows classes of Unicode.
            if members.get("pattern").and_then(Value::as_str).is_some_and(|pattern| pattern.contains("\\p{")) {
                members.remove("pattern");
            }
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "$ref" && text.starts_with(SCHEMAS) => text.push_str(suffix),
                    value => renamed(value, suffix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| renamed(item, suffix)),
        _ => {}
    }
}

/// Another address of an own route: what the route itself is, with other members in its answer.
pub(super) fn alias(path: &Compiled, alias: &str, own: &Paths, paths: &mut Paths) {
    let Some(Value::Object(item)) = own.get(alias).cloned() else { return };
    let name = path.definition.path.as_str();
    for (method, operation) in item {
        let Value::Object(mut operation) = operation else { continue };
        let id = format!("{method}{}", name.replace(['/', '-', '.'], "_").trim_end_matches('_'));
        operation.insert("operationId".to_owned(), id.into());
        if !path.members().is_empty() {
            let members = path.members().0.iter().map(|member| (member.name.clone(), json!({})));
            let members: Map<String, Value> = members.collect();
            if let Some(Value::Object(answers)) = operation.get_mut("responses") {
                for (status, answer) in answers.iter_mut().filter(|(status, _)| status.starts_with('2')) {
                    let _ = status;
                    if answer.get("content").is_some() {
                        answer["content"] =
                            json!({"application/json": {"schema": {"type": "object", "properties": members}}});
                    }
                }
            }
        }
        put(paths, name, &method, operation);
    }
}
