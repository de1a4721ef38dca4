//! The members that a published path sends, and where each comes from.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Map, Value};

use crate::{problem::FieldError, reader::invalid};

/// Members of one path at most, nested ones included.
const MAX_MEMBERS: usize = 200;
/// Members within members at most.
const MAX_DEPTH: usize = 3;
/// Parts of a source at most: three references, and what is taken from the last record.
const MAX_PARTS: usize = 4;

/// One member as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name there.
    pub name: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where a member comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A member of the record, or of one that it refers to: `owner.username`.
    Path(String),
    /// An object of members.
    Members(Members),
}

/// Members in their order. In JSON a list: `["id", {"pub_date": "created_at"}, {"category": {"title": "category.title"}}]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members(pub Vec<Member>);

/// A name that a member can be published under: letters, digits, hyphens, dollar signs and single underscores.
pub fn published_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte);
    !name.is_empty() && name.len() <= 63 && name.bytes().all(is_letter) && !name.contains("__")
}

fn is_source(text: &str) -> bool {
    let is_part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && part.len() <= 130
    };
    text.split('.').count() <= MAX_PARTS && text.split('.').all(is_part)
}

impl Members {
    /// The record is sent as it is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the list.
    pub fn read(value: Value) -> Result<Self, FieldError> {
        let form = "Give a list of members: a name, {\"name\": \"source\"} or {\"name\": {\"name\": \"source\"}}.";
        let Value::Array(items) = value else { return Err(invalid(form)) };
        let mut members = Self::default();
        for item in items {
            match item {
                Value::String(name) => members.push(&name.clone(), Value::String(name), 1)?,
                Value::Object(object) => {
                    for (name, source) in object {
                        members.push(&name, source, 1)?;
                    }
                }
                _ => return Err(invalid(form)),
            }
        }
        if members.leaves().len() > MAX_MEMBERS {
            return Err(invalid(format!("A path sends {MAX_MEMBERS} members at most.")));
        }
        Ok(members)
    }

    fn push(&mut self, name: &str, source: Value, depth: usize) -> Result<(), FieldError> {
        if !published_name(name) {
            let message = format!(
                "\"{}\" is no name for a member. Use letters, digits, hyphens and single underscores.",
                crate::text::single_line(name)
            );
            return Err(invalid(message));
        }
        if self.0.iter().any(|known| known.name == name) {
            return Err(invalid(format!("\"{name}\" stands here twice.")));
        }
        let source = match source {
            Value::String(text) if is_source(&text) => Source::Path(text),
            Value::Object(inner) if depth < MAX_DEPTH && !inner.is_empty() => {
                let mut members = Self::default();
                for (name, source) in inner {
                    members.push(&name, source, depth + 1)?;
                }
                Source::Members(members)
            }
            _ => {
                let message = format!(
                    "\"{name}\" comes from nothing that is known. Name a member of the record (\"title\"), or one of a record that it refers to (\"owner.username\")."
                );
                return Err(invalid(message));
            }
        };
        self.0.push(Member { name: name.to_owned(), source });
        Ok(())
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Member> {
        self.0.iter().find(|member| member.name == name)
    }

    /// The sources of all members, nested ones too.
    pub fn leaves(&self) -> Vec<&str> {
        self.0
            .iter()
            .flat_map(|member| match &member.source {
                Source::Path(path) => vec![path.as_str()],
                Source::Members(members) => members.leaves(),
            })
            .collect()
    }

    /// The same with every source put through `rename`.
    #[must_use]
    pub fn renamed(&self, rename: &mut dyn FnMut(&str) -> String) -> Self {
        let member = |member: &Member| {
            let source = match &member.source {
                Source::Path(path) => Source::Path(rename(path)),
                Source::Members(members) => Source::Members(members.renamed(rename)),
            };
            Member { name: member.name.clone(), source }
        };
        Self(self.0.iter().map(member).collect())
    }

    fn to_object(&self) -> Map<String, Value> {
        self.0.iter().map(|member| (member.name.clone(), member.source.to_json())).collect()
    }

    /// The list.
    pub fn to_json(&self) -> Value {
        let item = |member: &Member| match &member.source {
            Source::Path(path) if *path == member.name => Value::String(path.clone()),
            source => Value::Object(Map::from_iter([(member.name.clone(), source.to_json())])),
        };
        self.0.iter().map(item).collect()
    }
}

impl Source {
    fn to_json(&self) -> Value {
        match self {
            Self::Path(path) => Value::String(path.clone()),
            Self::Members(members) => Value::Object(members.to_object()),
        }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(Value::deserialize(deserializer)?).map_err(|error| D::Error::custom(error.message))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Members {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PathMembers".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        use serde_json::json;
        let name = "^[A-Za-z0-9$-]*(_[A-Za-z0-9$-]+)*_?$";
        let part = "[a-z][a-z0-9_]{0,62}";
        let source = json!({"type": "string", "pattern": format!("^{part}(\\.{part}){{0,3}}$")});
        let within = |inner: Value| {
            json!({"type": "object", "minProperties": 1, "propertyNames": {"pattern": name, "minLength": 1, "maxLength": 63},
                "additionalProperties": inner})
        };
        let deepest = json!({"anyOf": [source, within(source.clone())]});
        let mut member = within(json!({"anyOf": [source, within(deepest)]}));
        if let Some(member) = member.as_object_mut() {
            member.remove("minProperties");
        }
        let plain = json!({"type": "string", "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*_?$", "maxLength": 63});
        schemars::json_schema!({"type": "array", "maxItems": MAX_MEMBERS, "items": {"anyOf": [plain, member]}})
    }
}
