//! The OpenAPI document of an instance. Own routes say themselves what they take and answer (`common::ENDPOINTS`), collections and published
//! paths are described by their definitions; nothing is said here a second time.

mod collections;
mod own;
mod parts;
mod values;

use common::{access::Caller, collection::Collection};
use serde_json::{Map, Value, json};

use self::{collections::Described, parts::Paths};
use super::{
    core::Core,
    error::Result,
    records::is_known,
    schema::{self, hide_references},
    work,
};

/// About how many bytes are held for a collection, and for each of its fields.
const HELD_FOR_EACH: usize = 64 * 1024;
const HELD_FOR_A_FIELD: usize = 4 * 1024;

/// The document as a caller may see it. `server` is its address as the caller wrote it.
pub async fn document(core: &Core, caller: &Caller, server: &str, version: &str) -> Result<Value> {
    let (snapshot, deadline) = (core.store.snapshot().await?, core.deadline());
    let mut visible: Vec<Collection> = Vec::new();
    for definition in schema::all(&snapshot).await? {
        deadline.pause().await?;
        let mut collection = definition.collection;
        if is_known(&collection.access, caller) {
            hide_references(&core.schemas, &snapshot, &mut collection.fields, caller).await?;
            visible.push(collection);
        }
    }
    let (mut paths, mut schemas) = (Paths::new(), Map::new());
    own::describe(caller, &mut paths, &mut schemas);
    for collection in &visible {
        // Who asks often takes no more turns than who asks once, and no more is made at once than there are turns.
        deadline.pause().await?;
        work::hold(HELD_FOR_EACH + collection.fields.len() * HELD_FOR_A_FIELD)?;
        let described = Described::own(collection, &visible, caller);
        described.put(&mut paths, &mut schemas);
    }
    let aliased = paths.clone();
    let published = core.paths.now(&core.store).await?;
    for path in published.iter() {
        // It goes before an own one.
        paths.remove(path.definition.path.as_str());
    }
    for path in published.iter() {
        let own = visible.iter().find(|collection| Some(&collection.name) == path.collection.as_ref());
        if let Some(alias) = &path.definition.alias {
            own::alias(path, alias, &aliased, &mut paths);
        } else if let Some(collection) = own {
            Described::published(collection, &visible, caller, path).put(&mut paths, &mut schemas);
        }
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Coffer", "version": version, "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"}},
        "servers": [{"url": server}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": schemas,
            "responses": {"Problem": {
                "description": "It was refused. Accept: application/problem+json asks for a problem document (RFC 9457).",
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/DrfErrors"}},
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}},
                },
            }},
        },
    });
    spell_out(&mut document);
    Ok(document)
}

/// Writes schemas that take anything as `{}`. That means the same as `true` (JSON Schema 2020-12 §4.3.2), which generators of clients stumble over.
fn spell_out(at: &mut Value) {
    let open = |schema: &mut Value| {
        if *schema == Value::Bool(true) {
            *schema = json!({});
        }
    };
    match at {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match (name.as_str(), &mut *value) {
                    ("properties", Value::Object(schemas)) => schemas.values_mut().for_each(open),
                    ("items", schema) => open(schema),
                    ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                        schemas.iter_mut().for_each(open);
                    }
                    _ => {}
                }
                spell_out(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out),
        _ => {}
    }
}
