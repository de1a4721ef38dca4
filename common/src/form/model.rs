//! A form: its inputs, what is wrong with them, and what is sent.

use serde_json::Value;

use super::{input::Input, value::field_text};
use crate::{
    call_error::CallError,
    collection::Collection,
    id::Revision,
    problem::{NON_FIELD, Problem},
    record::Record,
    text,
};

/// A form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Form {
    /// Its inputs, in the order in which they are shown.
    pub inputs: Vec<Input>,
    /// The errors of the form as a whole, for people.
    pub errors: Vec<String>,
    /// The revision that is edited; `None` for what is new.
    revision: Option<Revision>,
}

/// An input that both sides changed; see [`Form::rebase`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictingInput {
    /// The input's label.
    pub label: String,
    /// The record's value now.
    pub theirs: String,
}

impl Form {
    /// A form for a new record.
    pub fn create(collection: &Collection) -> Self {
        let inputs = collection
            .fields
            .iter()
            .map(|field| Input::new(field.clone(), field_text(field, (&field.initial()).into())));
        Self { inputs: inputs.collect(), ..Self::default() }
    }

    /// A form for a record that exists.
    pub fn edit(collection: &Collection, record: &Record) -> Self {
        let inputs = collection.fields.iter().map(|field| {
            let member = record.member(field.name.as_str()).unwrap_or((&Value::Null).into());
            Input::new(field.clone(), field_text(field, member))
        });
        Self { inputs: inputs.collect(), errors: Vec::new(), revision: record.revision() }
    }

    pub(super) fn of<const N: usize>(inputs: [Option<Input>; N]) -> Self {
        Self { inputs: inputs.into_iter().flatten().collect(), ..Self::default() }
    }

