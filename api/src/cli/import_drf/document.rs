//! An OpenAPI document: which of its paths are lists of records, and what is said of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use common::{
    Endpoint as _, Object,
    access::Action,
    endpoints::{tokens, users},
    published::ListForm,
};
use serde_json::Value;

/// References in a row at most.
const MAX_REFERENCES: usize = 16;
/// Bodies of the routes that sign in, by the end of their names, and the own route of each.
const TOKEN_BODIES: [(&str, &str); 5] = [
    ("TokenObtainPair", tokens::Obtain::PATH),
    ("TokenObtainSliding", tokens::Obtain::PATH),
    ("TokenRefresh", tokens::Refresh::PATH),
    ("TokenVerify", tokens::Verify::PATH),
    ("TokenBlacklist", tokens::Blacklist::PATH),
];
/// What the address of who one is ends with.
const WHO_AM_I: [&str; 4] = ["/users/me/", "/me/", "/user/", "/whoami/"];

/// An OpenAPI document.
pub(super) struct Document(Value);

/// Paths of one kind of record: those of its list, and of a record.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    /// The address of the list.
    pub(super) path: String,
    /// The name of the parameter that names a record.
    pub(super) lookup: Option<String>,
    /// The shape of the list.
    pub(super) list: ListForm,
    /// What may be done.
    pub(super) actions: Vec<Action>,
    /// What may be done without signing in.
    pub(super) open: Vec<Action>,
    /// The name of the record's schema.
    pub(super) component: Option<&'a str>,
    /// The record's members.
    pub(super) properties: Vec<(&'a str, &'a Value)>,
    /// Those that have to be sent.
    pub(super) required: BTreeSet<&'a str>,
}

/// Another address of one of the own routes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnRoute {
    /// The address.
    pub(super) path: String,
    /// The own route.
    pub(super) alias: &'static str,
    /// The members that it answers, where they are known.
    pub(super) members: Vec<String>,
}

/// Methods of a path, and of the path of one record under it.
#[derive(Default)]
struct Pair<'a> {
    list: Option<&'a Object>,
    detail: Option<(&'a Object, String)>,
}

impl Document {
    /// Reads a document.
    pub(super) fn read(value: Value) -> Result<Self> {
        if value.get("swagger").is_some() {
            bail!("this is a document of OpenAPI 2; version 3 is read, as drf-spectacular writes it");
        }
        if value.get("paths").and_then(Value::as_object).is_none_or(Object::is_empty) {
            bail!("this OpenAPI document has no paths; manage.py spectacular writes one that has");
        }
        Ok(Self(value))
    }

    fn paths(&self) -> impl Iterator<Item = (String, &Object)> {
        let paths = self.0.get("paths").and_then(Value::as_object).into_iter().flatten();
        paths.filter_map(|(path, item)| Some((format!("/{}/", path.trim_matches('/')), item.as_object()?)))
    }

