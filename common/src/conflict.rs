//! Two people at one record: what it means that a write was refused because somebody else was faster, what is shown then, and
//! what can still be done. Both clients go by this.
//!
//! - 412, changed: their version is read and becomes what the form starts from ([`EditedRecord::merge`]). What was typed stays.
//!   Saving again keeps mine; [`EditedRecord::take_theirs`] and [`EditedRecord::take_theirs_at`] take theirs.
//! - 404, deleted: what was typed stays and can be saved as a new record ([`EditedRecord::make_new`]).

use serde_json::Value;

use crate::{
    call_error::CallError, collection::Collection, form::Form, id::RecordId, record::Record, table::cell, text,
};

/// What it means that a write was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else changed it meanwhile: their version is to be read.
    Changed,
    /// Somebody else deleted it meanwhile, or it may not be seen any more.
    Deleted,
    /// The session is over: once somebody has signed in, nothing is wrong with what was sent.
    SignedOut,
    /// Anything else, which is for people to read.
    Other,
}

impl Refusal {
    /// Of an error. `exists`: what was written was there before.
    pub fn of(error: &CallError, exists: bool) -> Self {
        match (error.status(), exists) {
            (401, _) => Self::SignedOut,
            (412, true) => Self::Changed,
            (404, true) => Self::Deleted,
            _ => Self::Other,
        }
    }
}

/// Whether it may work later to undo something, of which the server said this: what it has no answer to, and what stands in the way for now. What
/// it refuses otherwise does not get better by asking again.
pub fn may_be_undone_later(error: &CallError) -> bool {
    error.problem().is_none() || matches!(error.status(), 409 | 429 | 500..)
}

/// What somebody else did to a record while it was edited here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// It was changed: these fields.
    Changed(Vec<FieldChange>),
    /// It was deleted.
    Deleted,
}

/// A field that somebody else changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field's label.
    pub label: String,
    /// What it said before, as a cell shows it.
    pub before: String,
    /// What it says now, as a cell shows it.
    pub now: String,
    /// What it says now, as an input holds it, where it was changed here too, to something else.
    pub theirs: Option<String>,
}

impl Conflict {
    /// Both sides changed the same field.
    pub fn has_conflicting_input(&self) -> bool {
        matches!(self, Self::Changed(fields) if fields.iter().any(|field| field.theirs.is_some()))
    }

    /// What somebody else wrote into the field with this label, where it was changed here too.
    pub fn theirs(&self, label: &str) -> Option<&str> {
        let Self::Changed(fields) = self else { return None };
        fields.iter().find(|field| field.label == label)?.theirs.as_deref()
    }
}

/// The record that a form edits: the version that was read, and what others have done to it since.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EditedRecord {
    /// The version that is edited; `None` for a new record.
    pub base: Option<Record>,
    /// What others have done to it meanwhile.
    pub conflict: Option<Conflict>,
    /// The record that this was is gone, so what stands in the form is nowhere else.
    is_rescued: bool,
}

impl EditedRecord {
    /// A record to edit, or without it a new one, and its form.
    pub fn new(collection: &Collection, record: Option<Record>) -> (Self, Form) {
        let form = record.as_ref().map_or_else(|| Form::create(collection), |record| Form::edit(collection, record));
        (Self { base: record, conflict: None, is_rescued: false }, form)
    }

    /// The record that is edited; `None` for a new one.
    pub fn id(&self) -> Option<RecordId> {
        self.base.as_ref()?.id()
    }

    /// Something stands in the form that is not saved.
    pub fn is_changed(&self, form: &Form) -> bool {
        self.is_rescued || form.is_changed()
    }

    /// Somebody else changed the record: `now` is what the form starts from, what was typed stays, and the conflict says what they
    /// changed.
    pub fn merge(&mut self, form: &mut Form, collection: &Collection, now: Record) {
        let conflicts = form.rebase(&now);
        let mut changes = self.changes(collection, &now);
        for change in &mut changes {
            let conflicting = conflicts.iter().find(|conflicting| conflicting.label == change.label);
            change.theirs = conflicting.map(|conflicting| conflicting.theirs.clone());
        }
        self.conflict = Some(Conflict::Changed(changes));
        self.base = Some(now);
    }

