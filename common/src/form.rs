//! Forms: the model that both clients draw. A form has inputs; an input holds what was typed as text, knows its field, and
//! says at once what is wrong with it, by the rules that the server will use. Forms that belong to no collection (sign-in,
//! set-up, password) are made of the same parts.

mod user;

use serde_json::Value;

use crate::{
    Object,
    collection::Collection,
    field::{Field, FieldType},
    id::Revision,
    json,
    name::{CollectionName, FieldName},
    problem::{FieldError, Problem},
    reader::{invalid, not_blank, required},
    record::Record,
    text,
    validate::{canonical_date, canonical_datetime, check, parse_decimal},
};

/// How an input is drawn. What it holds is text all the same; see [`Input::text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Widget {
    /// One line.
    Line,
    /// Several lines.
    Area,
    /// One line, not shown.
    Password,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
    /// `true`, `false`, or empty for null.
    Toggle,
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339.
    Datetime,
    /// One of these.
    Select(Vec<String>),
    /// Any of these; chosen ones stand on a line each.
    MultiSelect(Vec<String>),
    /// The id of a record in this collection.
    Reference(CollectionName),
    /// JSON text.
    Json,
}

/// One input of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The field that it fills.
    pub field: Field,
    /// How it is drawn.
    pub widget: Widget,
    /// The label.
    pub label: String,
    /// What was typed. Empty stands for null, or for the empty text where the field may not be null.
    pub text: String,
    /// What is wrong with it, for people.
    pub errors: Vec<String>,
    /// What it held when the form was opened.
    original: String,
}

impl Input {
    /// An input that fills a field and holds this text.
    pub fn new(field: Field, text: String) -> Self {
        let widget = match &field.kind {
            FieldType::Text { multiline: true, .. } => Widget::Area,
            FieldType::Text { .. } | FieldType::Email | FieldType::Url => Widget::Line,
            FieldType::Integer { .. } => Widget::Integer,
            FieldType::Decimal { .. } => Widget::Decimal,
            FieldType::Boolean => Widget::Toggle,
            FieldType::Date => Widget::Date,
            FieldType::Datetime => Widget::Datetime,
            FieldType::Choice { choices, many: false } => Widget::Select(choices.clone()),
            FieldType::Choice { choices, many: true } => Widget::MultiSelect(choices.clone()),
            FieldType::Reference { collection, .. } => Widget::Reference(collection.clone()),
            FieldType::Json { .. } => Widget::Json,
        };
        let label = text::label(field.name.as_str());
        Self { field, widget, label, original: text.clone(), text, errors: Vec::new() }
    }

    /// The name of its member in the body.
    pub fn name(&self) -> &str {
        self.field.name.as_str()
    }

    /// Differs from what it held when the form was opened.
    pub fn is_changed(&self) -> bool {
        self.text != self.original
    }

    /// The value that was typed, or what is wrong with it.
    pub fn value(&self) -> Result<Value, Vec<String>> {
        typed_value(&self.field, &self.text)
            .map_err(|error| vec![error])
            .and_then(|value| if self.widget == Widget::Password { Ok(value) } else { check(&self.field, &value) })
            .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
    }

