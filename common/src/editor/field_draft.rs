//! One field of a definition as it is being typed.

use serde_json::{Map, Value, json};

use super::{
    options::{FieldOption, OptionKind, options},
    part::FieldPart,
    steps::{self, Shape, VALUE},
};
use crate::{
    field::{Field, FieldType, Unique},
    form::input_text,
    id::FieldId,
    json::{self as strict_json, Exact},
};

/// One field as it is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDraft {
    /// Which field it is, whatever it is called; `None` for a new one.
    pub id: Option<FieldId>,
    /// Its name.
    pub name: String,
    /// Its type's word; one of [`FieldType::WORDS`].
    pub kind: String,
    /// As in [`Field`].
    pub required: bool,
    /// As in [`Field`].
    pub nullable: bool,
    /// As in [`Field`].
    pub unique: Unique,
    /// As in [`Field`].
    pub indexed: bool,
    /// As in [`Field`].
    pub searchable: bool,
    /// As in [`Field`].
    pub display: bool,
    /// Empty for none. Text as it is; other types as JSON.
    pub default: String,
    /// As in [`Field`].
    pub help: String,
    /// The text typed for each of the type's options, by member name.
    options: Vec<(String, String)>,
    /// What it is so far, where it is there.
    was: Option<Box<Self>>,
}

impl FieldDraft {
    /// A field to be.
    pub(super) fn new() -> Self {
        Self {
            id: None,
            name: String::new(),
            kind: "text".to_owned(),
            required: false,
            nullable: false,
            unique: Unique::No,
            indexed: false,
            searchable: false,
            display: false,
            default: String::new(),
            help: String::new(),
            options: Vec::new(),
            was: None,
        }
    }

    /// Begins with a field that exists.
    pub(super) fn from_field(field: &Field) -> Self {
        let typed = json!(field.kind);
        let options = options(field.kind.word()).iter().filter_map(|FieldOption { member, kind, .. }| {
            let text = match typed.get(member)? {
                Value::Bool(false) => String::new(),
                Value::Array(items) if *kind == OptionKind::Lines => input_text(&Value::Array(items.clone())),
                value => input_text(value),
            };
            Some(((*member).to_owned(), text))
        });
        let draft = Self {
            id: field.id,
            name: field.name.to_string(),
            kind: field.kind.word().to_owned(),
            required: field.required,
            nullable: field.nullable,
            unique: field.unique,
            indexed: field.indexed,
            searchable: field.searchable,
            display: field.display,
            default: field.default.as_ref().map(default_text).unwrap_or_default(),
            help: field.help.clone(),
            options: options.collect(),
            was: None,
        };
        Self { was: Some(Box::new(draft.clone())), ..draft }
    }

