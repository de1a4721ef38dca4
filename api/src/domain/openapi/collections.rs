//! Collections, under their own addresses and under published ones.

use common::{
    access::{Action, Caller, Decision, Rule},
    collection::{Collection, Ids},
    endpoint::path_and_query,
    endpoints::records,
    field::{Field, FieldType},
    many::MAX_MANY,
    name::SERVER_MEMBERS,
    published::{ListForm, Member, Members, PathMethod, Source},
    query::{ListQuery, VIA},
    text::label,
};
use serde_json::{Map, Value, json};

use super::{
    parts::{Paths, operation, put, responses},
    values,
};
use crate::domain::paths::{Compiled, Verb, Write};

/// An address, whether it is one record's, and what each method does there.
type Address = (String, bool, Vec<(PathMethod, Verb)>);

/// A collection as one of its addresses has it.
pub(super) struct Described {
    /// What its schemas are called: `Snacks`.
    name: String,
    tag: String,
    /// What operations are called: `snacks`.
    word: String,
    ids: Ids,
    /// Each address, with its methods.
    addresses: Vec<Address>,
    list: ListForm,
    read: Value,
    write: Value,
    patch: Value,
    filters: Vec<Value>,
    /// It is told where the words of a search stand, and what records are called that are named by their ids.
    tells_more: bool,
    /// The actions that need no token.
    open: Vec<Action>,
    may: Vec<Action>,
    /// Where many records are changed and deleted at once.
    many: Option<String>,
}

impl Described {
    /// Under its own address.
    pub(super) fn own(collection: &Collection, all: &[Collection], caller: &Caller) -> Self {
        let at = path_and_query::<records::List>(&(collection.name.clone(),), &ListQuery::default());
        let several = vec![(PathMethod::Get, Verb::List), (PathMethod::Post, Verb::Create)];
        let one = vec![
            (PathMethod::Get, Verb::View),
            (PathMethod::Put, Verb::Replace),
            (PathMethod::Patch, Verb::Patch),
            (PathMethod::Delete, Verb::Delete),
        ];
        let mut properties = Map::new();
        properties.insert("id".to_owned(), values::server_member("id", collection.ids));
        for field in &collection.fields {
            properties.insert(field.name.to_string(), values::of(field, true, all));
        }
        for name in &SERVER_MEMBERS[1..] {
            properties.insert((*name).to_owned(), values::server_member(name, collection.ids));
        }
        let names: Vec<&String> = properties.keys().collect();
        let read = json!({"type": "object", "required": names, "properties": properties});
        let written =
            collection.fields.iter().map(|field| (field.name.to_string(), field, values::of(field, false, all)));
        let (write, patch) = bodies(&written.collect::<Vec<_>>());
        let filters = collection.fields.iter().flat_map(|field| filters(field.name.as_str(), Some(field)));
        Self {
            name: format!("Records{}", camel(collection.name.as_str())),
            tag: collection.name.to_string(),
            word: format!("records_{}", collection.name),
            ids: collection.ids,
            addresses: vec![(at.clone(), false, several), (format!("{at}{{id}}/"), true, one)],
            list: ListForm::Page,
            read,
            write,
            patch,
            filters: filters.collect(),
            tells_more: true,
            open: open(collection),
            may: may(collection, caller),
            many: Some(at),
        }
    }

