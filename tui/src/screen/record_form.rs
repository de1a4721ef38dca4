//! A record's form: for a new one, or for changes to one. What to do when somebody else was faster is in
//! [`common::conflict`].

use common::{
    collection::Collection,
    conflict::{Conflict, EditedRecord},
    form::Widget,
    id::UserId,
    name::CollectionName,
    record::Record,
};

use super::{editing::Editing, form_state::FormState};
use crate::{
    effect::Effect,
    load::{Load, Ticket, Tickets},
    words,
};

/// A record's form.
pub struct RecordForm {
    /// The record's collection.
    pub collection: Collection,
    /// The record that is changed, and what others have done to it.
    pub edited: EditedRecord,
    /// The form.
    pub state: FormState,
    /// What happened meanwhile, and what to do about it.
    pub notice: Option<String>,
    /// How reading the newer version goes that somebody else has made.
    pub newer: Load,
    /// Who made it, where that is known.
    pub newer_by: Option<UserId>,
    /// What is said of it below the form, so that nothing moves under who types.
    pub newer_notice: Option<String>,
}

impl RecordForm {
    /// For changes to a record, or without it for a new one.
    pub fn new(collection: Collection, record: Option<Record>) -> Self {
        let (edited, form) = EditedRecord::new(&collection, record);
        let state = FormState::new(form);
        Self { collection, edited, state, notice: None, newer: Load::default(), newer_by: None, newer_notice: None }
    }

    /// Reads the version that somebody else has made; `asks_name`: who that was is asked too.
    pub fn load_newer(&mut self, tickets: &Tickets, asks_name: bool) -> Option<Effect> {
        let id = self.edited.id()?;
        let by = self.newer_by.filter(|_| asks_name);
        Some(Effect::Changed(self.newer.begin_quietly(tickets), self.collection.name.clone(), id, by))
    }

    /// Says who has made a newer version, and which fields are others in it. What stands in the form stays.
    pub fn know_newer(&mut self, now: &Record, by: &str) {
        let is_newer = now.revision() > self.edited.base.as_ref().and_then(Record::revision);
        self.newer_notice =
            is_newer.then(|| words::changed_under_form(by, &self.edited.changes(&self.collection, now)));
    }

    /// Somebody else wrote this meanwhile: takes it as the base and keeps what was typed.
    pub fn merge(&mut self, now: Record) {
        self.edited.merge(&mut self.state.form, &self.collection, now);
        self.newer_notice = None;
        let has_conflicting_input = self.edited.conflict.as_ref().is_some_and(Conflict::has_conflicting_input);
        self.notice = Some(if has_conflicting_input { words::CONFLICTS } else { words::CHANGED_ELSEWHERE }.to_owned());
        let focus = self.state.focus;
        let conflicting = self.state.form.inputs.iter().position(|input| self.theirs(&input.label).is_some());
        self.state.go_to(conflicting.unwrap_or(focus));
    }

    /// Somebody else deleted the record meanwhile: what was typed becomes a new one.
    pub fn make_new(&mut self) {
        self.edited.make_new(&mut self.state.form, &self.collection);
        self.state.go_to(self.state.focus);
        self.notice = Some(words::DELETED_ELSEWHERE.to_owned());
        self.newer_notice = None;
    }

    /// What somebody else wrote into the input with this label, where it was changed here too.
    fn theirs(&self, label: &str) -> Option<&str> {
        self.edited.conflict.as_ref()?.theirs(label)
    }

    /// The same for the input in focus.
    pub fn theirs_here(&self) -> Option<&str> {
        self.theirs(&self.state.current()?.label)
    }

    /// The collection that the input in focus refers to.
    pub fn refers_to(&self) -> Option<&CollectionName> {
        match &self.state.current()?.widget {
            Widget::Reference(collection) => Some(collection),
            _ => None,
        }
    }

    /// Takes what somebody else wrote into the input in focus.
    pub fn take_theirs(&mut self) {
        if self.theirs_here().is_some() {
            self.edited.take_theirs_at(&mut self.state.form, self.state.focus);
            self.state.go_to(self.state.focus);
        }
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
        self.edited.is_changed(&self.state.form)
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        let Some(body) = self.state.form.submit() else {
            self.state.go_to_error();
            return None;
        };
        let collection = self.collection.name.clone();
        Some(match self.edited.id() {
            Some(id) => Effect::Update(ticket, collection, id, body),
            None => Effect::Create(ticket, collection, body),
        })
    }
}
