//! The collection editor's model: a definition as it is being typed, what is wrong with it and when that is shown. It is read with
//! the server's own code, so that errors stand at their part before anything is sent. Both clients draw it.

mod field_draft;
mod options;
mod part;
mod preview;
mod steps;
#[cfg(test)]
mod tests;
mod values;

pub use self::{
    field_draft::FieldDraft,
    options::{FieldOption, OptionKind, TYPE_HELP, options},
    part::{FieldPart, Part},
    preview::{Preview, progress},
};

use serde_json::{Map, Value, json};

use crate::{
    access::{AccessRules, Action},
    call_error::CallError,
    collection::{Collection, Definition, DefinitionQuery, DryRun, Ids, IndexDefinition},
    conflict::Refusal,
    field::FieldType,
    history::History,
    id::Revision,
    name::FieldName,
    operation::Operation,
    problem::FieldErrors,
    reader::{Body, invalid},
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
    /// The indexes over several fields, one a line: `kind, -price` or `unique owner, slug`.
    pub indexes: String,
    /// The rules for each of [`Action::ALL`], with commas between them.
    pub access: [String; 5],
    /// How much of its records' history is kept, as a line.
    pub history: String,
    /// Its records' ids are numbers.
    pub is_numbered: bool,
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
    /// Fields that the server asked about before it drops their values. Who saves once more agrees.
    to_drop: Vec<FieldName>,
    /// What saving would do, where that was asked since the last change.
    preview: Option<Preview>,
    /// It was asked, and nothing has to be told.
    is_plain: bool,
    /// Fields whose values did not fit when that was last looked at, each with what was wrong.
    misfits: Vec<(String, String)>,
}

impl Default for Editor {
    fn default() -> Self {
        let mut field = FieldDraft::new();
        field.required = true;
        let access = texts(&AccessRules::default());
        let draft = DefinitionDraft {
            name: String::new(),
            description: String::new(),
            fields: vec![field],
            indexes: String::new(),
            access,
            history: History::default().to_line(),
            is_numbered: false,
        };
        Self::new(draft, None)
    }
}

