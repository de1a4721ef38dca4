//! What the server's OpenAPI document says of an address: its filters, the bodies that it takes, and by which member its rows are found below it.

use serde_json::Value;

use super::fields::{Member, MemberKind};

/// The methods that people send, in this order.
pub(super) const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// An address in the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'a> {
    document: &'a Value,
    pattern: &'a str,
    item: &'a Value,
}

/// What a path is in the document. Of several patterns that with the most fixed parts counts.
pub(super) fn find<'a>(document: &'a Value, path: &str) -> Option<Described<'a>> {
    let parts: Vec<&str> = split(path).collect();
    let paths = document["paths"].as_object()?;
    let found = paths.iter().filter(|(pattern, _)| {
        let known: Vec<&str> = split(pattern).collect();
        known.len() == parts.len() && known.iter().zip(&parts).all(|(known, part)| is_open(known) || known == part)
    });
    let (pattern, item) = found.min_by_key(|(pattern, _)| split(pattern).filter(|part| is_open(part)).count())?;
    Some(Described { document, pattern, item })
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

fn is_open(part: &str) -> bool {
    part.starts_with('{')
}

impl Described<'_> {
    /// The methods that it takes. What has records can be asked what they look like, and everything else which methods it takes.
    pub(super) fn methods(&self) -> Vec<&'static str> {
        let has = |method: &&str| *method == "OPTIONS" || self.item.get(method.to_lowercase()).is_some();
        METHODS.into_iter().filter(has).collect()
    }

    /// The parameters of its query.
    pub(super) fn filters(&self) -> Vec<String> {
        let parameters = self.item["get"]["parameters"].as_array().into_iter().flatten();
        let of_query = parameters.filter(|parameter| parameter["in"] == "query");
        of_query.filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned())).collect()
    }

    /// The member whose value leads from a row of this list to its own address.
    pub(super) fn lookup(&self) -> Option<String> {
        let below = self.document["paths"].as_object()?.keys().find_map(|pattern| {
            let last = pattern.strip_prefix(self.pattern)?.trim_matches('/').strip_prefix('{')?.strip_suffix('}')?;
            (!last.contains('/')).then_some(last)
        })?;
        Some(if below == "collection" { "name".to_owned() } else { below.to_owned() })
    }

    /// The members of the body that a method takes.
    pub(super) fn members(&self, method: &str) -> Vec<Member> {
        let content = &self.item[method.to_lowercase()]["requestBody"]["content"];
        let schema = self.meant(&content["application/json"]["schema"]);
        let mut members = Vec::new();
        self.collect(schema, &mut members);
        if let Some(first) = schema["anyOf"].as_array().and_then(|any| any.first()) {
            self.collect(self.meant(first), &mut members);
        }
        members.sort_by_key(|member| !member.is_required);
        members
    }

    fn collect(&self, schema: &Value, members: &mut Vec<Member>) {
        let required = schema["required"].as_array();
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
        for (name, of) in schema["properties"].as_object().into_iter().flatten() {
            if of["readOnly"] == true {
                continue;
            }
            let help = of["description"].as_str().unwrap_or_default().to_owned();
            let kind = self.kind(of);
            members.push(Member {
                name: name.clone(),
                label: name.clone(),
                help,
                is_required: is_required(name),
                kind,
            });
        }
    }

    fn kind(&self, schema: &Value) -> MemberKind {
        let schema = self.meant(schema);
        if let Some(choices) = schema["enum"].as_array() {
            let texts = choices.iter().filter_map(Value::as_str);
            return MemberKind::Choice(texts.map(|text| (text.to_owned(), text.to_owned())).collect());
        }
        let word = match &schema["type"] {
            Value::Array(words) => words.iter().filter_map(Value::as_str).find(|word| *word != "null"),
            word => word.as_str(),
        };
        match word {
            Some("string") => MemberKind::Text,
            Some("boolean") => MemberKind::Boolean,
            Some("integer" | "number") => MemberKind::Number,
            Some(_) => MemberKind::Json,
            None => match ["anyOf", "oneOf", "allOf"].iter().find_map(|of| schema[*of].as_array()?.first()) {
                Some(first) => self.kind(first),
                None => MemberKind::Json,
            },
        }
    }

    /// A schema, or the one that it names.
    fn meant<'b>(&'b self, schema: &'b Value) -> &'b Value {
        let named = schema["$ref"].as_str().and_then(|name| self.document.pointer(name.strip_prefix('#')?));
        named.unwrap_or(schema)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "paths": {
                "/api/token/": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Credentials"}}}}}},
                "/api/records/{collection}/{id}/history/": {"get": {}},
                "/api/records/snacks/": {"get": {"parameters": [{"name": "title", "in": "query"}, {"name": "x", "in": "header"}]}, "post": {}},
                "/api/records/snacks/{slug}/": {"get": {}, "patch": {}},
                "/api/collections/": {"get": {}},
                "/api/collections/{collection}/": {"get": {}},
                "/api/collections/{collection}/fields/": {"post": {}}
            },
            "components": {"schemas": {
                "Name": {"type": "string"},
                "Credentials": {"type": "object", "required": ["password"], "properties": {
                        "again": {"type": ["boolean", "null"]}, "id": {"readOnly": true}, "password": {"type": "string", "description": "As typed."},
                        "kind": {"enum": ["a", "b", null]}, "n": {"anyOf": [{"type": "integer"}, {"const": null}]}, "roles": {"type": "array"}},
                    "anyOf": [{"required": ["username"], "properties": {"username": {"$ref": "#/components/schemas/Name"}}}, {"properties": {"email": {}}}]}
            }}
        })
    }

    #[test]
    fn an_address_has_its_methods_filters_and_the_way_to_its_rows() {
        let document = document();
        let of = |path| find(&document, path);
        let list = of("/api/records/snacks/").unwrap();
        assert_eq!(list.methods(), ["GET", "POST", "OPTIONS"]);
        assert_eq!(list.filters(), ["title"]);
        assert_eq!(list.lookup().as_deref(), Some("slug"));
        assert_eq!(of("/api/collections").unwrap().lookup().as_deref(), Some("name"));
        assert_eq!(of("/api/records/snacks/7/").unwrap().methods(), ["GET", "PATCH", "OPTIONS"]);
        assert!(of("/api/records/snacks/7/").unwrap().lookup().is_none());
        assert!(of("/api/nothing/").is_none() && of("/").is_none() && find(&Value::Null, "/api/").is_none());
    }

    #[test]
    fn the_members_of_a_body_are_those_of_its_schema() {
        let document = document();
        let members = find(&document, "/api/token/").unwrap().members("POST");
        let told: Vec<_> =
            members.iter().map(|member| (member.name.as_str(), &member.kind, member.is_required)).collect();
        let choice = MemberKind::Choice(vec![("a".to_owned(), "a".to_owned()), ("b".to_owned(), "b".to_owned())]);
        assert_eq!(
            told,
            [
                ("password", &MemberKind::Text, true),
                ("username", &MemberKind::Text, true),
                ("again", &MemberKind::Boolean, false),
                ("kind", &choice, false),
                ("n", &MemberKind::Number, false),
                ("roles", &MemberKind::Json, false),
            ]
        );
        assert!(find(&document, "/api/token/").unwrap().members("DELETE").is_empty());
    }
}
