//! Collections: a name, fields and access rules. Here they are read from a body and checked on their own; whether the
//! collections that they refer to exist, and whether stored records fit, the server knows.

mod answer;
mod fields;
mod ids;
mod indexes;
mod server_fields;

pub use self::{
    answer::{DefinitionAnswer, DryRun},
    fields::{MAX_FIELDS, let_flags_follow, read_field, second_title},
    ids::Ids,
    indexes::{IndexDefinition, IndexField, MAX_INDEX_FIELDS, MAX_INDEXES, SERVER_PARTS, check_indexes},
    server_fields::server_field,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::{
    fields::{Defaults, read_fields},
    indexes::read_indexes,
};
use crate::{
    Object,
    access::{AccessRules, Action, Rule},
    answer::JsonAnswer,
    field::Field,
    history::History,
    id::{CollectionId, Revision},
    json::Exact,
    name::{CollectionName, FieldName},
    problem::FieldErrors,
    query::{Pairs, Query, no_such_field, unknown_parameter},
    reader::{Body, Reader, invalid, members, object, unchanged},
};

/// A collection as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Collection {
    /// Names it for ever.
    pub id: CollectionId,
    /// Its name, as in `/api/records/{name}/`.
    pub name: CollectionName,
    /// Names that it had before, and that still lead to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<CollectionName>,
    /// A sentence about it.
    #[serde(default)]
    pub description: String,
    /// What the ids of its records are; `uuid` where it is left out.
    #[serde(default, skip_serializing_if = "Ids::is_usual")]
    pub ids: Ids,
    /// Its fields, in the order in which they are shown.
    pub fields: Vec<Field>,
    /// Its indexes over several fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexDefinition>,
    /// The access rules of its records.
    pub access: AccessRules,
    /// How much of its records' history is kept.
    #[serde(default = "History::all")]
    pub history: History,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub updated_at: String,
    /// The number of the change that wrote it.
    pub revision: Revision,
    /// How many records it has; absent for callers who see only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl JsonAnswer for Collection {}

impl Collection {
    /// The field of this name, or that had this name before and still answers to it.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let named = self.fields.iter().find(|field| field.name.as_str() == name);
        named.or_else(|| self.fields.iter().find(|field| field.aliases.iter().any(|alias| alias.as_str() == name)))
    }

    /// Members that a body brought back and cannot change must be what they are.
    pub fn check_sent_back(&self, sent_back: &Object) -> Result<(), FieldErrors> {
        unchanged(sent_back, &json!(self))
    }
}

/// The body of a POST or PUT: every member but those that the server sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = crate::schema::read_only(READ_ONLY)))]
pub struct Definition {
    /// Its name.
    pub name: CollectionName,
    /// Names that it had before and that still lead to it; `None` where nothing is said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(transform = crate::schema::not_null))]
    pub aliases: Option<Vec<CollectionName>>,
    /// A sentence about it.
    #[cfg_attr(feature = "schema", schemars(default, with = "crate::schema::Text"))]
    pub description: String,
    /// What the ids of its records are. It can be changed while there are no records. Without it that of a collection that exists stays, and a
    /// new one has `uuid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Ids>,
    /// Its fields.
    #[cfg_attr(feature = "schema", schemars(default, length(max = MAX_FIELDS)))]
    pub fields: Vec<Field>,
    /// Its indexes over several fields; `None` where nothing is said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_INDEXES), transform = crate::schema::not_null))]
    pub indexes: Option<Vec<IndexDefinition>>,
    /// The access rules of its records.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub access: AccessRules,
    /// How much of its records' history is kept. Without it the one of a collection that exists stays, and a new one keeps a thousand
    /// changes of a record and a year.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(transform = crate::schema::not_null))]
    pub history: Option<History>,
    /// The revision that was read, as `If-Match`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The members that the server sets and that were sent back: see [`Collection::check_sent_back`].
    #[serde(skip)]
    pub sent_back: Object,
}

impl From<Collection> for Definition {
    fn from(collection: Collection) -> Self {
        let Collection { name, aliases, description, ids, fields, indexes, access, history, revision, .. } = collection;
        let indexes = Some(indexes).filter(|indexes| !indexes.is_empty());
        let aliases = Some(aliases).filter(|aliases| !aliases.is_empty());
        let (history, revision) = (Some(history), Some(revision));
        let ids = Some(ids).filter(|ids| !ids.is_usual());
        Self { name, aliases, description, ids, fields, indexes, access, history, revision, sent_back: Object::new() }
    }
}

