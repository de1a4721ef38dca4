//! The collection editor's model: a definition as it is being typed, what is wrong with it and when that is shown. It is read with
//! the server's own code, so that errors stand at their part before anything is sent. Both clients draw it.

mod field_draft;
mod options;
mod part;

pub use self::{
    field_draft::FieldDraft,
    options::{FieldOption, ON_DELETE_HELP, OptionKind, TYPE_HELP, options},
    part::{FieldPart, Part},
};

use serde_json::{Map, json};

use crate::{
    access::{AccessRules, Action},
    call_error::CallError,
    collection::{Collection, Definition},
    conflict::Refusal,
    id::Revision,
    problem::FieldErrors,
    reader::Body,
    text,
};

/// The draft: a definition whose parts are texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionDraft {
    /// Its name; fixed once the collection exists.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// Its fields.
    pub fields: Vec<FieldDraft>,
    /// The rules for each of [`Action::ALL`], with commas between them.
    pub access: [String; 5],
}

/// The editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    /// The draft. It is changed through [`Self::write`] and the methods for whole fields.
    pub draft: DefinitionDraft,
    /// The draft when the editor was opened.
    opened: DefinitionDraft,
    /// The errors, by path.
    errors: FieldErrors,
    /// The errors of the whole, for people.
    message: Option<String>,
    /// Saving was tried once, so that also what is still empty is marked.
    tried: bool,
    /// What is wrong is the server's word, which stands until something is changed.
    refused: bool,
    revision: Option<Revision>,
}

impl Default for Editor {
    fn default() -> Self {
        let mut field = FieldDraft::new();
        field.required = true;
        let access = texts(&AccessRules::default());
        let draft = DefinitionDraft { name: String::new(), description: String::new(), fields: vec![field], access };
        Self::new(draft, None)
    }
}

