//! A record's form: for a new one, or for changes to one. What to do when somebody else was faster is here too.

use common::{
    collection::Collection,
    form::{Clash, Form, Widget},
    id::RecordId,
    name::CollectionName,
    record::Record,
};

use super::{editing::Editing, form_state::FormState};
use crate::{effect::Effect, load::Ticket, words};

/// A record's form.
pub struct RecordForm {
    /// What it is a record of.
    pub collection: Collection,
    /// The record that is changed; `None` for a new one.
    pub id: Option<RecordId>,
    /// The form.
    pub state: FormState,
    /// Fields that both sides changed, and what the other side wrote.
    pub clashes: Vec<Clash>,
    /// What happened meanwhile, and what to do about it.
    pub notice: Option<String>,
    /// Text stands in it although nothing differs from how it was opened.
    rescued: bool,
}

impl RecordForm {
    /// For a new record.
    pub fn create(collection: Collection) -> Self {
        let state = FormState::new(Form::create(&collection));
        Self { collection, id: None, state, clashes: Vec::new(), notice: None, rescued: false }
    }

    /// For changes to a record.
    pub fn edit(collection: Collection, record: &Record) -> Self {
        let state = FormState::new(Form::edit(&collection, record));
        Self { id: record.id(), state, ..Self::create(collection) }
    }

    /// Somebody else wrote this meanwhile: takes it as the base and keeps what was typed.
    pub fn rebase(&mut self, fresh: &Record) {
        self.clashes = self.state.form.rebase(fresh);
        self.notice =
            Some(if self.clashes.is_empty() { words::CHANGED_ELSEWHERE.to_owned() } else { words::CLASHES.to_owned() });
        let focus = self.state.focus;
        let clash = self.state.form.inputs.iter().position(|input| self.clash(&input.label).is_some());
        self.state.go_to(clash.unwrap_or(focus));
    }

    /// Somebody else deleted the record meanwhile: what was typed becomes a new one.
    pub fn outlive(&mut self) {
        let mut form = Form::create(&self.collection);
        for (index, input) in self.state.form.inputs.iter().enumerate() {
            form.set(index, input.text.clone());
        }
        let focus = self.state.focus;
        self.state = FormState::new(form);
        self.state.go_to(focus);
        self.id = None;
        self.rescued = true;
        self.clashes.clear();
        self.notice = Some(words::DELETED_ELSEWHERE.to_owned());
    }

    /// The clash about the input with this label.
    pub fn clash(&self, label: &str) -> Option<&Clash> {
        self.clashes.iter().find(|clash| clash.label == label)
    }

    /// The clash about the input in focus.
    pub fn clash_here(&self) -> Option<&Clash> {
        self.clash(&self.state.current()?.label)
    }

    /// The collection that the input in focus refers to.
    pub fn refers_to(&self) -> Option<&CollectionName> {
        match &self.state.current()?.widget {
            Widget::Reference(collection) => Some(collection),
            _ => None,
        }
    }

    /// Takes what the other side wrote into the input in focus.
    pub fn take_theirs(&mut self) {
        let Some(clash) = self.clash_here().cloned() else { return };
        self.state.set(self.state.focus, clash.theirs);
        self.clashes.retain(|other| other.label != clash.label);
    }
}

impl Editing for RecordForm {
    fn state(&self) -> &FormState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut FormState {
        &mut self.state
    }

    fn is_changed(&self) -> bool {
        self.rescued || self.state.form.is_changed()
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        let Some(body) = self.state.form.submit() else {
            self.state.go_to_error();
            return None;
        };
        let collection = self.collection.name.clone();
        Some(match self.id {
            Some(id) => Effect::Update(ticket, collection, id, body),
            None => Effect::Create(ticket, collection, body),
        })
    }
}