    /// In which fields a newer version is another than the one that is edited.
    pub fn changes(&self, collection: &Collection, now: &Record) -> Vec<FieldChange> {
        fn value<'a>(record: &'a Record, name: &str) -> Option<&'a Value> {
            record.get(name).filter(|value| !value.is_null())
        }
        let changes = collection.fields.iter().filter_map(|field| {
            let name = field.name.as_str();
            let before = self.base.as_ref().and_then(|base| value(base, name));
            let now = value(now, name);
            (before != now).then(|| FieldChange {
                label: text::label(name),
                before: cell(before),
                now: cell(now),
                theirs: None,
            })
        });
        changes.collect()
    }

    /// Takes what somebody else wrote, in all fields.
    pub fn take_theirs(&mut self, form: &mut Form) {
        for index in 0..form.inputs.len() {
            form.reset(index);
        }
        self.conflict = None;
    }

    /// Takes what somebody else wrote into one field.
    pub fn take_theirs_at(&mut self, form: &mut Form, index: usize) {
        let Some(input) = form.inputs.get(index) else { return };
        let label = input.label.clone();
        if let Some(Conflict::Changed(fields)) = &mut self.conflict {
            fields.iter_mut().filter(|field| field.label == label).for_each(|field| field.theirs = None);
        }
        form.reset(index);
    }

    /// The record is gone: what was typed becomes a new one.
    pub fn make_new(&mut self, form: &mut Form, collection: &Collection) {
        let mut new = Form::create(collection);
        for (index, input) in form.inputs.iter().enumerate() {
            new.set(index, input.text.clone());
        }
        *form = new;
        *self = Self { base: None, conflict: None, is_rescued: true };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problem::Problem;

    fn snacks() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}, {"name": "price", "type": "integer", "nullable": true}, {"name": "note", "type": "text"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    /// Popcorn for 3, with the title changed here to "Corn", and by somebody else to "Chips", without a price.
    fn both_changed() -> (EditedRecord, Form) {
        let record = |value| serde_json::from_value::<Record>(value).unwrap();
        let before = record(json!({"title": "Popcorn", "price": 3, "note": "", "revision": 1}));
        let now = record(json!({"title": "Chips", "price": null, "note": "", "revision": 2}));
        let (mut edited, mut form) = EditedRecord::new(&snacks(), Some(before));
        form.set(0, "Corn");
        edited.merge(&mut form, &snacks(), now);
        (edited, form)
    }

    fn body(form: &mut Form) -> Value {
        serde_json::json!(form.submit().unwrap())
    }

    #[test]
    fn what_the_other_changed_is_named_and_clashes_are_marked() {
        let change = |label: &str, before: &str, now: &str, theirs: Option<&str>| FieldChange {
            label: label.into(),
            before: before.into(),
            now: now.into(),
            theirs: theirs.map(str::to_owned),
        };
        let conflict = both_changed().0.conflict.unwrap();
        let expected = vec![change("Title", "Popcorn", "Chips", Some("Chips")), change("Price", "3", "", None)];
        assert_eq!(conflict, Conflict::Changed(expected));
        assert!(conflict.has_conflicting_input());
        assert_eq!((conflict.theirs("Title"), conflict.theirs("Price")), (Some("Chips"), None));
    }

    #[test]
    fn saving_again_keeps_mine_and_theirs_can_be_taken_whole_or_field_by_field() {
        let (mut edited, mut form) = both_changed();
        assert_eq!(body(&mut form), json!({"title": "Corn", "revision": 2}));
        assert_eq!(edited.changes(&snacks(), &edited.base.clone().unwrap()), [], "theirs is the base now");
        form.set(2, "mine");
        edited.take_theirs_at(&mut form, 0);
        assert_eq!(edited.conflict.as_ref().unwrap().theirs("Title"), None);
        assert_eq!(body(&mut form), json!({"note": "mine", "revision": 2}));
        edited.take_theirs(&mut form);
        assert!(edited.conflict.is_none() && !edited.is_changed(&form));
        assert_eq!((form.text("title"), form.text("note")), ("Chips", ""));
    }

    #[test]
    fn what_was_typed_outlives_the_record() {
        let record =
            serde_json::from_value(json!({"title": "Popcorn", "price": 3, "note": "", "revision": 5})).unwrap();
        let (mut edited, mut form) = EditedRecord::new(&snacks(), Some(record));
        form.set(0, "Corn");
        edited.make_new(&mut form, &snacks());
        assert!(edited.base.is_none() && edited.is_changed(&form));
        assert_eq!(body(&mut form), json!({"title": "Corn", "price": 3, "note": ""}));
    }

    #[test]
    fn a_refusal_is_a_conflict_only_where_there_was_something_to_meet() {
        let error = |problem| CallError::Problem(Box::new(problem));
        assert_eq!(Refusal::of(&error(Problem::stale("changed")), true), Refusal::Changed);
        assert_eq!(Refusal::of(&error(Problem::not_found("gone")), true), Refusal::Deleted);
        assert_eq!(Refusal::of(&error(Problem::not_found("no collection")), false), Refusal::Other);
        assert_eq!(Refusal::of(&error(Problem::unauthorized("over")), true), Refusal::SignedOut);
        assert_eq!(Refusal::of(&CallError::Unreachable(String::new()), true), Refusal::Other);
    }
}