    /// Under a published path.
    pub(super) fn published(collection: &Collection, all: &[Collection], caller: &Caller, path: &Compiled) -> Self {
        let own = Self::own(collection, all, caller);
        let word = path.definition.path.as_str().replace(['/', '-', '.', '{', '}'], "_");
        let word = word.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_");
        let pattern = path.definition.path.as_str();
        let address = |address: &crate::domain::paths::Address| match &address.record {
            Some(_) if !path.definition.is_of_a_record() => {
                (format!("{pattern}{{{}}}/", path.definition.lookup), true, address.methods.clone())
            }
            record => (pattern.to_owned(), record.is_some(), address.methods.clone()),
        };
        let mut described = Self {
            name: camel(&word),
            addresses: path.addresses.iter().map(address).collect(),
            word,
            list: path.definition.list,
            many: None,
            tells_more: false,
            ..own
        };
        if !path.members().is_empty() {
            described.read = members(path.members(), collection, all);
            let none = std::collections::HashMap::new();
            let writes = path.writes.as_ref().unwrap_or(&none);
            let mut written = Vec::new();
            for member in &path.members().0 {
                let Some(field) = writes.get(&member.name).and_then(|write| field_of(write, collection)) else {
                    continue;
                };
                let schema = match writes.get(&member.name) {
                    Some(Write::Unique { .. }) => values::nullable(json!({"type": "string"})),
                    _ => values::of(field, false, all),
                };
                written.push((member.name.clone(), field, schema));
            }
            (described.write, described.patch) = bodies(&written);
            let of_path = |member: &Member| match &member.source {
                Source::Path(source) if !source.contains(VIA) => filters(&member.name, collection.field(source)),
                _ => Vec::new(),
            };
            described.filters = path.members().0.iter().flat_map(of_path).collect();
        }
        described
    }

    /// Puts its addresses and schemas into a document.
    pub(super) fn put(mut self, paths: &mut Paths, schemas: &mut Map<String, Value>) {
        // Two paths at one address may send other members.
        while schemas.contains_key(&self.name) {
            self.name.push('2');
        }
        let reference = |suffix: &str| json!({"$ref": format!("#/components/schemas/{}{suffix}", self.name)});
        schemas.insert(self.name.clone(), self.read.clone());
        schemas.insert(format!("{}Write", self.name), self.write.clone());
        schemas.insert(format!("{}Patch", self.name), self.patch.clone());
        let json = |schema: Value| json!({"application/json": {"schema": schema}});
        for (address, _, methods) in &self.addresses {
            let parameters: Vec<Value> = address
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .map(|name| {
                    let is_number = name == "id" && self.ids == Ids::Integer;
                    let schema = if is_number { values::id(self.ids) } else { json!({"type": "string"}) };
                    json!({"name": name, "in": "path", "required": true, "schema": schema})
                })
                .collect();
            for (method, verb) in methods {
                let action = verb.action();
                if !self.may.contains(&action) {
                    continue;
                }
                let method = method.method();
                let method = method.as_str();
                let (word, summary) = said(*verb);
                let id = format!("{word}_{}_{}", self.word, method.to_lowercase());
                let mut described = operation(&id, &self.tag, summary, !self.open.contains(&action));
                let mut parameters = parameters.clone();
                let (status, content) = match verb {
                    Verb::List => {
                        parameters.extend(self.list_parameters());
                        (200, Some(json(self.listed(&reference("")))))
                    }
                    Verb::Create => (201, Some(json(reference("")))),
                    Verb::View | Verb::Replace | Verb::Patch => (200, Some(json(reference("")))),
                    Verb::Delete => (204, None),
                };
                let body = match verb {
                    Verb::Create | Verb::Replace => Some("Write"),
                    Verb::Patch => Some("Patch"),
                    _ => None,
                };
                if let Some(body) = body {
                    let body = json!({"required": true, "content": json(reference(body))});
                    described.insert("requestBody".to_owned(), body);
                }
                if !parameters.is_empty() {
                    described.insert("parameters".to_owned(), parameters.into());
                }
                described.insert("responses".to_owned(), responses(status, "It is done.", content));
                put(paths, address, method, described);
            }
        }
        if let Some(address) = &self.many {
            self.put_many(paths, address);
        }
    }

