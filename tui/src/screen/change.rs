//! A field of the chosen rows is changed: which field, and to what. What would happen is asked of the server, and said before it is done.

use common::{
    collection::Collection,
    field::{Field, FieldType},
    form::{Form, Input},
    many::{self, Many},
    query::ListQuery,
    record::Record,
    selection::Selection,
};

use super::{editing::Editing, form_state::FormState};
use crate::{effect::Effect, load::Ticket, many::ManyAct, words};

/// The form.
pub struct ChangeForm {
    collection: Collection,
    selection: Selection,
    shown: ListQuery,
    /// The field, its value, and whether it is emptied where it can be.
    pub state: FormState,
    /// Which field the value is of.
    field: usize,
    /// What would happen, once the server has said it of what stands in the form.
    would: Option<(Record, Many)>,
}

impl ChangeForm {
    /// Over the chosen rows of a table that shows this.
    pub fn new(collection: Collection, selection: Selection, shown: ListQuery) -> Self {
        let state = FormState::unmarked(Form::default());
        let mut form = Self { collection, selection, shown, state, field: 0, would: None };
        form.lay_out(0);
        form
    }

    fn lay_out(&mut self, field: usize) {
        self.field = field;
        let labels: Vec<String> =
            self.collection.fields.iter().map(|field| common::text::label(field.name.as_str())).collect();
        let here = labels.get(field).cloned().unwrap_or_default();
        let mut inputs = vec![choice(words::FIELD, labels, here, true)];
        if let Some(input) = Form::create(&self.collection).inputs.get(field) {
            inputs.push(input.clone());
            if many::can_be_emptied(&input.field) {
                inputs.push(flag(words::NO_VALUE, false));
            }
        }
        self.state.form.inputs = inputs;
        self.state.go_to(0);
    }

    /// Which rows are meant.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The line above the form: what would happen, or what to do next.
    pub fn notice(&self) -> String {
        match &self.would {
            Some((_, many)) => words::would_change(many),
            None => format!("{}. {}", words::chosen(self.selection.count()), words::CTRL_S_ASKS),
        }
    }

    /// Takes what would happen.
    pub fn preview(&mut self, act: &ManyAct, many: Many) {
        if let (Some(change), true) = (&act.change, self.body() == act.change) {
            self.would = Some((change.clone(), many));
        }
    }

    /// Takes why it cannot be done.
    pub fn refuse(&mut self, told: Vec<String>) {
        self.would = None;
        self.state.form.errors = told;
    }

    fn body(&self) -> Option<Record> {
        let is_emptied = self.state.form.inputs.get(2).is_some_and(|input| input.text == "true");
        many::change(self.state.form.inputs.get(1)?, is_emptied)
    }
}

impl Editing for ChangeForm {
    fn state(&self) -> &FormState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut FormState {
        &mut self.state
    }

    fn is_changed(&self) -> bool {
        self.state.form.inputs.get(1).is_some_and(Input::is_changed)
    }

    fn typed(&mut self, into_form: &mut dyn FnMut(&mut FormState)) {
        into_form(&mut self.state);
        self.state.form.errors.clear();
        self.would = None;
        let chosen = self.state.form.inputs.first().map(|input| input.text.clone()).unwrap_or_default();
        let labels = self.collection.fields.iter().map(|field| common::text::label(field.name.as_str()));
        if let Some(field) = labels.into_iter().position(|label| label == chosen).filter(|field| *field != self.field) {
            self.lay_out(field);
        }
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        let Some(change) = self.body() else {
            self.state.form.errors = vec![words::NOT_A_VALUE.to_owned()];
            self.state.go_to(1);
            return None;
        };
        let is_asked = self.would.as_ref().is_some_and(|(asked, many)| *asked == change && many.own() > 0);
        let query = self.selection.many(&self.shown, !is_asked);
        let collection = self.collection.name.clone();
        Some(Effect::Many(ticket, Box::new(ManyAct { collection, query, change: Some(change) })))
    }
}

/// An input that offers these.
pub(super) fn choice(label: &str, choices: Vec<String>, text: String, always: bool) -> Input {
    let kind = FieldType::Choice { choices, many: false };
    own(label, kind, text, always, "")
}

/// Yes or no.
pub(super) fn flag(label: &str, is_on: bool) -> Input {
    own(label, FieldType::Boolean, is_on.to_string(), true, "")
}

/// An input of the client's own.
pub(super) fn own(label: &str, kind: FieldType, text: String, always: bool, help: &str) -> Input {
    // The name is sent nowhere.
    let field: Field = match "input".parse() {
        Ok(name) => Field { required: always, help: help.to_owned(), ..Field::new(name, kind) },
        Err(_) => unreachable!("a plain word is a name"),
    };
    let mut input = Input::new(field, text);
    label.clone_into(&mut input.label);
    input
}