fn texts(rules: &AccessRules) -> [String; 5] {
    Action::ALL.map(|action| rules.rules(action).iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

impl Editor {
    fn new(draft: DefinitionDraft, revision: Option<Revision>) -> Self {
        let opened = draft.clone();
        Self {
            draft,
            opened,
            errors: FieldErrors::new(),
            message: None,
            tried: false,
            refused: false,
            revision,
            to_drop: Vec::new(),
            preview: None,
            is_plain: false,
            misfits: Vec::new(),
        }
    }

    /// Begins with a collection that exists.
    pub fn edit(collection: &Collection) -> Self {
        let draft = DefinitionDraft {
            name: collection.name.to_string(),
            description: collection.description.clone(),
            fields: collection.fields.iter().map(FieldDraft::from_field).collect(),
            indexes: collection.indexes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            access: texts(&collection.access),
            history: collection.history.to_line(),
            is_numbered: collection.ids == Ids::Integer,
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
            let own = FieldPart::all(&field.kind).into_iter().chain(self.of_values(index));
            parts.extend(own.map(|part| Part::Field(index, part)));
        }
        parts.push(Part::Indexes);
        parts.extend((0..Action::ALL.len()).map(Part::Access));
        parts.extend([Part::History, Part::Ids]);
        parts.extend(self.drops().map(|_| Part::Drop));
        parts
    }

    /// A part, as the text of an input.
    pub fn read(&self, part: Part) -> String {
        match part {
            Part::Name => self.draft.name.clone(),
            Part::Description => self.draft.description.clone(),
            Part::Field(index, part) => self.draft.fields.get(index).map(|field| field.get(part)).unwrap_or_default(),
            Part::Indexes => self.draft.indexes.clone(),
            Part::Access(action) => self.draft.access[action].clone(),
            Part::History => self.draft.history.clone(),
            Part::Ids => self.draft.is_numbered.to_string(),
            Part::Drop => self.drops().unwrap_or_default().to_string(),
        }
    }

    /// Takes the text of an input, and reads it all again.
    pub fn write(&mut self, part: Part, text: String) {
        match part {
            Part::Name => self.draft.name = text,
            Part::Description => self.draft.description = text,
            Part::Indexes => self.draft.indexes = text,
            Part::Access(action) => self.draft.access[action] = text,
            Part::History => self.draft.history = text,
            Part::Ids => self.draft.is_numbered = text == "true",
            Part::Drop => {
                if let Some(preview) = &mut self.preview {
                    preview.may_drop = text == "true";
                }
                return;
            }
            Part::Field(index, part) => {
                if let Some(field) = self.draft.fields.get_mut(index) {
                    field.set(part, text);
                }
            }
        }
        self.read_again();
    }

    /// Adds an empty field at the end.
    pub fn add_field(&mut self) {
        self.draft.fields.push(FieldDraft::new());
        self.read_again();
    }

    /// Takes a field out.
    pub fn remove_field(&mut self, index: usize) {
        if index < self.draft.fields.len() {
            self.draft.fields.remove(index);
        }
        self.read_again();
    }

    /// Moves a field by one up or down; at the edge nothing happens. Says where it is now.
    pub fn move_field(&mut self, index: usize, down: bool) -> usize {
        let other = if down { index + 1 } else { index.wrapping_sub(1) };
        let is_inside = index < self.draft.fields.len() && other < self.draft.fields.len();
        if is_inside {
            self.draft.fields.swap(index, other);
        }
        self.read_again();
        if is_inside { other } else { index }
    }

    /// The definition to send, where nothing is wrong; from now on also what is still empty is marked.
    pub fn submit(&mut self) -> Option<Definition> {
        self.tried = true;
        let definition = self.definition()?;
        match &self.preview {
            Some(Preview { fits: true, drops, may_drop, .. }) if !drops.is_empty() && !may_drop => {
                self.errors = FieldErrors::of("drop", invalid("Tick this, or put the fields back."));
                None
            }
            // Records may have been changed meanwhile.
            Some(Preview { fits: false, .. }) => {
                self.preview = None;
                Some(definition)
            }
            _ => Some(definition),
        }
    }

    /// Whether values go with what was told: then, whether they may.
    pub fn drops(&self) -> Option<bool> {
        self.preview.as_ref().filter(|preview| !preview.drops.is_empty()).map(|preview| preview.may_drop)
    }

    /// Takes what saving would do. Says whether it can be done without asking.
    pub fn preview(&mut self, told: &DryRun) -> bool {
        self.preview = Preview::of(told);
        self.note_misfits(Some(&told.misfits));
        self.is_plain = self.preview.is_none();
        self.is_plain
    }

    /// Takes how a change ended that took its time, where not well.
    pub fn ended(&mut self, operation: &Operation) {
        (self.preview, self.is_plain, self.refused) = (None, false, true);
        self.message = Some(progress(operation));
        self.note_misfits(operation.misfits.as_ref());
    }

    /// Reads what is typed after a change; what was agreed to before it counts no more.
    fn read_again(&mut self) {
        self.to_drop.clear();
        (self.preview, self.is_plain) = (None, false);
        self.definition();
    }

    /// What is sent beside the definition: first it is asked what saving would do, then it is saved.
    pub fn query(&self) -> DefinitionQuery {
        let mut drop = self.to_drop.clone();
        drop.extend(self.preview.iter().filter(|preview| preview.may_drop).flat_map(|preview| preview.drops.clone()));
        let dry_run = self.is_edit() && drop.is_empty() && self.preview.is_none() && !self.is_plain;
        DefinitionQuery { drop, dry_run, ..DefinitionQuery::default() }
    }

    /// The names of fields that are in the definition no more.
    pub fn dropped(&self) -> impl Iterator<Item = &str> {
        let is_gone =
            |field: &&FieldDraft| field.id.is_some() && self.draft.fields.iter().all(|now| now.id != field.id);
        self.opened.fields.iter().filter(is_gone).map(|field| field.name.as_str())
    }

    /// Reads what is typed, and finds what is wrong.
    fn definition(&mut self) -> Option<Definition> {
        let access = Action::ALL.iter().zip(&self.draft.access).map(|(action, rules)| {
            let rules = rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect::<Vec<_>>();
            (action.name().to_owned(), json!(rules))
        });
        let indexes = self.draft.indexes.lines().filter(|line| !line.trim().is_empty()).map(IndexDefinition::from_line);
        let indexes: Vec<_> = indexes.collect();
        let mut body = json!({
            "name": self.draft.name.trim(),
            "description": self.draft.description,
            "fields": self.draft.fields.iter().map(FieldDraft::to_json).collect::<Vec<_>>(),
            "access": access.collect::<Map<_, _>>(),
            "history": History::line_to_json(&self.draft.history),
        });
        if !(indexes.is_empty() && self.opened.indexes.is_empty()) {
            body["indexes"] = json!(indexes);
        }
        if self.draft.is_numbered || self.opened.is_numbered {
            body["ids"] = json!(if self.draft.is_numbered { Ids::Integer } else { Ids::Uuid });
        }
        (self.message, self.refused) = (None, false);
        let faults = self.faults_of_values();
        match Definition::from_json(body) {
            Ok(_) if !faults.is_empty() => {
                self.errors = faults;
                None
            }
            Ok(mut definition) => {
                self.errors = FieldErrors::new();
                for (field, draft) in definition.fields.iter_mut().zip(&self.draft.fields) {
                    if matches!(field.kind, FieldType::Json { .. }) && field.default.is_some() {
                        field.default = draft.exact_default().or(field.default.take());
                    }
                }
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
        (self.preview, self.is_plain) = (None, false);
        self.message = Some(match error.problem() {
            Some(problem) if problem.code == "would_drop" => {
                let told = problem.extra.get("records").and_then(Value::as_object).cloned().unwrap_or_default();
                self.to_drop = told.keys().filter_map(|name| name.parse().ok()).collect();
                let told = told.iter().map(|(name, count)| {
                    let records = text::count(count.as_u64().unwrap_or(0), "record");
                    format!("“{}” in {records}", text::label(name))
                });
                let told = told.collect::<Vec<_>>().join(", ");
                format!("This drops what stands in {told}. Save once more if that is meant.")
            }
            Some(problem) => {
                self.errors = problem.errors.clone();
                if problem.code == "records_do_not_fit" {
                    self.note_refused_values();
                }
                problem.detail.clone()
            }
            None => error.to_string(),
        });
    }

    /// What is wrong with a part, if it is time to show it: what is still empty is not wrong before it was to be sent.
    pub fn errors_of(&self, part: Part) -> Vec<String> {
        if let Part::Field(index, of_values) = part
            && (of_values.is_step() || of_values.member() == "value")
        {
            return self.errors_of_values(index, of_values);
        }
        if !self.tried && !self.refused && self.read(part).is_empty() {
            return Vec::new();
        }
        if part == Part::Indexes {
            // Each line is one, and all are told at the one input.
            let of = self.errors.0.iter().filter(|(path, _)| path.starts_with("indexes"));
            return of.flat_map(|(_, errors)| errors).map(|error| error.message.clone()).collect();
        }
        self.errors.messages(&part.path()).map(str::to_owned).collect()
    }

    /// Something is shown to be wrong with a part of the field at this index.
    pub fn has_errors(&self, index: usize) -> bool {
        let Some(field) = self.draft.fields.get(index) else { return false };
        let mut parts = FieldPart::all(&field.kind).into_iter().chain(self.of_values(index));
        parts.any(|part| !self.errors_of(Part::Field(index, part)).is_empty())
    }

    /// Saving was tried, and something is wrong.
    pub fn shows_errors(&self) -> bool {
        self.tried && !self.errors.is_empty()
    }

    /// What is wrong with the whole: what the server said, and what belongs to no part, as what is wrong with the records does, which
    /// stands under a field's name.
    pub fn messages(&self) -> Vec<String> {
        let mut messages: Vec<String> = self.message.iter().cloned().collect();
        messages.extend(self.preview.iter().flat_map(|preview| preview.lines.iter().cloned()));
        let parts = self.parts();
        for (path, errors) in self
            .errors
            .0
            .iter()
            .filter(|(path, _)| !path.starts_with("indexes.") && !parts.iter().any(|part| part.path() == **path))
        {
            messages.extend(errors.iter().map(|error| format!("{}: {}", text::label(path), error.message)));
        }
        messages
    }
}