    /// What is done to many records at once, by those who may list them.
    fn put_many(&self, paths: &mut Paths, address: &str) {
        let text = |name: &str| query(name, &json!({"type": "string"}));
        let flag = |name: &str| query(name, &json!({"type": "boolean"}));
        let mut max = query("max", &json!({"type": "integer", "minimum": 1, "maximum": MAX_MANY}));
        max["required"] = true.into();
        let parameters: Vec<Value> = [max, flag("all"), flag("dry_run"), text("filter"), text("search")]
            .into_iter()
            .chain(self.filters.iter().cloned())
            .collect();
        let many = json!({"type": "object", "required": ["count", "counts", "dry_run"], "properties": {
            "count": {"type": "integer", "minimum": 0}, "counts": {"type": "array", "items": {"type": "object"}}, "dry_run": {"type": "boolean"}}});
        let content = json!({"application/json": {"schema": many}});
        for (action, method, word, summary) in [
            (
                Action::Update,
                "patch",
                "update_many",
                "Change some members of all records that the conditions find, or of none.",
            ),
            (Action::Delete, "delete", "delete_many", "Delete all records that the conditions find, or none."),
        ] {
            if ![Action::List, action].iter().all(|needed| self.may.contains(needed)) {
                continue;
            }
            let id = format!("{word}_{}", self.word);
            let is_open = [Action::List, action].iter().all(|needed| self.open.contains(needed));
            let mut described = operation(&id, &self.tag, summary, !is_open);
            if action == Action::Update {
                let patch = json!({"$ref": format!("#/components/schemas/{}Patch", self.name)});
                let body = json!({"required": true, "content": {"application/json": {"schema": patch}}});
                described.insert("requestBody".to_owned(), body);
            }
            described.insert("parameters".to_owned(), parameters.clone().into());
            described.insert("responses".to_owned(), responses(200, "It is done.", Some(content.clone())));
            put(paths, address, method, described);
        }
    }

