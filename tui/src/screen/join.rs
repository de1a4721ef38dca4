//! Another collection is joined to a table: which one, and by which fields. One that is joined can be taken off.

use common::{
    collection::Collection,
    form::Form,
    query::JoinWith,
    table::{join_fields, likely_join},
};

use super::{
    change::{choice, flag},
    editing::Editing,
    form_state::FormState,
};
use crate::{effect::Effect, load::Ticket, words};

/// The inputs, in their order.
const COLLECTION: usize = 0;
const FIELD: usize = 1;
const THEIR_FIELD: usize = 2;
const OFF: usize = 3;

/// The form.
pub struct JoinForm {
    collection: Collection,
    others: Vec<Collection>,
    /// What is joined now.
    joins: Vec<JoinWith>,
    /// The other collection, and the fields.
    pub state: FormState,
    /// The other collection that the fields are of.
    other: String,
}

impl JoinForm {
    /// Over the table of a collection with these joins, beside these others.
    pub fn new(collection: Collection, others: Vec<Collection>, joins: Vec<JoinWith>) -> Self {
        let mut form =
            Self { collection, others, joins, state: FormState::unmarked(Form::default()), other: String::new() };
        let is_joined = |name: &str| form.joins.iter().any(|join| join.collection.as_str() == name);
        let names = form.names();
        let first = names.iter().find(|name| !is_joined(name)).or(names.first()).cloned().unwrap_or_default();
        form.lay_out(first);
        form
    }

    /// The other collections, and those that are joined although they are not to be seen any more.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.others.iter().map(|other| other.name.to_string()).collect();
        let joined = self.joins.iter().map(|join| join.collection.to_string());
        let gone: Vec<String> = joined.filter(|name| !names.contains(name)).collect();
        names.extend(gone);
        names
    }

    fn lay_out(&mut self, other: String) {
        let there = self.others.iter().find(|known| known.name.as_str() == other);
        let joined = self.joins.iter().find(|join| join.collection.as_str() == other);
        let join = joined.cloned().or_else(|| there.map(|there| likely_join(&self.collection, there)));
        let (field, their_field) = join.map(|join| (join.field, join.their_field)).unwrap_or_default();
        let theirs = there.map_or_else(|| vec![their_field.clone()], join_fields);
        let mut inputs = vec![
            choice(words::JOIN_COLLECTION, self.names(), other.clone(), true),
            choice(words::JOIN_FIELD, join_fields(&self.collection), field, true),
            choice(words::JOIN_THEIR_FIELD, theirs, their_field, true),
        ];
        if joined.is_some() {
            inputs.push(flag(words::JOIN_OFF, false));
        }
        self.state.form.inputs = inputs;
        self.state.go_to(COLLECTION);
        self.other = other;
    }

    fn text(&self, input: usize) -> &str {
        self.state.form.inputs.get(input).map_or("", |input| &input.text)
    }

    /// What is to be joined: as before, with what the form says; `None` where it says nothing.
    pub fn joins(&self) -> Option<Vec<JoinWith>> {
        let collection = self.text(COLLECTION).parse().ok()?;
        let (field, their_field) = (self.text(FIELD).to_owned(), self.text(THEIR_FIELD).to_owned());
        let join = JoinWith { collection, field, their_field };
        let mut joins = self.joins.clone();
        let at = joins.iter().position(|known| known.collection == join.collection);
        match (at, self.text(OFF) == "true") {
            (Some(at), true) => drop(joins.remove(at)),
            (Some(at), false) => joins[at] = join,
            (None, _) => joins.push(join),
        }
        Some(joins)
    }
}

impl Editing for JoinForm {
    fn state(&self) -> &FormState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut FormState {
        &mut self.state
    }

    fn is_changed(&self) -> bool {
        false
    }

    fn typed(&mut self, into_form: &mut dyn FnMut(&mut FormState)) {
        into_form(&mut self.state);
        if self.text(COLLECTION) != self.other {
            self.lay_out(self.text(COLLECTION).to_owned());
        }
    }

    /// It is the table that asks.
    fn save(&mut self, _: Ticket) -> Option<Effect> {
        None
    }
}