/// What a change of a definition is to do beside being made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DefinitionQuery {
    /// Fields whose values may go.
    pub drop: Vec<FieldName>,
    /// Nothing is changed; it is told what would be.
    pub dry_run: bool,
    /// While it is looked at whether records fit, writes that would not are refused.
    pub hold: bool,
    /// The answer does not wait for what takes its time: `Prefer: respond-async` (RFC 7240, section 4.1). No parameter says so.
    pub respond_async: bool,
}

impl Query for DefinitionQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in pairs {
            match name.as_str() {
                "drop" => {
                    for field in value.split(',').map(str::trim).filter(|field| !field.is_empty()) {
                        match field.parse() {
                            Ok(field) => query.drop.push(field),
                            Err(_) => errors.push(name.clone(), no_such_field(field)),
                        }
                    }
                }
                "dry_run" | "hold" => {
                    let told = match value.as_str() {
                        "true" | "1" => Some(true),
                        "false" | "0" | "" => Some(false),
                        _ => {
                            errors.push(name.clone(), invalid("Use true or false."));
                            None
                        }
                    };
                    *(if name == "hold" { &mut query.hold } else { &mut query.dry_run }) = told.unwrap_or(false);
                }
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        let names: Vec<&str> = self.drop.iter().map(FieldName::as_str).collect();
        let drop = (!names.is_empty()).then(|| ("drop".to_owned(), names.join(",")));
        let flag = |name: &str, flag: bool| flag.then(|| (name.to_owned(), "true".to_owned()));
        drop.into_iter().chain(flag("dry_run", self.dry_run)).chain(flag("hold", self.hold)).collect()
    }
}

/// The members of a collection that the server sets.
const READ_ONLY: &[&str] = &["id", "created_at", "updated_at", "count"];

/// Takes off what the server owns, so that what was read can be sent back. The count is dropped: it changes with every record.
fn sent_back(reader: &mut Reader) -> Object {
    let mut sent_back = reader.sent_back(READ_ONLY);
    sent_back.remove("count");
    sent_back
}

impl Body for Definition {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let sent_back = sent_back(&mut reader);
        let name = reader.parsed("name");
        let aliases = reader.list("aliases");
        let description = reader.text_or_empty("description");
        let ids = Ids::read(&mut reader);
        let fields = match reader.take("fields") {
            Some(value) => read_fields(value, &mut reader.errors),
            None => Some(Vec::new()),
        };
        let indexes = reader.take("indexes").and_then(|value| read_indexes(value, &mut reader.errors));
        let access = match reader.take("access") {
            Some(value) => read_access(value, &mut reader.errors).map(|access| access.apply(AccessRules::default())),
            None => Some(AccessRules::default()),
        };
        let history = reader.take("history").and_then(|value| History::read(value, &mut reader.errors));
        let revision = reader.length("revision").map(Revision);
        let errors = reader.finish();
        match (name, fields, access) {
            (Some(name), Some(fields), Some(access)) => errors.or(Self {
                name,
                aliases,
                description,
                ids,
                fields,
                indexes,
                access,
                history,
                revision,
                sent_back,
            }),
            _ => Err(errors),
        }
    }

    fn from_exact(body: Exact) -> Result<Self, FieldErrors> {
        let (value, text) = body.into_parts();
        let mut read = Self::from_json(value)?;
        let mut errors = FieldErrors::new();
        if let Some(text) = text {
            Defaults::of(&text).put(&mut read.fields, &mut errors);
        }
        errors.or(read)
    }

    fn to_json(&self) -> Value {
        json!(self)
    }

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A patch of a collection.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = crate::schema::read_only(READ_ONLY)))]
pub struct DefinitionPatch {
    /// Its name, which may be another than before.
    #[cfg_attr(feature = "schema", schemars(transform = crate::schema::not_null))]
    pub name: Option<CollectionName>,
    /// Names that it had before and that still lead to it.
    #[cfg_attr(feature = "schema", schemars(transform = crate::schema::not_null))]
    pub aliases: Option<Vec<CollectionName>>,
    /// A new sentence.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Text>", transform = crate::schema::not_null))]
    pub description: Option<String>,
    /// What the ids of its records are, while there are none.
    pub ids: Option<Ids>,
    /// All fields anew.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_FIELDS), transform = crate::schema::not_null))]
    pub fields: Option<Vec<Field>>,
    /// How much of its records' history is kept.
    #[cfg_attr(feature = "schema", schemars(transform = crate::schema::not_null))]
    pub history: Option<History>,
    /// All indexes over several fields anew.
    #[cfg_attr(feature = "schema", schemars(length(max = MAX_INDEXES), transform = crate::schema::not_null))]
    pub indexes: Option<Vec<IndexDefinition>>,
    /// The rules to change.
    #[cfg_attr(feature = "schema", schemars(with = "Option<AccessRules>", transform = crate::schema::not_null))]
    pub access: Option<AccessPatch>,
    /// The revision that was read, as `If-Match`.
    pub revision: Option<Revision>,
    /// The members that the server sets and that were sent back: see [`Collection::check_sent_back`].
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub sent_back: Object,
}

