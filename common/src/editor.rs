//! The collection editor's model: a definition as it is being typed. [`Editor::definition`] reads it with the server's own
//! code, so that faults stand at their place before anything is sent.

use serde_json::{Map, Value, json};

use crate::{
    access::Action,
    collection::{Collection, Definition},
    field::{Field, FieldType, OnDelete},
    form::input_text,
    id::Revision,
    json as strict_json,
    problem::{FieldErrors, Problem},
    reader::Body,
};

/// How an option of a field type is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// A whole number.
    Number,
    /// A text.
    Text,
    /// `true` or empty.
    Flag,
    /// Several texts, a line each.
    Lines,
    /// The name of a collection.
    Collection,
    /// One of [`OnDelete::WORDS`].
    OnDelete,
}

/// One option of a field type: its member, its label, how it is typed.
pub type OptionInfo = (&'static str, &'static str, OptionKind);

/// The options that fields of a type have.
pub fn options(word: &str) -> &'static [OptionInfo] {
    use OptionKind::{Flag, Lines, Number, Text};
    match word {
        "text" => &[
            ("min_length", "Shortest", Number),
            ("max_length", "Longest", Number),
            ("pattern", "Pattern", Text),
            ("multiline", "Several lines", Flag),
        ],
        "integer" => &[("min", "At least", Number), ("max", "At most", Number)],
        "decimal" => {
            &[("min", "At least", Text), ("max", "At most", Text), ("places", "Digits after the point", Number)]
        }
        "choice" => &[("choices", "Choices, one on a line", Lines), ("many", "Several at once", Flag)],
        "reference" => &[
            ("collection", "Collection", OptionKind::Collection),
            ("on_delete", "When that is deleted", OptionKind::OnDelete),
        ],
        "json" => &[("max_bytes", "At most so many bytes", Number)],
        _ => &[],
    }
}

/// One field as it is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDraft {
    /// Its name.
    pub name: String,
    /// Its type's word; one of [`FieldType::WORDS`].
    pub kind: String,
    /// As in [`Field`].
    pub required: bool,
    /// As in [`Field`].
    pub nullable: bool,
    /// As in [`Field`].
    pub unique: bool,
    /// As in [`Field`].
    pub indexed: bool,
    /// Empty for none. Text as it is; other types as JSON.
    pub default: String,
    /// As in [`Field`].
    pub help: String,
    /// What was typed for the type's options, by member name.
    options: Vec<(String, String)>,
}

impl FieldDraft {
    fn new() -> Self {
        Self {
            name: String::new(),
            kind: "text".to_owned(),
            required: false,
            nullable: false,
            unique: false,
            indexed: false,
            default: String::new(),
            help: String::new(),
            options: Vec::new(),
        }
    }

    fn from_field(field: &Field) -> Self {
        let typed = json!(field.kind);
        let options = options(field.kind.word()).iter().filter_map(|(name, _, kind)| {
            let text = match typed.get(name)? {
                Value::Bool(false) => String::new(),
                Value::Array(items) if *kind == OptionKind::Lines => input_text(&Value::Array(items.clone())),
                value => input_text(value),
            };
            Some(((*name).to_owned(), text))
        });
        Self {
            name: field.name.to_string(),
            kind: field.kind.word().to_owned(),
            required: field.required,
            nullable: field.nullable,
            unique: field.unique,
            indexed: field.indexed,
            default: field.default.as_ref().map(default_text).unwrap_or_default(),
            help: field.help.clone(),
            options: options.collect(),
        }
    }

    /// What was typed for an option.
    pub fn option(&self, name: &str) -> &str {
        self.options.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }

    /// Types an option.
    pub fn set_option(&mut self, name: &str, text: impl Into<String>) {
        self.options.retain(|(known, _)| known != name);
        self.options.push((name.to_owned(), text.into()));
    }

    fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("name".to_owned(), self.name.as_str().into());
        body.insert("type".to_owned(), self.kind.as_str().into());
        for (name, _, kind) in options(&self.kind) {
            let text = self.option(name);
            if text.is_empty() {
                continue;
            }
            let value = match kind {
                OptionKind::Number => text.trim().parse::<i64>().map_or_else(|_| text.into(), Value::from),
                OptionKind::Flag => (text == "true").into(),
                OptionKind::Lines => text.lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
                OptionKind::Text | OptionKind::Collection | OptionKind::OnDelete => text.into(),
            };
            body.insert((*name).to_owned(), value);
        }
        for (name, flag) in [
            ("required", self.required),
            ("nullable", self.nullable),
            ("unique", self.unique),
            ("indexed", self.indexed),
        ] {
            body.insert(name.to_owned(), flag.into());
        }
        if !self.default.is_empty() {
            let textual = matches!(
                self.kind.as_str(),
                "text" | "email" | "url" | "choice" | "date" | "datetime" | "decimal" | "reference"
            );
            let read = if textual && self.option("many") != "true" {
                None
            } else {
                strict_json::parse(self.default.as_bytes()).ok()
            };
            body.insert("default".to_owned(), read.unwrap_or_else(|| self.default.as_str().into()));
        }
        body.insert("help".to_owned(), self.help.as_str().into());
        Value::Object(body)
    }
}

fn default_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A collection's definition as it is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    /// Its name; fixed once the collection exists.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// Its fields.
    pub fields: Vec<FieldDraft>,
    /// The rules for each of [`Action::ALL`], with commas between them.
    pub access: [String; 5],
    /// What is wrong, by place: `name`, `fields.0.type`, `access.list`.
    pub errors: FieldErrors,
    /// What is wrong with the whole, for people.
    pub message: Option<String>,
    revision: Option<Revision>,
}

impl Default for Editor {
    fn default() -> Self {
        let rules = crate::access::AccessRules::default();
        Self {
            name: String::new(),
            description: String::new(),
            fields: vec![FieldDraft { required: true, ..FieldDraft::new() }],
            access: Action::ALL.map(|action| join_rules(&rules, action)),
            errors: FieldErrors::new(),
            message: None,
            revision: None,
        }
    }
}

