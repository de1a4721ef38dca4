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

/// About how many bytes a value takes that is held in the document, beside its text, and a member its name.
const OF_A_VALUE: usize = 48;
const OF_A_MEMBER: usize = 144;

/// The document as a caller may see it. `server` is its address as the caller wrote it.
pub async fn document(core: &Core, caller: &Caller, server: &str, version: &str) -> Result<Value> {
    let (snapshot, deadline) = (core.store.snapshot().await?, core.deadline());
    let mut visible: Vec<Collection> = Vec::new();
    let mut all = schema::all(&snapshot);
    while let Some(definition) = all.next().await? {
        deadline.pause().await?;
        let mut collection = definition.collection;
        if is_known(&collection.access, caller) {
            // Once as a definition; what is made of it is charged below.
            work::hold(schema::definition_size(&collection))?;
            hide_references(&core.schemas, &snapshot, &mut collection.fields, caller).await?;
            visible.push(collection);
        }
    }
    let (mut paths, mut schemas) = (Paths::new(), Map::new());
    own::describe(caller, &mut paths, &mut schemas);
    for collection in &visible {
        // A caller that asks often takes no more turns than one that asks once, and no more is made at once than there are turns.
        deadline.pause().await?;
        put(Described::own(collection, &visible, caller), &mut paths, &mut schemas)?;
    }
    let published = core.paths.now(&core.store).await?;
    let is_aliased = published.iter().any(|path| path.definition.alias.is_some());
    let aliased = if is_aliased { own_paths(caller) } else { Paths::new() };
    for path in published.iter() {
        // It goes before an own one.
        paths.remove(path.definition.path.as_str());
    }
    for path in published.iter() {
        let own = visible.iter().find(|collection| Some(&collection.name) == path.collection.as_ref());
        if let Some(alias) = &path.definition.alias {
            own::alias(path, alias, &aliased, &mut paths);
        } else if let Some(collection) = own {
            put(Described::published(collection, &visible, caller, path), &mut paths, &mut schemas)?;
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

/// The server's own routes, which are what paths with an alias answer as.
fn own_paths(caller: &Caller) -> Paths {
    let (mut paths, mut schemas) = (Paths::new(), Map::new());
    own::describe(caller, &mut paths, &mut schemas);
    paths
}

/// Puts what is said of a collection into the document, and charges it: twice, since it is written down in the end.
fn put(described: Described, paths: &mut Paths, schemas: &mut Map<String, Value>) -> Result<()> {
    let (known_paths, known_schemas) = (paths.len(), schemas.len());
    described.put(paths, schemas);
    let new = paths.iter().skip(known_paths).chain(schemas.iter().skip(known_schemas));
    work::hold(2 * new.map(|(name, value)| name.len() + OF_A_MEMBER + size_of(value)).sum::<usize>())
}

fn size_of(value: &Value) -> usize {
    OF_A_VALUE
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(size_of).sum(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| name.len() + OF_A_MEMBER + size_of(value)).sum()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
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
