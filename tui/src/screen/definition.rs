//! The collection editor: `common`'s editor, laid out as one form, so that it is drawn and typed into like any other. Each
//! input has a place in the editor; what is typed goes there at once, and what is wrong comes back from there.

mod place;

use common::{
    access::Action as Access,
    collection::Collection,
    editor::{Editor, options},
    form::{Form, Input},
    name::CollectionName,
    problem::Problem,
};

use self::place::{Part, Place};
use super::{editing::Editing, form_state::FormState};
use crate::{effect::Effect, key::Action, load::Ticket, words};

/// The collection editor.
pub struct DefinitionForm {
    /// The definition as it is typed.
    editor: Editor,
    /// The same as a form.
    pub state: FormState,
    /// Which part of the editor each input holds.
    places: Vec<Place>,
    /// The collection that is changed; `None` for a new one.
    pub existing: Option<CollectionName>,
    /// What a reference can point to.
    collections: Vec<String>,
    /// Saving was tried, so that everything that is wrong is shown.
    tried: bool,
    opened: Editor,
}

impl DefinitionForm {
    /// For a new collection, or for changes to one; `collections` are those that there are.
    pub fn new(existing: Option<&Collection>, collections: &[Collection]) -> Self {
        let editor = existing.map_or_else(Editor::default, Editor::edit);
        let mut form = Self {
            opened: editor.clone(),
            editor,
            state: FormState::new(Form::default()),
            places: Vec::new(),
            existing: existing.map(|collection| collection.name.clone()),
            collections: collections.iter().map(|collection| collection.name.to_string()).collect(),
            tried: false,
        };
        form.lay_out(None);
        form
    }

    /// Adds, takes out or moves fields.
    pub fn arrange(&mut self, action: Action) {
        let here = match self.places.get(self.state.focus) {
            Some(Place::Field(field, _)) => Some(*field),
            _ => None,
        };
        let next = match (action, here) {
            (Action::AddField, _) => {
                self.editor.add_field();
                Some(self.editor.fields.len() - 1)
            }
            (Action::RemoveField, Some(field)) => {
                self.editor.remove_field(field);
                self.editor.fields.len().checked_sub(1).map(|last| field.min(last))
            }
            (Action::FieldUp | Action::FieldDown, Some(field)) => {
                Some(self.editor.move_field(field, action == Action::FieldDown))
            }
            _ => return,
        };
        self.lay_out(next.map(|field| Place::Field(field, Part::Name)));
        self.judge(None);
    }

    /// The input in focus belongs to a field.
    pub fn is_in_field(&self) -> bool {
        matches!(self.places.get(self.state.focus), Some(Place::Field(..)))
    }

    /// Takes what the server said against it.
    pub fn refuse(&mut self, problem: &Problem) {
        self.editor.refuse(problem);
        self.show_errors(None);
        if self.state.form.inputs.iter().all(|input| input.errors.is_empty()) {
            self.state.form.errors = vec![words::problem(problem)];
        }
        self.state.go_to_error();
    }

    /// Finds what is wrong: everywhere once saving was tried, before that where something was just typed.
    fn judge(&mut self, typed: Option<Place>) {
        self.editor.definition();
        self.state.form.errors.clear();
        if self.tried {
            self.show_errors(None);
        } else if typed.is_some() {
            self.show_errors(typed);
        }
    }

    fn show_errors(&mut self, only: Option<Place>) {
        for (place, input) in self.places.iter().zip(&mut self.state.form.inputs) {
            if only.is_none_or(|only| only == *place) {
                input.errors = self.editor.errors.messages(&place.error_name()).map(str::to_owned).collect();
            }
        }
    }

    /// Makes the form anew, with a place in focus.
    fn lay_out(&mut self, focus: Option<Place>) {
        self.places = Vec::new();
        if self.existing.is_none() {
            self.places.push(Place::Name);
        }
        self.places.push(Place::Description);
        for (index, draft) in self.editor.fields.iter().enumerate() {
            let own = options(&draft.kind).iter().map(|(name, label, kind)| Part::Option(name, label, *kind));
            let parts = [Part::Name, Part::Type].into_iter().chain(own).chain([
                Part::Required,
                Part::Nullable,
                Part::Unique,
                Part::Indexed,
                Part::Default,
                Part::Help,
            ]);
            self.places.extend(parts.map(|part| Place::Field(index, part)));
        }
        self.places.extend((0..Access::ALL.len()).map(Place::Access));
        let mut form = Form::default();
        for place in &self.places {
            let Some(field) = place.field(&self.editor, &self.collections) else { continue };
            let mut input = Input::new(field, place.read(&self.editor));
            input.label = place.label();
            form.inputs.push(input);
        }
        self.state.form = form;
        let focus = focus.and_then(|focus| self.places.iter().position(|place| *place == focus));
        self.state.go_to(focus.unwrap_or(0));
        if self.tried {
            self.show_errors(None);
        }
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
        let parts = |editor: &Editor| {
            (editor.name.clone(), editor.description.clone(), editor.fields.clone(), editor.access.clone())
        };
        parts(&self.editor) != parts(&self.opened)
    }

    fn typed(&mut self, into_form: &mut dyn FnMut(&mut FormState)) {
        let (focus, before) = (self.state.focus, self.state.current().map(|input| input.text.clone()));
        into_form(&mut self.state);
        let Some(text) = self.state.form.inputs.get(focus).map(|input| input.text.clone()) else { return };
        let Some(place) = self.places.get(focus).copied() else { return };
        if before.as_ref() == Some(&text) {
            return;
        }
        place.write(&mut self.editor, text);
        if matches!(place, Place::Field(_, Part::Type)) {
            self.lay_out(Some(place));
        }
        self.judge(Some(place));
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        self.tried = true;
        let definition = self.editor.definition();
        self.judge(None);
        if definition.is_none() {
            self.state.go_to_error();
        }
        Some(Effect::Define(ticket, self.existing.clone(), Box::new(definition?)))
    }
}