impl DefinitionPatch {
    /// The definition that `collection` becomes.
    pub fn apply(self, collection: &Collection) -> Definition {
        Definition {
            name: self.name.unwrap_or_else(|| collection.name.clone()),
            aliases: self.aliases,
            description: self.description.unwrap_or_else(|| collection.description.clone()),
            ids: self.ids,
            fields: self.fields.unwrap_or_else(|| collection.fields.clone()),
            indexes: self.indexes,
            access: self.access.unwrap_or_default().apply(collection.access.clone()),
            history: self.history,
            revision: self.revision,
            sent_back: self.sent_back,
        }
    }
}

/// A patch of one field: the members that change.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldPatch(pub Object);

impl Body for FieldPatch {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        object(value).map(Self)
    }

    fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for FieldPatch {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldPatch".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Object::json_schema(generator)
    }
}

impl Body for Field {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        read_field(value)
    }

    fn to_json(&self) -> Value {
        json!(self)
    }
}

/// Changes to access rules: the actions that are named, with all their rules anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessPatch(Vec<(Action, Vec<Rule>)>);

impl AccessPatch {
    /// The rules that `rules` become.
    pub fn apply(self, mut rules: AccessRules) -> AccessRules {
        for (action, list) in self.0 {
            *rules.rules_mut(action) = list;
        }
        rules
    }

    fn to_json(&self) -> Value {
        Value::Object(self.0.iter().map(|(action, list)| (action.name().to_owned(), json!(list))).collect())
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
        let aliases = reader.list("aliases");
        let description = has_description.then(|| reader.text_or_empty("description"));
        let ids = Ids::read(&mut reader);
        let fields = reader.take("fields").and_then(|value| read_fields(value, &mut reader.errors));
        let indexes = reader.take("indexes").and_then(|value| read_indexes(value, &mut reader.errors));
        let access = reader.take("access").and_then(|value| read_access(value, &mut reader.errors));
        let history = reader.take("history").and_then(|value| History::read(value, &mut reader.errors));
        let revision = reader.length("revision").map(Revision);
        reader.finish().or(Self {
            name,
            aliases,
            description,
            ids,
            fields,
            history,
            indexes,
            access,
            revision,
            sent_back,
        })
    }

    fn from_exact(body: Exact) -> Result<Self, FieldErrors> {
        let (value, text) = body.into_parts();
        let mut read = Self::from_json(value)?;
        let mut errors = FieldErrors::new();
        if let Some(text) = text {
            Defaults::of(&text).put(read.fields.as_deref_mut().unwrap_or_default(), &mut errors);
        }
        errors.or(read)
    }

    fn to_json(&self) -> Value {
        members([
            ("name", self.name.as_ref().map(|name| json!(name))),
            ("aliases", self.aliases.as_ref().map(|aliases| json!(aliases))),
            ("description", self.description.as_ref().map(|text| json!(text))),
            ("ids", self.ids.map(|ids| json!(ids))),
            ("fields", self.fields.as_ref().map(|fields| json!(fields))),
            ("indexes", self.indexes.as_ref().map(|indexes| json!(indexes))),
            ("access", self.access.as_ref().map(AccessPatch::to_json)),
            ("history", self.history.map(|history| json!(history))),
            ("revision", self.revision.map(|revision| json!(revision))),
        ])
    }
}

fn read_access(value: Value, errors: &mut FieldErrors) -> Option<AccessPatch> {
    let mut reader = match Reader::new(value) {
        Ok(reader) => reader,
        Err(wrong) => {
            errors.nest("access", wrong);
            return None;
        }
    };
    let lists = Action::ALL.into_iter().filter_map(|action| Some((action, reader.list(action.name())?))).collect();
    let wrong = reader.finish();
    let fine = wrong.is_empty();
    errors.nest("access", wrong);
    fine.then_some(AccessPatch(lists))
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
    fn errors_are_named_by_their_path() {
        let body = json!({"name": "Snacks", "zzz": 1, "fields": [
            {"name": "a", "type": "txt"}, {"name": "b", "type": "text", "limit": 3}, {"name": "id", "type": "text"},
            {"name": "c", "type": "integer", "min": 3, "max": 1}, {"name": "c", "type": "json", "unique": true},
            {"name": "d", "type": "text", "pattern": "("}, {"name": "e", "type": "reference", "collection": "x", "on_delete": "set_null", "required": true},
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
}
