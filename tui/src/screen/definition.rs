//! The collection editor: `common`'s editor, laid out as one form, so that it is drawn and typed into like any other. Each
//! input holds a part of the definition; what is typed goes there at once, and what is wrong comes back from there.

use common::{
    CallError,
    collection::{Collection, DryRun},
    editor::{Editor, FieldPart, Part},
    form::{Form, Input},
    name::CollectionName,
    operation::Operation,
};

use super::{editing::Editing, form_state::FormState};
use crate::{effect::Effect, key::Action, load::Ticket, words};

/// The collection editor.
pub struct DefinitionForm {
    /// The definition as it is typed.
    editor: Editor,
    /// The same as a form.
    pub state: FormState,
    /// Which part of the definition each input holds.
    parts: Vec<Part>,
    /// The collection that is changed; `None` for a new one.
    pub existing: Option<CollectionName>,
    /// What a reference can point to.
    collections: Vec<String>,
}

impl DefinitionForm {
    /// For a new collection, or for changes to one; `collections` are those that there are.
    pub fn new(existing: Option<&Collection>, collections: &[Collection]) -> Self {
        let mut form = Self {
            editor: existing.map_or_else(Editor::default, Editor::edit),
            state: FormState::new(Form::default()),
            parts: Vec::new(),
            existing: existing.map(|collection| collection.name.clone()),
            collections: collections.iter().map(|collection| collection.name.to_string()).collect(),
        };
        form.lay_out(None);
        form
    }

    /// Adds, takes out or moves fields.
    pub fn arrange(&mut self, action: Action) {
        let here = match self.parts.get(self.state.focus) {
            Some(Part::Field(field, _)) => Some(*field),
            _ => None,
        };
        let next = match (action, here) {
            (Action::AddField, _) => {
                self.editor.add_field();
                Some(self.editor.draft.fields.len() - 1)
            }
            (Action::RemoveField, Some(field)) => {
                self.editor.remove_field(field);
                self.editor.draft.fields.len().checked_sub(1).map(|last| field.min(last))
            }
            (Action::FieldUp | Action::FieldDown, Some(field)) => {
                Some(self.editor.move_field(field, action == Action::FieldDown))
            }
            _ => return,
        };
        self.lay_out(next.map(|field| Part::Field(field, FieldPart::Name)));
    }

    /// The input in focus belongs to a field.
    pub fn is_in_field(&self) -> bool {
        matches!(self.parts.get(self.state.focus), Some(Part::Field(..)))
    }

    /// Takes why it could not be saved.
    pub fn refuse(&mut self, error: &CallError) {
        self.editor.refuse(error);
        let focus = self.parts.get(self.state.focus).copied();
        self.lay_out(focus);
        if self.state.form.inputs.iter().all(|input| input.errors.is_empty()) {
            self.state.form.errors = self.editor.messages();
        }
        self.state.go_to_error();
    }

    /// Takes what saving would do. Says whether it can be done without asking.
    pub fn preview(&mut self, told: &DryRun) -> bool {
        let is_plain = self.editor.preview(told);
        if !is_plain {
            self.lay_out(Some(Part::Drop));
            self.state.form.errors = self.editor.messages();
            self.state.go_to_error();
        }
        is_plain
    }

    /// Saves what was looked at.
    pub fn save_now(&mut self, ticket: Ticket) -> Option<Effect> {
        self.save(ticket)
    }

    /// Takes how a change ended that took its time, where not well.
    pub fn ended(&mut self, operation: &Operation) {
        self.editor.ended(operation);
        self.lay_out(None);
        self.state.form.errors = self.editor.messages();
        self.state.go_to_error();
    }

    fn show_errors(&mut self) {
        self.state.form.errors.clear();
        for (part, input) in self.parts.iter().zip(&mut self.state.form.inputs) {
            input.errors = self.editor.errors_of(*part);
        }
    }

    /// The parts that there are by now. The name of what exists is fixed.
    fn parts_now(&self) -> Vec<Part> {
        let mut parts = self.editor.parts();
        parts.retain(|part| self.existing.is_none() || *part != Part::Name);
        parts
    }

    /// Makes the form anew, with a part in focus.
    fn lay_out(&mut self, focus: Option<Part>) {
        self.parts = self.parts_now();
        let mut form = Form::default();
        for part in &self.parts {
            let kind = match part {
                Part::Field(index, _) => self.editor.read(Part::Field(*index, FieldPart::Type)),
                _ => String::new(),
            };
            let Some(field) = part.as_field(&kind, &self.collections) else { continue };
            let mut input = Input::new(field, self.editor.read(*part));
            input.label = label(*part);
            form.inputs.push(input);
        }
        self.state.form = form;
        let focus = focus.and_then(|focus| self.parts.iter().position(|part| *part == focus));
        self.state.go_to(focus.unwrap_or(0));
        self.show_errors();
    }
}

/// A part's label. Fields have a heading, and their parts stand below it.
fn label(part: Part) -> String {
    match part {
        Part::Field(index, FieldPart::Name) => words::field_number(index + 1),
        Part::Field(..) => format!("  {}", part.label()),
        _ => part.label().to_owned(),
    }
}

impl Editing for DefinitionForm {
    fn state(&self) -> &FormState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut FormState {
        &mut self.state
    }

    fn is_changed(&self) -> bool {
        self.editor.is_changed()
    }

    fn typed(&mut self, into_form: &mut dyn FnMut(&mut FormState)) {
        let (focus, before) = (self.state.focus, self.state.current().map(|input| input.text.clone()));
        into_form(&mut self.state);
        let Some(text) = self.state.form.inputs.get(focus).map(|input| input.text.clone()) else { return };
        let Some(part) = self.parts.get(focus).copied() else { return };
        if before.as_ref() == Some(&text) {
            return;
        }
        self.editor.write(part, text);
        // These change what others have; others change which there are.
        if matches!(part, Part::Field(_, FieldPart::Type | FieldPart::Unique | FieldPart::IgnoreCase))
            || self.parts != self.parts_now()
        {
            self.lay_out(Some(part));
        }
        self.show_errors();
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        let definition = self.editor.submit();
        self.show_errors();
        if definition.is_none() {
            self.state.go_to_error();
        }
        Some(Effect::Define(ticket, self.existing.clone(), Box::new(definition?), self.editor.query()))
    }
}