    /// What a schema is, and the name of the last one that was referred to. What is one of several, of which all others are empty or null,
    /// is that one.
    pub(super) fn resolve<'a>(&'a self, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        let (mut schema, mut name) = (schema, None);
        for _ in 0..MAX_REFERENCES {
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                let Some(found) = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer)) else {
                    break;
                };
                (schema, name) = (found, reference.rsplit('/').next());
                continue;
            }
            let parts = ["allOf", "oneOf", "anyOf"].into_iter().find_map(|word| schema.get(word)?.as_array());
            let Some(parts) = parts else { break };
            let mut real = parts.iter().filter(|part| !self.is_nothing(part));
            match (real.next(), real.next()) {
                (Some(only), None) => schema = only,
                _ => break,
            }
        }
        (schema, name)
    }

    /// Whether a schema is of nothing but null or the empty text.
    pub(super) fn is_nothing(&self, schema: &Value) -> bool {
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer)).unwrap_or(schema)
            }
            None => schema,
        };
        let is_empty = |value: &Value| value.is_null() || value == "";
        let values = schema.get("enum").and_then(Value::as_array);
        values.is_some_and(|values| values.iter().all(is_empty))
            || schema.get("type").is_some_and(|kind| kind == "null")
            || schema.get("maxLength").is_some_and(|most| *most == 0)
    }

    /// The routes that sign in, and the one of who one is.
    pub(super) fn own_routes(&self) -> Vec<OwnRoute> {
        let mut found = Vec::new();
        for (path, item) in self.paths() {
            let body = item.get("post").and_then(|post| self.body(post)).and_then(|body| self.resolve(body).1);
            let of_body = TOKEN_BODIES.iter().find(|(end, _)| {
                body.is_some_and(|body| body.trim_end_matches("Request").trim_end_matches("Serializer").ends_with(end))
            });
            if let Some((_, alias)) = of_body {
                found.push(OwnRoute { path, alias, members: Vec::new() });
                continue;
            }
            let user = item.get("get").and_then(|get| self.answer(get)).map(|answer| self.resolve(answer).0);
            let members = user.and_then(|user| user.get("properties")).and_then(Value::as_object);
            if let Some(members) = members.filter(|members| members.contains_key("username"))
                && WHO_AM_I.iter().any(|end| path.ends_with(end))
            {
                found.push(OwnRoute { path, alias: users::Me::PATH, members: members.keys().cloned().collect() });
            }
        }
        found
    }

    /// The lists of records.
    pub(super) fn resources(&self) -> Vec<Resource<'_>> {
        let mut pairs: BTreeMap<String, Pair<'_>> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        for (path, item) in self.paths() {
            let detail = path.trim_end_matches('/').rsplit_once('/').and_then(|(list, last)| {
                let parameter = last.strip_prefix('{')?.strip_suffix('}')?;
                Some((format!("{list}/"), parameter.to_owned()))
            });
            let list = detail.as_ref().map_or_else(|| path.clone(), |(list, _)| list.clone());
            if !pairs.contains_key(&list) {
                order.push(list.clone());
            }
            let pair = pairs.entry(list).or_default();
            match detail {
                Some((_, parameter)) => pair.detail = Some((item, parameter)),
                None => pair.list = Some(item),
            }
        }
        let own: Vec<String> = self.own_routes().into_iter().map(|route| route.path).collect();
        let is_other = |path: &String| !own.contains(path) && path.trim_matches('/').contains(|c: char| c != '/');
        order.into_iter().filter(is_other).filter_map(|path| self.resource(pairs.get(&path)?, path)).collect()
    }

    fn resource<'a>(&'a self, pair: &Pair<'a>, path: String) -> Option<Resource<'a>> {
        let get = |item: Option<&'a Object>| item.and_then(|item| item.get("get"));
        let detail = pair.detail.as_ref().map(|(item, _)| *item);
        let listed = get(pair.list).and_then(|get| self.answer(get)).and_then(|answer| self.items(answer));
        let viewed = get(detail).and_then(|get| self.answer(get));
        let posted = pair.list.and_then(|item| item.get("post")).and_then(|post| self.body(post));
        // Something that cannot be listed is one where it can be made and viewed.
        let (schema, form) = match (listed, viewed, posted) {
            (Some((items, form)), _, _) => (items, form),
            (None, Some(viewed), _) => (viewed, ListForm::Page),
            _ => return None,
        };
        let form = match form {
            ListForm::Page => get(pair.list).map_or(form, |get| by_parameters(get, form)),
            form => form,
        };
        let (record, component) = self.resolve(schema);
        let properties: Vec<(&str, &Value)> =
            record.get("properties")?.as_object()?.iter().map(|(name, schema)| (name.as_str(), schema)).collect();
        let sent = posted.map_or(record, |posted| self.resolve(posted).0);
        // What is written alone stands in the body only.
        let written = sent.get("properties").and_then(Value::as_object).into_iter().flatten();
        let more: Vec<(&str, &Value)> = written
            .filter(|(name, _)| !properties.iter().any(|(known, _)| known == name))
            .map(|(name, schema)| (name.as_str(), schema))
            .collect();
        let required = sent.get("required").and_then(Value::as_array).into_iter().flatten();
        let (mut actions, mut open) = (Vec::new(), Vec::new());
        for (item, method, action) in [
            (pair.list, "get", Action::List),
            (detail, "get", Action::View),
            (pair.list, "post", Action::Create),
            (detail, "put", Action::Update),
            (detail, "patch", Action::Update),
            (detail, "delete", Action::Delete),
        ] {
            let Some(operation) = item.and_then(|item| item.get(method)) else { continue };
            if !actions.contains(&action) {
                actions.push(action);
            }
            if self.is_open(operation) {
                open.push(action);
            }
        }
        Some(Resource {
            path,
            lookup: pair.detail.as_ref().map(|(_, parameter)| parameter.clone()),
            list: form,
            actions,
            open,
            component,
            properties: properties.into_iter().chain(more).collect(),
            required: required.filter_map(Value::as_str).collect(),
        })
    }

    /// The records of a list's answer, and its shape.
    fn items<'a>(&'a self, answer: &'a Value) -> Option<(&'a Value, ListForm)> {
        let (answer, _) = self.resolve(answer);
        if let Some(items) = answer.get("items") {
            return Some((items, ListForm::Array));
        }
        let properties = answer.get("properties")?;
        let form = if properties.get("count").is_some() { ListForm::Page } else { ListForm::Cursor };
        Some((self.resolve(properties.get("results")?).0.get("items")?, form))
    }

    fn is_open(&self, operation: &Value) -> bool {
        let security = operation.get("security").or_else(|| self.0.get("security")).and_then(Value::as_array);
        security
            .is_none_or(|ways| ways.is_empty() || ways.iter().any(|way| way.as_object().is_some_and(Object::is_empty)))
    }

    /// What is answered where it goes well.
    #[expect(clippy::unused_self, reason = "it is one of three that read a part of the document")]
    fn answer<'a>(&self, operation: &'a Value) -> Option<&'a Value> {
        let responses = operation.get("responses")?.as_object()?;
        let (_, good) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
        content(good)
    }

    /// What is sent.
    fn body<'a>(&'a self, operation: &'a Value) -> Option<&'a Value> {
        content(self.resolve(operation.get("requestBody")?).0)
    }
}

/// The schema of JSON, or of whatever there is.
fn content(of: &Value) -> Option<&Value> {
    let content = of.get("content")?.as_object()?;
    content.get("application/json").or_else(|| content.values().next())?.get("schema")
}

/// The shape of a paged list by the parameters that it takes.
fn by_parameters(operation: &Value, otherwise: ListForm) -> ListForm {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let names: BTreeSet<&str> = parameters.filter_map(|parameter| parameter.get("name")?.as_str()).collect();
    if names.contains("offset") {
        ListForm::LimitOffset
    } else if names.contains("cursor") {
        ListForm::Cursor
    } else {
        otherwise
    }
}