    fn listed(&self, record: &Value) -> Value {
        let results = json!({"type": "array", "items": record});
        let link = json!({"type": ["string", "null"]});
        match self.list {
            ListForm::Array => results,
            ListForm::Cursor => json!({"type": "object", "required": ["next", "previous", "results"],
                "properties": {"next": link, "previous": link, "results": results}}),
            ListForm::Page | ListForm::LimitOffset => {
                let mut page = json!({"type": "object", "required": ["next", "previous", "results"],
                "properties": {"count": {"type": "integer"}, "next": link, "previous": link, "results": results}});
                if self.tells_more {
                    page["properties"]["highlights"] = json!({"type": "array", "description": HIGHLIGHTS, "items": {
                        "type": "object", "additionalProperties": {"type": "array", "items": {
                            "type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}}}});
                    let names =
                        json!({"type": "object", "description": NAMES, "additionalProperties": {"type": "string"}});
                    page["properties"]["names"] = names;
                }
                page
            }
        }
    }

    fn list_parameters(&self) -> Vec<Value> {
        let number = |name: &str| query(name, &json!({"type": "integer", "minimum": 1}));
        let text = |name: &str| query(name, &json!({"type": "string"}));
        let parts = match self.list {
            ListForm::Page => vec![number("page"), number("page_size")],
            ListForm::Array | ListForm::LimitOffset => {
                vec![number("limit"), query("offset", &json!({"type": "integer", "minimum": 0}))]
            }
            ListForm::Cursor => vec![text("cursor"), number("page_size")],
        };
        let plain = ["ordering", "search"].map(text);
        let flags = ["highlight", "named"].map(|name| query(name, &json!({"type": "boolean"})));
        let flags = flags.into_iter().filter(|_| self.tells_more);
        parts.into_iter().chain(plain).chain(flags).chain(self.filters.iter().cloned()).collect()
    }
}

/// What is said of them.
const HIGHLIGHTS: &str = "With highlight=true: for each of the results the members in which words of the search stand, each with the stretches of characters, from one to before another.";

const NAMES: &str = "With named=true: what the results are called, the records that they refer to, and their owners, by id; an id that is a number stands behind its member, as in maker.7.";

fn query(name: &str, schema: &Value) -> Value {
    json!({"name": name, "in": "query", "required": false, "schema": schema})
}

/// The bodies that write all of a record, and parts of it.
fn bodies(written: &[(String, &Field, Value)]) -> (Value, Value) {
    let is_required = |field: &Field| field.required && field.default.is_none();
    let required: Vec<&String> =
        written.iter().filter(|(_, field, _)| is_required(field)).map(|(name, ..)| name).collect();
    let properties: Map<String, Value> =
        written.iter().map(|(name, _, schema)| (name.clone(), schema.clone())).collect();
    let mut write = json!({"type": "object", "properties": properties});
    let patch = write.clone();
    if !required.is_empty() {
        write["required"] = json!(required);
    }
    (write, patch)
}

/// The filters of a member.
fn filters(name: &str, field: Option<&Field>) -> Vec<Value> {
    let Some(field) = field.filter(|field| field.kind.indexable()) else { return Vec::new() };
    let mut lookups = vec!["", "__ne", "__in", "__isnull"];
    match field.kind {
        FieldType::Text { .. } | FieldType::Email | FieldType::Url => lookups.extend(["__icontains", "__startswith"]),
        FieldType::Integer { .. } | FieldType::Decimal { .. } | FieldType::Date | FieldType::Datetime => {
            lookups.extend(["__gt", "__gte", "__lt", "__lte"]);
        }
        _ => {}
    }
    lookups.into_iter().map(|lookup| query(&format!("{name}{lookup}"), &json!({"type": "string"}))).collect()
}

/// A record as members make it.
fn members(members: &Members, collection: &Collection, all: &[Collection]) -> Value {
    let properties: Map<String, Value> =
        members.0.iter().map(|member| (member.name.clone(), source(&member.source, collection, all))).collect();
    let names: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "required": names, "properties": properties})
}

fn source(source: &Source, collection: &Collection, all: &[Collection]) -> Value {
    match source {
        Source::Members(inner) => {
            let is_many = inner.leaves().iter().any(|leaf| leaf.contains(VIA));
            let object = members(inner, collection, all);
            if is_many {
                json!({"anyOf": [{"type": "array", "items": object}, object]})
            } else {
                values::nullable(object)
            }
        }
        Source::Path(path) => {
            if path.contains(VIA) {
                return json!({});
            }
            let (mut at, mut schema) = (Some(collection), json!({}));
            let mut parts = path.split('.').peekable();
            while let Some(part) = parts.next() {
                let is_through = parts.peek().is_some();
                let field = at.and_then(|here| here.field(part));
                schema = match field {
                    Some(field) => values::of(field, true, all),
                    None => values::server_member(part, at.map_or_else(Ids::default, |here| here.ids)),
                };
                if is_through {
                    at = field.and_then(|field| match &field.kind {
                        FieldType::Reference { collection: Some(name), .. } => {
                            all.iter().find(|known| known.name == *name)
                        }
                        _ => None,
                    });
                }
            }
            if path.contains('.') { values::nullable(schema) } else { schema }
        }
    }
}

fn field_of<'a>(write: &Write, collection: &'a Collection) -> Option<&'a Field> {
    match write {
        Write::Field(name) | Write::Reference(name) | Write::Unique { field: name, .. } => collection.field(name),
        Write::ReadOnly => None,
    }
}

const fn said(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::List => ("list", "A part of the list: filter, order, choose members."),
        Verb::Create => ("create", "Create a record."),
        Verb::View => ("view", "One record."),
        Verb::Replace => ("replace", "Write a record anew."),
        Verb::Patch => ("update", "Change some members of a record."),
        Verb::Delete => ("delete", "Delete a record."),
    }
}

fn open(collection: &Collection) -> Vec<Action> {
    let is_open = |action: &Action| collection.access.rules(*action).contains(&Rule::Anyone);
    Action::ALL.into_iter().filter(is_open).collect()
}

fn may(collection: &Collection, caller: &Caller) -> Vec<Action> {
    let may = |action: &Action| collection.access.decide(*action, caller) != Decision::Denied;
    Action::ALL.into_iter().filter(may).collect()
}

/// `comments_of_posts` as `CommentsOfPosts`.
fn camel(name: &str) -> String {
    name.split('_').map(|part| label(part).replace(' ', "")).collect()
}