    /// The input of this name.
    pub fn input(&self, name: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.name() == name)
    }

    /// What the input of this name holds.
    pub fn text(&self, name: &str) -> &str {
        self.input(name).map_or("", |input| &input.text)
    }

    /// Something was typed that has not been sent.
    pub fn is_changed(&self) -> bool {
        self.inputs.iter().any(Input::is_changed)
    }

    /// The form edits what exists already.
    pub fn is_edit(&self) -> bool {
        self.revision.is_some()
    }

    /// The revision that is edited.
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// Takes what was typed into an input and checks it at once. An index beyond the inputs does nothing.
    pub fn set(&mut self, index: usize, typed: impl Into<String>) {
        let Some(input) = self.inputs.get_mut(index) else { return };
        input.text = typed.into();
        input.errors = input.value().err().unwrap_or_default();
        self.errors.clear();
    }

    /// Puts back what an input held when the form was opened, or what [`Self::rebase`] read since. An index beyond the inputs does
    /// nothing.
    pub fn reset(&mut self, index: usize) {
        let Some(input) = self.inputs.get(index) else { return };
        let original = input.original.clone();
        self.set(index, original);
    }

    /// Checks everything; the body to send where all is well: all inputs for what is new, the changed ones and the
    /// revision for what exists.
    pub fn submit(&mut self) -> Option<Record> {
        let mut body = Record::default();
        for input in &mut self.inputs {
            match input.value() {
                Ok(value) => {
                    input.errors.clear();
                    if self.revision.is_none() || input.is_changed() {
                        body.set(input.name(), value);
                    }
                }
                Err(errors) => input.errors = errors,
            }
        }
        self.errors.clear();
        if let Some(revision) = self.revision {
            body.set("revision", revision.0);
        }
        self.inputs.iter().all(|input| input.errors.is_empty()).then_some(body)
    }

    /// Takes the least length of new passwords, to say so where one is typed.
    pub fn set_min_password_length(&mut self, length: u64) {
        self.inputs.iter_mut().for_each(|input| input.set_min_password_length(length));
    }

    /// Takes why the form could not be sent.
    pub fn refuse_call(&mut self, error: &CallError) {
        match error.problem() {
            Some(problem) => self.refuse(problem),
            None => self.errors = vec![error.to_string()],
        }
    }

    /// Puts what the server said to the inputs that it is about, and the rest to the form.
    pub fn refuse(&mut self, problem: &Problem) {
        self.errors.clear();
        let mut placed = false;
        for input in &mut self.inputs {
            input.errors = problem.errors.messages(input.field.name.as_str()).map(str::to_owned).collect();
            placed |= !input.errors.is_empty();
        }
        for (name, errors) in &problem.errors.0 {
            if self.input(name).is_none() {
                let about = if name == NON_FIELD { String::new() } else { format!("{}: ", text::label(name)) };
                self.errors.extend(errors.iter().map(|error| format!("{about}{}", error.message)));
            }
        }
        if !placed && self.errors.is_empty() {
            self.errors.push(problem.detail.clone());
        }
    }

    /// The record was changed by someone else: takes their version as the base, keeps what was typed here, and says where
    /// both sides changed the same field. Saving again then writes what stands in the form.
    pub fn rebase(&mut self, fresh: &Record) -> Vec<ConflictingInput> {
        let mut conflicts = Vec::new();
        for input in &mut self.inputs {
            let member = fresh.member(input.field.name.as_str()).unwrap_or((&Value::Null).into());
            let theirs = field_text(&input.field, member);
            if !input.is_changed() {
                input.text.clone_from(&theirs);
            } else if theirs != input.original && theirs != input.text {
                conflicts.push(ConflictingInput { label: input.label.clone(), theirs: theirs.clone() });
            }
            input.original = theirs;
        }
        self.revision = fresh.revision();
        self.errors.clear();
        conflicts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problem::{FieldError, FieldErrors};

    fn snacks() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [
                {"name": "title", "type": "text", "required": true, "max_length": 7},
                {"name": "price", "type": "integer", "min": 0, "nullable": true},
                {"name": "tags", "type": "choice", "choices": ["a", "b, c"], "many": true},
                {"name": "data", "type": "json", "nullable": true},
                {"name": "sold", "type": "boolean"}
            ],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    fn stored() -> Record {
        serde_json::from_value(
            json!({"title": "Popcorn", "price": 3, "tags": ["a", "b, c"], "data": "x", "sold": true, "revision": 5}),
        )
        .unwrap()
    }

    #[test]
    fn errors_stand_at_the_field_as_you_type() {
        let mut form = Form::create(&snacks());
        form.set(0, "Pop corn");
        assert_eq!(form.inputs[0].errors, ["Ensure this field has no more than 7 characters."]);
        form.set(0, "Popcorn");
        form.set(1, "x");
        assert!(form.inputs[0].errors.is_empty());
        assert_eq!(form.inputs[1].errors, ["A valid integer is required."]);
        assert_eq!(form.submit(), None);
        form.set(1, "");
        form.set(2, "a\nb, c");
        let body = form.submit().unwrap();
        assert_eq!(
            json!(body),
            json!({"title": "Popcorn", "price": null, "tags": ["a", "b, c"], "data": null, "sold": false})
        );
    }

    #[test]
    fn an_edit_sends_only_what_changed_and_its_revision() {
        let mut form = Form::edit(&snacks(), &stored());
        assert_eq!(json!(form.submit().unwrap()), json!({"revision": 5}));
        form.set(1, "4");
        assert_eq!(json!(form.submit().unwrap()), json!({"price": 4, "revision": 5}));
    }

    #[test]
    fn json_is_edited_on_lines_of_its_own_and_stays_unchanged_until_touched() {
        let mut record = stored();
        record.set("data", json!({"a": [1, {"b": null}]}));
        let mut form = Form::edit(&snacks(), &record);
        assert!(form.text("data").starts_with("{\n  \"a\": [\n"));
        assert!(!form.is_changed());
        form.set(3, form.text("data").replace('1', "2"));
        assert_eq!(json!(form.submit().unwrap()), json!({"data": {"a": [2, {"b": null}]}, "revision": 5}));
    }

    #[test]
    fn after_a_412_nothing_typed_is_lost_and_clashes_are_named() {
        let mut form = Form::edit(&snacks(), &stored());
        form.set(0, "Corn");
        let fresh = serde_json::from_value(
            json!({"title": "Chips", "price": 9, "tags": [], "data": null, "sold": true, "revision": 8}),
        )
        .unwrap();
        assert_eq!(form.rebase(&fresh), [ConflictingInput { label: "Title".into(), theirs: "Chips".into() }]);
        assert_eq!(form.text("price"), "9");
        assert_eq!(json!(form.submit().unwrap()), json!({"title": "Corn", "revision": 8}));
    }

    #[test]
    fn what_the_server_says_goes_to_its_field() {
        let mut form = Form::create(&snacks());
        let mut errors = FieldErrors::of("title", FieldError::new("unique", "This field must be unique."));
        errors.push("zzz", FieldError::new("unknown", "There is no field of this name."));
        form.refuse(&Problem::taken(errors));
        assert_eq!(form.inputs[0].errors, ["This field must be unique."]);
        assert_eq!(form.errors, ["Zzz: There is no field of this name."]);
    }
}