    /// How its values look.
    fn shape(&self) -> Shape<'_> {
        Shape { kind: &self.kind, many: self.is_many() }
    }

    fn is_many(&self) -> bool {
        matches!(self.kind.as_str(), "choice" | "reference") && self.option("many") == "true"
    }

    /// Whether it has another value for nothing than null.
    fn has_empty(&self) -> bool {
        let is_text = matches!(self.kind.as_str(), "text" | "email" | "url");
        (is_text && self.unique == Unique::No) || self.kind == "boolean" || self.is_many()
    }

    /// Whether it is there, and null or a value that is sent is all that can stand there.
    fn says_nothing_by_null(&self) -> bool {
        self.was.is_some() && !self.has_empty() && self.default.is_empty()
    }

    /// The steps by which the values that there are can become its own.
    fn steps(&self) -> impl Iterator<Item = &'static FieldOption> {
        // A field that has no other value for nothing may be null, where it need not be filled in.
        let nullable = self.nullable || !(self.required || self.has_empty());
        self.was.iter().flat_map(move |was| was.shape().steps(self.shape(), nullable))
    }

    /// Each line of what replaces its values says what becomes what.
    pub(super) fn has_readable_map(&self) -> bool {
        let map = self.steps().find(|step| steps::word(step) == "map").map_or("", |step| self.option(step.member));
        map.lines().all(|line| line.trim().is_empty() || line.contains('='))
    }

    /// What can be said of the values of the records that exist, where something has to be said: the field is another than before, records
    /// do not fit (`is_asked`), or something is said.
    pub(super) fn of_values(&self, is_asked: bool) -> Vec<FieldPart> {
        let Some(was) = &self.was else {
            return if self.required { vec![FieldPart::Option(&VALUE)] } else { Vec::new() };
        };
        let is_other = self.shape() != was.shape()
            || (self.kind == "decimal" && self.option("places") != was.option("places"))
            || (was.nullable && !self.nullable)
            || (self.required && !was.required);
        let mut steps = self.steps();
        if is_asked || is_other || steps.any(|step| !self.option(step.member).is_empty()) {
            self.steps().map(FieldPart::Option).collect()
        } else {
            Vec::new()
        }
    }

    /// A part, as the text of an input; a flag is `true` or `false`.
    pub fn get(&self, part: FieldPart) -> String {
        match part {
            FieldPart::Name => self.name.clone(),
            FieldPart::Type => self.kind.clone(),
            FieldPart::Required => self.required.to_string(),
            FieldPart::Nullable => self.nullable.to_string(),
            FieldPart::Unique => (self.unique != Unique::No).to_string(),
            FieldPart::IgnoreCase => (self.unique == Unique::IgnoreCase).to_string(),
            FieldPart::Indexed => self.indexed.to_string(),
            FieldPart::Searchable => self.searchable.to_string(),
            FieldPart::Display => self.display.to_string(),
            FieldPart::Default => self.default.clone(),
            FieldPart::Help => self.help.clone(),
            FieldPart::Option(option) if option.kind == OptionKind::Flag => {
                (self.option(option.member) == "true").to_string()
            }
            FieldPart::Option(option) => self.option(option.member).to_owned(),
        }
    }

    /// Takes the text of an input.
    pub fn set(&mut self, part: FieldPart, text: String) {
        let flag = text == "true";
        match part {
            FieldPart::Name => self.name = text,
            FieldPart::Type => self.kind = text,
            // Where nothing else stands for nothing, one of the two holds: what is seen is what will be.
            FieldPart::Required => {
                self.required = flag;
                self.nullable |= !flag && self.says_nothing_by_null();
            }
            FieldPart::Nullable => {
                self.nullable = flag;
                self.required |= !flag && self.says_nothing_by_null();
            }
            FieldPart::Unique => {
                self.unique = match self.unique {
                    _ if !flag => Unique::No,
                    Unique::No => Unique::Exact,
                    unique => unique,
                }
            }
            // Without it the field stays unique.
            FieldPart::IgnoreCase => {
                self.unique = match self.unique {
                    _ if flag => Unique::IgnoreCase,
                    Unique::IgnoreCase => Unique::Exact,
                    unique => unique,
                }
            }
            FieldPart::Indexed => self.indexed = flag,
            FieldPart::Searchable => self.searchable = flag,
            FieldPart::Display => self.display = flag,
            FieldPart::Default => self.default = text,
            FieldPart::Help => self.help = text,
            FieldPart::Option(option) if option.kind == OptionKind::Flag && !flag => {
                self.set_option(option.member, String::new());
            }
            FieldPart::Option(option) => self.set_option(option.member, text),
        }
    }

    /// The text typed for an option.
    fn option(&self, name: &str) -> &str {
        self.options.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }

    fn set_option(&mut self, name: &str, text: String) {
        self.options.retain(|(known, _)| known != name);
        self.options.push((name.to_owned(), text));
    }

    /// A value of the field, as it is typed.
    fn typed(&self, text: &str) -> Value {
        let is_text = matches!(
            self.kind.as_str(),
            "text" | "email" | "url" | "choice" | "date" | "datetime" | "decimal" | "reference"
        );
        let read = if is_text && !self.is_many() { None } else { strict_json::parse(text.as_bytes()).ok() };
        read.map_or_else(|| text.into(), |exact| exact.into_parts().0)
    }

    /// Takes another type, with whether there are several.
    #[cfg(test)]
    pub(super) fn become_kind(&mut self, kind: &Value) {
        self.kind = kind["type"].as_str().unwrap_or_default().to_owned();
        self.set_option("many", kind["many"].as_bool().map_or_else(String::new, |many| many.to_string()));
    }

    /// The default, read as JSON with the digits that were typed.
    pub(super) fn exact_default(&self) -> Option<Exact> {
        strict_json::parse(self.default.as_bytes()).ok()
    }

    /// The field's definition, as a body has it.
    pub(super) fn to_json(&self) -> Value {
        let mut body = Map::new();
        if let Some(id) = self.id {
            body.insert("id".to_owned(), id.to_string().into());
        }
        body.insert("name".to_owned(), self.name.as_str().into());
        body.insert("type".to_owned(), self.kind.as_str().into());
        for FieldOption { member, kind, .. } in options(&self.kind) {
            let text = self.option(member);
            if text.is_empty() {
                continue;
            }
            let value = match kind {
                OptionKind::Number => text.trim().parse::<i64>().map_or_else(|_| text.into(), Value::from),
                OptionKind::Flag => (text == "true").into(),
                OptionKind::Lines => text.lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
                OptionKind::Text | OptionKind::Collection | OptionKind::Words(_) => text.into(),
            };
            body.insert((*member).to_owned(), value);
        }
        for (name, flag) in [("required", self.required), ("nullable", self.nullable), ("indexed", self.indexed)] {
            body.insert(name.to_owned(), flag.into());
        }
        for (name, flag) in [("searchable", self.searchable), ("display", self.display)] {
            if flag {
                body.insert(name.to_owned(), true.into());
            }
        }
        // Where another type is chosen, there may be no case.
        let has_case = FieldType::has_case(&self.kind);
        let unique = if has_case || self.unique == Unique::No { self.unique } else { Unique::Exact };
        body.insert("unique".to_owned(), unique.to_json());
        if !self.default.is_empty() {
            body.insert("default".to_owned(), self.typed(&self.default));
        }
        if self.was.is_none() && self.required && !self.option(VALUE.member).is_empty() {
            body.insert(VALUE.member.to_owned(), self.typed(self.option(VALUE.member)));
        }
        let steps = self.steps().filter_map(|it| steps::to_json(it, self.option(it.member), |text| self.typed(text)));
        let steps: Vec<Value> = steps.collect();
        if !steps.is_empty() {
            body.insert("convert".to_owned(), steps.into());
        }
        body.insert("help".to_owned(), self.help.as_str().into());
        Value::Object(body)
    }
}

fn default_text(value: &Exact) -> String {
    value.as_str().map_or_else(|| value.to_text(), str::to_owned)
}