    /// A short sentence on what fits: the field's help, then its limits.
    pub fn hint(&self) -> String {
        let limits = match &self.field.kind {
            FieldType::Text { max_length: Some(max), .. } if self.widget != Widget::Password => {
                format!("At most {max} characters.")
            }
            FieldType::Integer { min, max } => bounds(min.as_ref(), max.as_ref()),
            FieldType::Decimal { min, max, places } => {
                let places = places
                    .map(|places| format!(" {} after the point.", text::count(places.into(), "digit")))
                    .unwrap_or_default();
                format!("{}{places}", bounds(min.as_ref(), max.as_ref()))
            }
            FieldType::Date => "A day such as 2026-01-31.".to_owned(),
            FieldType::Datetime => "A moment such as 2026-01-31T18:00Z.".to_owned(),
            FieldType::Reference { collection, .. } => format!("The id of a record in {collection}."),
            FieldType::Json { .. } => "Any JSON value.".to_owned(),
            _ => String::new(),
        };
        [self.field.help.as_str(), limits.trim()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn bounds<T: std::fmt::Display>(min: Option<&T>, max: Option<&T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("From {min} to {max}."),
        (Some(min), None) => format!("At least {min}."),
        (None, Some(max)) => format!("At most {max}."),
        (None, None) => String::new(),
    }
}

fn typed_value(field: &Field, typed: &str) -> Result<Value, FieldError> {
    if !typed.is_empty() {
        return parse_input(field, typed);
    }
    match &field.kind {
        FieldType::Text { .. } | FieldType::Email | FieldType::Url if field.required => Err(not_blank()),
        FieldType::Boolean if field.required && !field.nullable => Ok(Value::Bool(false)),
        _ if field.nullable && !field.required => Ok(Value::Null),
        FieldType::Choice { many: true, .. } => Ok(Value::Array(Vec::new())),
        _ if field.required => Err(required()),
        FieldType::Text { .. } | FieldType::Email | FieldType::Url => Ok(Value::String(String::new())),
        _ => Ok(field.initial()),
    }
}

/// Reads what a person typed (or a filter says) as a value of the field's type. The field's limits are not looked at.
pub fn parse_input(field: &Field, typed: &str) -> Result<Value, FieldError> {
    let trimmed = typed.trim();
    match &field.kind {
        FieldType::Text { .. } | FieldType::Choice { many: false, .. } => Ok(Value::String(typed.to_owned())),
        FieldType::Email | FieldType::Url | FieldType::Reference { .. } => Ok(Value::String(trimmed.to_owned())),
        FieldType::Choice { many: true, .. } => {
            Ok(Value::Array(typed.lines().filter(|line| !line.is_empty()).map(Value::from).collect()))
        }
        FieldType::Integer { .. } => {
            trimmed.parse::<i64>().map(Value::from).map_err(|_| invalid("A valid integer is required."))
        }
        FieldType::Decimal { .. } => match parse_decimal(trimmed) {
            Some(number) => Ok(Value::String(number.normalize().to_string())),
            None => Err(invalid("A valid number is required.")),
        },
        FieldType::Boolean => match trimmed {
            "true" | "True" | "1" => Ok(Value::Bool(true)),
            "false" | "False" | "0" => Ok(Value::Bool(false)),
            _ => Err(invalid("Must be a valid boolean.")),
        },
        FieldType::Date => canonical_date(trimmed).map(Value::String).ok_or_else(|| first_error(field, trimmed)),
        FieldType::Datetime => {
            canonical_datetime(trimmed).map(Value::String).ok_or_else(|| first_error(field, trimmed))
        }
        FieldType::Json { .. } => json::parse(trimmed.as_bytes()).map_err(|_| invalid("Value must be valid JSON.")),
    }
}

fn first_error(field: &Field, typed: &str) -> FieldError {
    let errors = check(field, &Value::from(typed)).err().unwrap_or_default();
    errors.into_iter().next().unwrap_or_else(|| invalid("This value does not fit."))
}

/// A value as the text that an input holds. [`parse_input`] reads it back.
pub fn input_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// A form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Form {
    /// Its inputs, in the order in which they are shown.
    pub inputs: Vec<Input>,
    /// What is wrong with the form as a whole, for people.
    pub errors: Vec<String>,
    /// The revision that is edited; `None` for what is new.
    revision: Option<Revision>,
}

/// A field that both sides changed; see [`Form::rebase`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The input's label.
    pub label: String,
    /// What the record says now.
    pub theirs: String,
}

impl Form {
    /// A form for a new record.
    pub fn create(collection: &Collection) -> Self {
        let inputs =
            collection.fields.iter().map(|field| Input::new(field.clone(), field_text(field, &field.initial())));
        Self { inputs: inputs.collect(), ..Self::default() }
    }

    /// A form for a record that exists.
    pub fn edit(collection: &Collection, record: &Record) -> Self {
        let inputs = collection.fields.iter().map(|field| {
            let value = record.get(field.name.as_str()).unwrap_or(&Value::Null);
            Input::new(field.clone(), field_text(field, value))
        });
        Self { inputs: inputs.collect(), errors: Vec::new(), revision: record.revision() }
    }

    /// Name and password.
    pub fn sign_in() -> Self {
        Self::of([line("username", ""), password("password", "")])
    }

    /// The one-time code, and the first admin's name and password.
    pub fn set_up() -> Self {
        Self::of([
            line("code", "Printed by the server when it started."),
            line("username", "What you will sign in with."),
            password("password", "At least 15 characters. A few words in a row do well."),
        ])
    }

    /// The password until now, and from now on.
    pub fn change_password() -> Self {
        Self::of([
            password("current_password", ""),
            password("new_password", "At least 15 characters. This session goes on; all your others end."),
        ])
    }