fn texts(rules: &AccessRules) -> [String; 5] {
    Action::ALL.map(|action| rules.rules(action).iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

impl Editor {
    fn new(draft: DefinitionDraft, revision: Option<Revision>) -> Self {
        let opened = draft.clone();
        Self { draft, opened, errors: FieldErrors::new(), message: None, tried: false, refused: false, revision }
    }

    /// Begins with a collection that exists.
    pub fn edit(collection: &Collection) -> Self {
        let draft = DefinitionDraft {
            name: collection.name.to_string(),
            description: collection.description.clone(),
            fields: collection.fields.iter().map(FieldDraft::from_field).collect(),
            access: texts(&collection.access),
        };
        Self::new(draft, Some(collection.revision))
    }

    /// The collection exists already.
    pub fn is_edit(&self) -> bool {
        self.revision.is_some()
    }

    /// Something was typed that is not saved.
    pub fn is_changed(&self) -> bool {
        self.draft != self.opened
    }

    /// All parts, in the order in which they are shown.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = vec![Part::Name, Part::Description];
        for (index, field) in self.draft.fields.iter().enumerate() {
            parts.extend(FieldPart::all(&field.kind).into_iter().map(|part| Part::Field(index, part)));
        }
        parts.extend((0..Action::ALL.len()).map(Part::Access));
        parts
    }

    /// A part, as the text of an input.
    pub fn read(&self, part: Part) -> String {
        match part {
            Part::Name => self.draft.name.clone(),
            Part::Description => self.draft.description.clone(),
            Part::Field(index, part) => self.draft.fields.get(index).map(|field| field.get(part)).unwrap_or_default(),
            Part::Access(action) => self.draft.access[action].clone(),
        }
    }

    /// Takes the text of an input, and reads it all again.
    pub fn write(&mut self, part: Part, text: String) {
        match part {
            Part::Name => self.draft.name = text,
            Part::Description => self.draft.description = text,
            Part::Access(action) => self.draft.access[action] = text,
            Part::Field(index, part) => {
                if let Some(field) = self.draft.fields.get_mut(index) {
                    field.set(part, text);
                }
            }
        }
        self.definition();
    }

    /// Adds an empty field at the end.
    pub fn add_field(&mut self) {
        self.draft.fields.push(FieldDraft::new());
        self.definition();
    }

    /// Takes a field out.
    pub fn remove_field(&mut self, index: usize) {
        if index < self.draft.fields.len() {
            self.draft.fields.remove(index);
        }
        self.definition();
    }

    /// Moves a field by one up or down; at the edge nothing happens. Says where it is now.
    pub fn move_field(&mut self, index: usize, down: bool) -> usize {
        let other = if down { index + 1 } else { index.wrapping_sub(1) };
        let is_inside = index < self.draft.fields.len() && other < self.draft.fields.len();
        if is_inside {
            self.draft.fields.swap(index, other);
        }
        self.definition();
        if is_inside { other } else { index }
    }

    /// The definition to send, where nothing is wrong; from now on also what is still empty is marked.
    pub fn submit(&mut self) -> Option<Definition> {
        self.tried = true;
        self.definition()
    }

    /// Reads what is typed, and finds what is wrong.
    fn definition(&mut self) -> Option<Definition> {
        let access = Action::ALL.iter().zip(&self.draft.access).map(|(action, rules)| {
            let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect::<Vec<_>>();
            (action.name().to_owned(), json!(rules))
        });
        let body = json!({
            "name": self.draft.name.trim(),
            "description": self.draft.description,
            "fields": self.draft.fields.iter().map(FieldDraft::to_json).collect::<Vec<_>>(),
            "access": access.collect::<Map<_, _>>(),
        });
        (self.message, self.refused) = (None, false);
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

    /// Takes why the definition could not be saved.
    pub fn refuse(&mut self, error: &CallError) {
        if Refusal::of(error, self.is_edit()) == Refusal::SignedOut {
            return;
        }
        self.refused = true;
        self.message = Some(match error.problem() {
            Some(problem) => {
                self.errors = problem.errors.clone();
                problem.detail.clone()
            }
            None => error.to_string(),
        });
    }

    /// What is wrong with a part, if it is time to show it: what is still empty is not wrong before it was to be sent.
    pub fn errors_of(&self, part: Part) -> Vec<String> {
        if !self.tried && !self.refused && self.read(part).is_empty() {
            return Vec::new();
        }
        self.errors.messages(&part.path()).map(str::to_owned).collect()
    }

    /// Something is shown to be wrong with a part of the field at this index.
    pub fn has_errors(&self, index: usize) -> bool {
        let Some(field) = self.draft.fields.get(index) else { return false };
        FieldPart::all(&field.kind).into_iter().any(|part| !self.errors_of(Part::Field(index, part)).is_empty())
    }

    /// Saving was tried, and something is wrong.
    pub fn shows_errors(&self) -> bool {
        self.tried && !self.errors.is_empty()
    }

    /// What is wrong with the whole: what the server said, and what belongs to no part, as what is wrong with the records does, which
    /// stands under a field's name.
    pub fn messages(&self) -> Vec<String> {
        let mut messages: Vec<String> = self.message.iter().cloned().collect();
        let parts = self.parts();
        for (path, errors) in self.errors.0.iter().filter(|(path, _)| !parts.iter().any(|part| part.path() == **path)) {
            messages.extend(errors.iter().map(|error| format!("{}: {}", text::label(path), error.message)));
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{FieldError, Problem};

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
        assert_eq!(editor.submit(), Some(Definition::from(collection)), "{:?}", editor.errors);
    }

    #[test]
    fn errors_stand_at_their_part() {
        let mut editor = Editor::default();
        let max_length = FieldPart::all("text").into_iter().find(|part| part.member() == "max_length").unwrap();
        editor.write(Part::Access(0), "everyone".to_owned());
        editor.write(Part::Field(0, max_length), "many".to_owned());
        assert_eq!(editor.submit(), None);
        assert_eq!(
            (editor.errors_of(Part::Name).len(), editor.errors_of(Part::Field(0, FieldPart::Name)).len()),
            (1, 1)
        );
        assert_eq!(editor.errors_of(Part::Field(0, max_length)), ["A valid integer is required."]);
        assert_eq!(editor.errors_of(Part::Access(0)).len(), 1);
    }

    #[test]
    fn fields_move_and_stay_inside() {
        let mut editor = Editor::default();
        editor.add_field();
        editor.write(Part::Field(1, FieldPart::Name), "b".to_owned());
        assert_eq!(editor.move_field(1, false), 0);
        assert_eq!(editor.move_field(0, false), 0);
        assert_eq!(editor.draft.fields[0].name, "b");
    }

    #[test]
    fn what_is_still_empty_is_not_wrong_before_it_was_to_be_sent() {
        let mut editor = Editor::default();
        editor.write(Part::Description, "d".to_owned());
        assert!(editor.errors_of(Part::Name).is_empty() && !editor.has_errors(0) && !editor.shows_errors());
        editor.write(Part::Name, "Snacks".to_owned());
        assert_eq!(editor.errors_of(Part::Name).len(), 1);
        assert_eq!(editor.submit(), None);
        assert!(editor.has_errors(0) && editor.shows_errors());
        assert!(editor.messages().is_empty(), "all of it stands at its part");
    }

    #[test]
    fn what_the_server_refuses_stands_at_its_part_until_something_is_changed() {
        let mut editor = Editor::default();
        let unique = Part::Field(0, FieldPart::Unique);
        let mut errors = FieldErrors::of("fields.0.unique", FieldError::new("unique", "Two records have the same."));
        errors.push("zzz", FieldError::new("unknown", "There is no field of this name."));
        editor.refuse(&CallError::Problem(Box::new(Problem::taken(errors))));
        assert_eq!(editor.errors_of(unique), ["Two records have the same."]);
        assert_eq!(editor.messages()[1], "Zzz: There is no field of this name.");
        editor.write(Part::Description, "d".to_owned());
        assert!(editor.errors_of(unique).is_empty() && editor.messages().is_empty());
        editor.refuse(&CallError::Problem(Box::new(Problem::unauthorized("over"))));
        assert!(editor.messages().is_empty(), "once somebody has signed in, nothing is wrong with it");
    }

    #[test]
    fn what_is_typed_and_taken_back_is_no_change() {
        let mut editor = Editor::default();
        editor.write(Part::Name, "a".to_owned());
        assert!(editor.is_changed());
        editor.write(Part::Name, String::new());
        assert!(!editor.is_changed());
    }
}