fn join_rules(rules: &crate::access::AccessRules, action: Action) -> String {
    rules.rules(action).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Editor {
    /// Begins with a collection that exists.
    pub fn edit(collection: &Collection) -> Self {
        Self {
            name: collection.name.to_string(),
            description: collection.description.clone(),
            fields: collection.fields.iter().map(FieldDraft::from_field).collect(),
            access: Action::ALL.map(|action| join_rules(&collection.access, action)),
            errors: FieldErrors::new(),
            message: None,
            revision: Some(collection.revision),
        }
    }

    /// The collection exists already.
    pub fn is_edit(&self) -> bool {
        self.revision.is_some()
    }

    /// Adds an empty field at the end.
    pub fn add_field(&mut self) {
        self.fields.push(FieldDraft::new());
    }

    /// Takes a field out.
    pub fn remove_field(&mut self, index: usize) {
        if index < self.fields.len() {
            self.fields.remove(index);
        }
    }

    /// Moves a field by one place up or down; at the edge nothing happens. Says where it is now.
    pub fn move_field(&mut self, index: usize, down: bool) -> usize {
        let other = if down { index + 1 } else { index.wrapping_sub(1) };
        if index < self.fields.len() && other < self.fields.len() {
            self.fields.swap(index, other);
            return other;
        }
        index
    }

    /// The definition to send; `None` where something is wrong, and [`Self::errors`] then says where.
    pub fn definition(&mut self) -> Option<Definition> {
        let access = Action::ALL.iter().zip(&self.access).map(|(action, rules)| {
            let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect::<Vec<_>>();
            (action.name().to_owned(), json!(rules))
        });
        let body = json!({
            "name": self.name.trim(),
            "description": self.description,
            "fields": self.fields.iter().map(FieldDraft::to_json).collect::<Vec<_>>(),
            "access": access.collect::<Map<_, _>>(),
        });
        self.message = None;
        match Definition::from_json(body) {
            Ok(definition) => {
                self.errors = FieldErrors::new();
                Some(Definition { revision: self.revision, ..definition })
            }
            Err(errors) => {
                self.errors = errors;
                None
            }
        }
    }

    /// Takes what the server said.
    pub fn refuse(&mut self, problem: &Problem) {
        self.errors = problem.errors.clone();
        self.message = Some(problem.detail.clone());
    }

    /// The first message at a place.
    pub fn error(&self, place: &str) -> Option<&str> {
        self.errors.messages(place).next()
    }
}

/// The words for `on_delete`, and what they mean.
pub const ON_DELETE_HELP: [(&str, &str); 3] = [
    (OnDelete::WORDS[0], "refuse the deletion"),
    (OnDelete::WORDS[1], "delete this record too"),
    (OnDelete::WORDS[2], "make this empty"),
];

/// Every type's word with what it is for.
pub const TYPE_HELP: [(&str, &str); 11] = [
    (FieldType::WORDS[0], "Text"),
    (FieldType::WORDS[1], "Whole number"),
    (FieldType::WORDS[2], "Exact decimal number"),
    (FieldType::WORDS[3], "Yes or no"),
    (FieldType::WORDS[4], "Day"),
    (FieldType::WORDS[5], "Moment"),
    (FieldType::WORDS[6], "E-mail address"),
    (FieldType::WORDS[7], "Web address"),
    (FieldType::WORDS[8], "Choice from a list"),
    (FieldType::WORDS[9], "Record of another collection"),
    (FieldType::WORDS[10], "Any JSON"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_edits_back_to_itself() {
        let fields = json!([
            {"name": "title", "type": "text", "max_length": 9, "required": true, "nullable": false, "unique": true, "indexed": false, "default": "true", "help": "h"},
            {"name": "size", "type": "choice", "choices": ["s", "m"], "many": true, "required": false, "nullable": false, "unique": false, "indexed": false, "default": ["s"]},
            {"name": "price", "type": "decimal", "min": "0.5", "places": 2, "required": false, "nullable": true, "unique": false, "indexed": true, "default": "1.50"},
            {"name": "of", "type": "reference", "collection": "snacks", "on_delete": "set_null", "required": false, "nullable": true, "unique": false, "indexed": false},
            {"name": "n", "type": "integer", "min": -1, "required": false, "nullable": false, "unique": false, "indexed": false, "default": 3}
        ]);
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "description": "d", "created_at": "", "updated_at": "", "revision": 4,
            "fields": fields, "access": {"list": ["anyone"], "view": ["role:editor", "owner"], "create": [], "update": [], "delete": ["nobody"]}
        }))
        .unwrap();
        let mut editor = Editor::edit(&collection);
        assert_eq!(editor.definition(), Some(Definition::from(collection)), "{:?}", editor.errors);
    }

    #[test]
    fn faults_stand_at_their_place() {
        let mut editor = Editor::default();
        editor.access[0] = "everyone".to_owned();
        editor.fields[0].set_option("max_length", "many");
        assert_eq!(editor.definition(), None);
        assert!(editor.error("name").is_some() && editor.error("fields.0.name").is_some());
        assert_eq!(editor.error("fields.0.max_length"), Some("A valid integer is required."));
        assert!(editor.error("access.list").is_some());
    }

    #[test]
    fn fields_move_and_stay_inside() {
        let mut editor = Editor::default();
        editor.add_field();
        editor.fields[1].name = "b".to_owned();
        assert_eq!(editor.move_field(1, false), 0);
        assert_eq!(editor.move_field(0, false), 0);
        assert_eq!(editor.fields[0].name, "b");
    }
}
