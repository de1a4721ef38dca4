//! Where each member of a record comes from: what the server keeps, a field, or other records.

use common::Object;
use serde_json::{Value, json};

use super::{
    document::{Document, Resource},
    fields::{of_value, singular, snake},
};

/// What the user of a record is called.
pub(super) const OWNERS: [&str; 12] = [
    "owner",
    "author",
    "user",
    "creator",
    "created_by",
    "purchaser",
    "username",
    "posted_by",
    "uploaded_by",
    "added_by",
    "seller",
    "account",
];
/// What the moment is called when a record was made, and when it was changed.
const MADE: [&str; 9] = [
    "created_at",
    "created",
    "date_created",
    "created_on",
    "created_date",
    "pub_date",
    "published_at",
    "timestamp",
    "date_added",
];
const CHANGED: [&str; 7] =
    ["updated_at", "updated", "modified", "modified_at", "last_modified", "date_updated", "updated_on"];

/// A list, and the collection that it is of.
pub(super) struct Listed<'a> {
    /// The collection's name.
    pub(super) collection: String,
    /// The list.
    pub(super) resource: Resource<'a>,
}

/// Where a member of a record comes from.
pub(super) enum Source<'a> {
    /// A member that the server keeps: `owner.username`.
    Own(Value),
    /// A field, with its definition but for the name.
    Field(Object),
    /// A record of the collection at this place, or several of them; and the members that are shown of each.
    Reference { target: usize, many: bool, shown: Option<&'a Object> },
    /// Records that refer to this one.
    Back { target: usize, shown: &'a Object },
    /// Nothing.
    Left,
}

/// Where a member comes from. `has_owner` says whether the owner was found, and `told` gets what is to be looked at.
pub(super) fn source<'a>(
    document: &'a Document,
    listed: &[Listed<'a>],
    at: usize,
    name: &str,
    whole: &'a Value,
    has_owner: &mut bool,
    told: &mut Vec<&'static str>,
) -> Source<'a> {
    let (schema, component) = document.resolve(whole);
    let is = |flag: &str| whole.get(flag).or_else(|| schema.get(flag)).is_some_and(|is_so| *is_so == true);
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let members = |schema: &'a Value| schema.get("properties").and_then(Value::as_object);
    let is_id = kind == "integer" || kind == "string" && format == "uuid";
    if name == "id" || name == "pk" {
        return Source::Own(json!("id"));
    }
    if name == "url" && is("readOnly") {
        told.push("is the record's own address, which is not sent");
        return Source::Left;
    }
    if OWNERS.contains(&name) && !*has_owner {
        let user = members(schema).filter(|user| user.contains_key("username"));
        let source = match user {
            Some(user) => {
                let shown = user.keys().filter(|name| ["id", "username"].contains(&name.as_str()));
                let shown: Object = shown.map(|name| (name.clone(), json!(format!("owner.{name}")))).collect();
                Some(Value::Object(shown))
            }
            None if kind == "string" && is("readOnly") => Some(json!("owner.username")),
            None if is_id => {
                told.push("is the owner's id, which is a UUID here");
                Some(json!("owner"))
            }
            None => None,
        };
        if let Some(source) = source {
            *has_owner = true;
            return Source::Own(source);
        }
    }
    if format == "date-time" && is("readOnly") {
        for (names, own) in [(&MADE[..], "created_at"), (&CHANGED[..], "updated_at")] {
            let first = |(other, schema): &(&str, &Value)| {
                names.contains(other) && schema.get("readOnly").is_some_and(|is_so| *is_so == true)
            };
            if listed[at]
                .resource
                .properties
                .iter()
                .find(|property| first(property))
                .is_some_and(|(first, _)| *first == name)
            {
                return Source::Own(json!(own));
            }
        }
    }
    let of_component = |component: Option<&str>| {
        component.and_then(|component| listed.iter().position(|one| one.resource.component == Some(component)))
    };
    let of_name = || {
        let base = without_id(&field_name(name));
        listed.iter().position(|one| one.collection == base || singular(&one.collection) == base)
    };
    if let Some(shown) = members(schema) {
        if let Some(target) = of_component(component).or_else(of_name) {
            return Source::Reference { target, many: false, shown: Some(shown) };
        }
    } else if kind == "array"
        && let Some(items) = schema.get("items")
    {
        let (item, component) = document.resolve(items);
        let item_kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        match members(item) {
            Some(shown) => {
                let target = of_component(component).or_else(of_name);
                if let Some(target) = target {
                    let refers = refers_to(listed, target, at);
                    return if refers {
                        Source::Back { target, shown }
                    } else {
                        Source::Reference { target, many: true, shown: Some(shown) }
                    };
                }
            }
            None if item_kind == "integer" || item.get("format").is_some_and(|format| format == "uuid") => {
                if let Some(target) = of_name() {
                    return Source::Reference { target, many: true, shown: None };
                }
            }
            None => {}
        }
    } else if is_id
        && schema.get("enum").is_none()
        && let Some(target) = of_name()
    {
        return Source::Reference { target, many: false, shown: None };
    }
    match of_value(document, whole, told) {
        Ok(field) => Source::Field(field),
        Err(why) => {
            told.push(why);
            Source::Left
        }
    }
}

