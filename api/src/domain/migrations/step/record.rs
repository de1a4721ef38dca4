//! The part of a step that changes records.

use std::collections::BTreeMap;

use common::{
    Object,
    conversion::Conversion,
    name::FieldName,
    problem::FieldErrors,
    reader::{Reader, invalid},
};
use serde_json::{Value, json};

use super::members::{by_name, field_name, filter, list, members_of, of_filter};

/// What becomes of records, in this order: copied, converted, split, set, cleared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordChange {
    /// Which records; all without it.
    pub filter: Option<String>,
    /// Fields that get what another has, by their names.
    pub copy: BTreeMap<FieldName, FieldName>,
    /// Fields whose values are converted, and how.
    pub convert: BTreeMap<FieldName, Value>,
    /// Texts that are taken apart.
    pub split: Vec<Split>,
    /// Fields that get a value.
    pub set: Object,
    /// Fields that become null.
    pub clear: Vec<FieldName>,
}

/// A text that is taken apart: the last part has what is left.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The text.
    pub field: FieldName,
    /// What stands between its parts; spaces where nothing is said.
    pub at: Option<String>,
    /// The fields that get them.
    pub into: Vec<FieldName>,
}

impl RecordChange {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut split = Vec::new();
        for (i, item) in list(reader, "split").into_iter().enumerate() {
            let part = members_of(&item).map_err(|error| FieldErrors::of("split", error)).and_then(Split::read);
            match part {
                Ok(part) => split.push(part),
                Err(wrong) => reader.errors.nest(&format!("split.{i}"), wrong),
            }
        }
        let convert = by_name(reader, "convert", |value| Conversion::read(value.clone()).map(|_| value.clone()));
        let set = reader.take("set").map_or_else(|| Some(Object::new()), |value| members_of(&value).ok());
        if set.is_none() {
            reader.errors.push("set", invalid("This is an object: fields, and the value of each."));
        }
        let change = Self {
            filter: filter(reader),
            copy: by_name(reader, "copy", field_name),
            convert,
            split,
            set: set.unwrap_or_default(),
            clear: reader.list("clear").unwrap_or_default(),
        };
        if change.is_empty() {
            let message = "This changes nothing: say what is copied, converted, split, set or cleared.";
            reader.errors.push("update", invalid(message));
        }
        change
    }

    fn is_empty(&self) -> bool {
        Self { filter: None, ..self.clone() } == Self::default()
    }

    pub(super) fn put(&self, step: &mut Object) {
        let mut put = |name: &str, value: Value, is_there: bool| {
            if is_there {
                step.insert(name.to_owned(), value);
            }
        };
        put("where", json!(self.filter), self.filter.is_some());
        put("copy", json!(self.copy), !self.copy.is_empty());
        put("convert", json!(self.convert), !self.convert.is_empty());
        put("split", self.split.iter().map(Split::to_json).collect(), !self.split.is_empty());
        put("set", json!(self.set), !self.set.is_empty());
        put("clear", json!(self.clear), !self.clear.is_empty());
    }

    pub(super) fn in_words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.copy.iter().map(|(to, from)| format!("copy {from} to {to}")));
        words.extend(self.convert.keys().map(|name| format!("convert {name}")));
        let names = |names: &[FieldName]| names.iter().map(FieldName::as_str).collect::<Vec<_>>().join(" and ");
        words.extend(self.split.iter().map(|split| format!("split {} into {}", split.field, names(&split.into))));
        words.extend(self.set.keys().map(|name| format!("set {name}")));
        words.extend(self.clear.iter().map(|name| format!("clear {name}")));
        words.join(", ") + &of_filter(self.filter.as_ref())
    }
}

impl Split {
    fn read(members: Object) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(Value::Object(members))?;
        let field = reader.parsed("field");
        let into: Vec<FieldName> = reader.list("into").unwrap_or_default();
        let at = reader.take("at").and_then(|value| match value {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => reader.fail("at", invalid("This is what stands between the parts. Leave it out for spaces.")),
        });
        if into.len() < 2 {
            reader.errors.push("into", invalid("Name two fields or more."));
        }
        let errors = reader.finish();
        match field {
            Some(field) => errors.or(Self { field, at, into }),
            None => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        let mut members = Object::new();
        members.insert("field".to_owned(), json!(self.field));
        members.extend(self.at.as_ref().map(|at| ("at".to_owned(), json!(at))));
        members.insert("into".to_owned(), json!(self.into));
        Value::Object(members)
    }
}