    fn of<const N: usize>(inputs: [Option<Input>; N]) -> Self {
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

    /// Checks everything; the body to send where all is well: all inputs for what is new, the changed ones and the
    /// revision for what exists.
    pub fn submit(&mut self) -> Option<Object> {
        let mut body = Object::new();
        for input in &mut self.inputs {
            match input.value() {
                Ok(value) => {
                    input.errors.clear();
                    if self.revision.is_none() || input.is_changed() {
                        body.insert(input.name().to_owned(), value);
                    }
                }
                Err(errors) => input.errors = errors,
            }
        }
        self.errors.clear();
        if let Some(revision) = self.revision {
            body.insert("revision".to_owned(), revision.0.into());
        }
        self.inputs.iter().all(|input| input.errors.is_empty()).then_some(body)
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
                let about =
                    if name == crate::problem::NON_FIELD { String::new() } else { format!("{}: ", text::label(name)) };
                self.errors.extend(errors.iter().map(|error| format!("{about}{}", error.message)));
            }
        }
        if !placed && self.errors.is_empty() {
            self.errors.push(problem.detail.clone());
        }
    }

    /// The record was changed by someone else: takes their version as the base, keeps what was typed here, and says where
    /// both sides changed the same field. Saving again then writes what stands in the form.
    pub fn rebase(&mut self, fresh: &Record) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for input in &mut self.inputs {
            let value = fresh.get(input.field.name.as_str()).unwrap_or(&Value::Null);
            let theirs = field_text(&input.field, value);
            if !input.is_changed() {
                input.text.clone_from(&theirs);
            } else if theirs != input.original && theirs != input.text {
                clashes.push(Clash { label: input.label.clone(), theirs: theirs.clone() });
            }
            input.original = theirs;
        }
        self.revision = fresh.revision();
        self.errors.clear();
        clashes
    }
}

fn field_text(field: &Field, value: &Value) -> String {
    match (&field.kind, value) {
        (FieldType::Choice { many: true, .. }, Value::Array(items)) if items.is_empty() => String::new(),
        (FieldType::Json { .. }, Value::Null) => String::new(),
        (FieldType::Json { .. }, value) => serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()),
        (_, value) => input_text(value),
    }
}

fn line(name: &str, help: &str) -> Option<Input> {
    let name: FieldName = name.parse().ok()?;
    let kind = FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false };
    let field = Field { required: true, help: help.to_owned(), ..Field::new(name, kind) };
    Some(Input::new(field, String::new()))
}

fn password(name: &str, help: &str) -> Option<Input> {
    Some(Input { widget: Widget::Password, ..line(name, help)? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problem::FieldErrors;

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
            Value::Object(body),
            json!({"title": "Popcorn", "price": null, "tags": ["a", "b, c"], "data": null, "sold": false})
        );
    }

    #[test]
    fn an_edit_sends_only_what_changed_and_its_revision() {
        let mut form = Form::edit(&snacks(), &stored());
        assert_eq!(Value::Object(form.submit().unwrap()), json!({"revision": 5}));
        form.set(1, "4");
        assert_eq!(Value::Object(form.submit().unwrap()), json!({"price": 4, "revision": 5}));
    }

    #[test]
    fn json_is_edited_on_lines_of_its_own_and_stays_unchanged_until_touched() {
        let mut record = stored();
        record.set("data", json!({"a": [1, {"b": null}]}));
        let mut form = Form::edit(&snacks(), &record);
        assert!(form.text("data").starts_with("{\n  \"a\": [\n"));
        assert!(!form.is_changed());
        form.set(3, form.text("data").replace('1', "2"));
        assert_eq!(Value::Object(form.submit().unwrap()), json!({"data": {"a": [2, {"b": null}]}, "revision": 5}));
    }

    #[test]
    fn after_a_412_nothing_typed_is_lost_and_clashes_are_named() {
        let mut form = Form::edit(&snacks(), &stored());
        form.set(0, "Corn");
        let fresh = serde_json::from_value(
            json!({"title": "Chips", "price": 9, "tags": [], "data": null, "sold": true, "revision": 8}),
        )
        .unwrap();
        assert_eq!(form.rebase(&fresh), [Clash { label: "Title".into(), theirs: "Chips".into() }]);
        assert_eq!(form.text("price"), "9");
        assert_eq!(Value::Object(form.submit().unwrap()), json!({"title": "Corn", "revision": 8}));
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

    #[test]
    fn passwords_are_sent_as_typed() {
        let mut form = Form::sign_in();
        form.set(0, "ada");
        form.set(1, " spaced ");
        assert_eq!(Value::Object(form.submit().unwrap()), json!({"username": "ada", "password": " spaced "}));
    }
}