/// Whether records of one list refer to those of another: they stand under it, or have a member that is called as it.
fn refers_to(listed: &[Listed<'_>], from: usize, to: usize) -> bool {
    let name = singular(&listed[to].collection);
    let (_, parents) = parents(listed, from);
    parents.iter().any(|(_, target)| *target == listed[to].collection)
        || listed[from].resource.properties.iter().any(|(member, _)| without_id(&field_name(member)) == name)
}

/// What is true of all records of a nested path, and the references that it takes.
pub(super) fn parents(listed: &[Listed<'_>], at: usize) -> (Object, Vec<(String, String)>) {
    let path = &listed[at].resource.path;
    let (mut conditions, mut references) = (Object::new(), Vec::new());
    let mut before = String::from("/");
    for part in path.trim_matches('/').split('/') {
        if let Some(parameter) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'))
            && let Some(parent) = listed.iter().find(|one| one.resource.path == before)
        {
            {
                let name = singular(&parent.collection);
                let lookup = parent.resource.lookup.as_deref().filter(|lookup| {
                    parameter.ends_with("slug") || parent.resource.properties.iter().any(|(other, _)| other == lookup)
                });
                let by = lookup.filter(|lookup| !["id", "pk"].contains(lookup));
                let source = by.map_or_else(|| name.clone(), |lookup| format!("{name}.{}", field_name(lookup)));
                conditions.insert(source, json!(format!("{{{parameter}}}")));
                references.push((name, parent.collection.clone()));
            }
        }
        before.push_str(part);
        before.push('/');
    }
    (conditions, references)
}

/// The members of another record, by the ways that lead to them.
pub(super) fn nested(document: &Document, listed: &[Listed<'_>], target: usize, shown: &Object, base: &str) -> Value {
    let mut members = Object::new();
    let mut has_owner = false;
    for (name, schema) in shown {
        let is_written = schema.get("writeOnly").is_some_and(|is_so| *is_so == true);
        let from = source(document, listed, target, name, schema, &mut has_owner, &mut Vec::new());
        let way = match from {
            _ if is_written => continue,
            Source::Own(Value::String(own)) => format!("{base}.{own}"),
            Source::Own(_) => format!("{base}.owner.username"),
            Source::Field(_) => format!("{base}.{}", field_name(name)),
            Source::Reference { shown: None, .. } => format!("{base}.{}", without_id(&field_name(name))),
            Source::Reference { .. } | Source::Back { .. } | Source::Left => continue,
        };
        members.insert(name.clone(), json!(way));
    }
    Value::Object(members)
}

/// A field's name; none is called as a member of the server's own.
pub(super) fn field_name(name: &str) -> String {
    let name = snake(name);
    let is_own = ["id", "owner", "created_at", "updated_at", "revision"].contains(&name.as_str());
    if is_own { format!("own_{name}") } else { name }
}

pub(super) fn without_id(name: &str) -> String {
    let base = ["_ids", "_id", "_pks", "_pk"].iter().find_map(|end| name.strip_suffix(end));
    base.filter(|base| !base.is_empty()).unwrap_or(name).to_owned()
}
