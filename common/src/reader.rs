//! Reads the members of a request body one by one, with Django REST Framework's messages, and collects what is wrong with
//! each, so that a person hears of all faults at once. [`Body`] is what an endpoint's request type implements with it.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::{
    Object,
    json::{Exact, type_name},
    problem::{FieldError, FieldErrors, NON_FIELD},
    schema::Described,
};

/// A request body: how it is read from JSON and how a client writes it.
pub trait Body: Sized + Described {
    /// Reads the body, strictly.
    fn from_json(value: Value) -> Result<Self, FieldErrors>;

    /// Reads the body with the digits of its numbers as they were sent. A type that does not keep them refuses those that its
    /// values would not have.
    fn from_exact(body: Exact) -> Result<Self, FieldErrors> {
        let value = body.into_value().map_err(|error| FieldErrors::of(NON_FIELD, invalid(error.to_string())))?;
        Self::from_json(value)
    }

    /// Writes the body.
    fn to_json(&self) -> Value;

    /// The body as it is sent.
    fn to_bytes(&self) -> Vec<u8> {
        self.to_json().to_string().into_bytes()
    }
}

impl Body for () {
    fn from_json(_: Value) -> Result<Self, FieldErrors> {
        Ok(())
    }

    fn to_json(&self) -> Value {
        Value::Null
    }
}

/// "This field is required."
pub fn required() -> FieldError {
    FieldError::new("required", "This field is required.")
}

/// "This field may not be null."
pub fn not_null() -> FieldError {
    FieldError::new("null", "This field may not be null.")
}

/// "This field may not be blank."
pub fn not_blank() -> FieldError {
    FieldError::new("blank", "This field may not be blank.")
}

/// A value of the right type that does not do.
pub fn invalid(message: impl Into<String>) -> FieldError {
    FieldError::new("invalid", message)
}

/// A member that the server owns, and that came back changed.
pub fn read_only() -> FieldError {
    FieldError::new("read_only", "This field is set by the server. Leave it out, or send it back unchanged.")
}

/// Members that a body brought back and cannot change must be what they are in `stored`.
pub fn unchanged(sent_back: &Object, stored: &Value) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    for (name, _) in sent_back.iter().filter(|(name, value)| stored.get(name) != Some(value)) {
        errors.push(name, read_only());
    }
    errors.or(())
}

/// "Unknown field."
pub fn unknown() -> FieldError {
    FieldError::new("unknown", "There is no field of this name.")
}

/// What a text must be before anything else is asked of it.
pub fn text(value: &Value) -> Result<&str, FieldError> {
    let Value::String(text) = value else { return Err(invalid("Not a valid string.")) };
    if text.contains('\0') {
        return Err(FieldError::new("null_characters_not_allowed", "Null characters are not allowed."));
    }
    Ok(text)
}

/// An object, or the error about the body as a whole.
pub fn object(value: Value) -> Result<Object, FieldErrors> {
    match value {
        Value::Object(members) => Ok(members),
        Value::Null => Err(FieldErrors::of(NON_FIELD, FieldError::new("null", "No data provided"))),
        other => Err(FieldErrors::of(
            NON_FIELD,
            invalid(format!("Invalid data. Expected a dictionary, but got {}.", type_name(&other))),
        )),
    }
}

/// Of several names for one member the first that says something in a body; the first of all where none does.
pub fn said_by(members: &Object, names: &[&'static str]) -> &'static str {
    let is_said = |name: &&&str| members.get(**name).is_some_and(|member| !member.is_null() && member != "");
    names.iter().find(is_said).or(names.first()).copied().unwrap_or_default()
}

/// Which members readers ask for, so that a test can compare them with those that a schema names.
#[cfg(feature = "schema")]
pub mod watched {
    use std::{cell::RefCell, collections::BTreeSet};

    thread_local! {
        static NAMES: RefCell<Option<BTreeSet<String>>> = const { RefCell::new(None) };
    }

    pub(super) fn note(name: &str) {
        NAMES.with_borrow_mut(|names| {
            names.as_mut().map(|names| names.insert(name.to_owned()));
        });
    }

    /// The members that are asked for on this thread while `read` runs.
    pub fn during(read: impl FnOnce()) -> BTreeSet<String> {
        NAMES.set(Some(BTreeSet::new()));
        read();
        NAMES.take().unwrap_or_default()
    }
}

/// The members of one object, taken off one by one.
#[derive(Debug)]
pub struct Reader {
    members: Object,
    /// The errors so far.
    pub errors: FieldErrors,
}

impl Reader {
    /// Begins with an object; anything else is an error about the body as a whole.
    pub fn new(value: Value) -> Result<Self, FieldErrors> {
        Ok(Self { members: object(value)?, errors: FieldErrors::new() })
    }

    /// Takes a member off as it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        #[cfg(feature = "schema")]
        watched::note(name);
        self.members.shift_remove(name)
    }

    /// Of several names for one member the first that says something; the first of all where none does.
    pub fn named(&self, names: &[&'static str]) -> &'static str {
        #[cfg(feature = "schema")]
        for name in names {
            watched::note(name);
        }
        said_by(&self.members, names)
    }

    /// Takes members off that a body may bring back but not change: see [`unchanged`].
    pub fn sent_back(&mut self, names: &[&str]) -> Object {
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.take(name)?))).collect()
    }

    /// Notes that `name` is wrong.
    pub fn fail<T>(&mut self, name: &str, error: FieldError) -> Option<T> {
        self.errors.push(name, error);
        None
    }

    /// A member that must be there and not null.
    pub fn required(&mut self, name: &str) -> Option<Value> {
        match self.take(name) {
            None => self.fail(name, required()),
            Some(Value::Null) => self.fail(name, not_null()),
            some => some,
        }
    }

    /// A text that must be there and not be blank. It is taken as it stands: nothing is trimmed.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let value = self.required(name)?;
        match text(&value) {
            Err(error) => self.fail(name, error),
            Ok("") => self.fail(name, not_blank()),
            Ok(text) => Some(text.to_owned()),
        }
    }

    /// A text that may be missing (then empty), but not null.
    pub fn text_or_empty(&mut self, name: &str) -> String {
        match self.take(name) {
            None => String::new(),
            Some(Value::Null) => self.fail(name, not_null()).unwrap_or_default(),
            Some(value) => match text(&value) {
                Ok(text) => text.to_owned(),
                Err(error) => self.fail(name, error).unwrap_or_default(),
            },
        }
    }

    /// A name that must be there and parse, trimmed at its ends; the parser's `Display` is the message.
    pub fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.trim().parse() {
            Ok(parsed) => Some(parsed),
            Err(error) => self.fail(name, invalid(error.to_string())),
        }
    }

    /// True or false; false where it is missing.
    pub fn boolean(&mut self, name: &str) -> bool {
        self.optional_boolean(name).unwrap_or(false)
    }

    /// True, false, or missing.
    pub fn optional_boolean(&mut self, name: &str) -> Option<bool> {
        match self.take(name) {
            None => None,
            Some(Value::Bool(value)) => Some(value),
            Some(Value::Null) => self.fail(name, not_null()),
            Some(_) => self.fail(name, invalid("Must be a valid boolean.")),
        }
    }

    /// A whole number, null or missing.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        match self.take(name) {
            None | Some(Value::Null) => None,
            Some(value) => value.as_i64().or_else(|| self.fail(name, invalid("A valid integer is required."))),
        }
    }

    /// A whole number that is not negative, null or missing.
    pub fn length(&mut self, name: &str) -> Option<u64> {
        let number = self.integer(name)?;
        u64::try_from(number).ok().or_else(|| {
            self.fail(name, FieldError::new("min_value", "Ensure this value is greater than or equal to 0."))
        })
    }

    /// A list of texts that parse, or missing.
    pub fn list<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<Vec<T>> {
        let items = match self.take(name)? {
            Value::Array(items) => items,
            other => {
                let message = format!("Expected a list of items but got type \"{}\".", type_name(&other));
                return self.fail(name, FieldError::new("not_a_list", message));
            }
        };
        let mut parsed = Vec::with_capacity(items.len());
        for item in &items {
            match text(item).and_then(|text| text.parse().map_err(|error: T::Err| invalid(error.to_string()))) {
                Ok(item) => parsed.push(item),
                Err(error) => return self.fail(name, error),
            }
        }
        Some(parsed)
    }

    /// The errors so far, and one for each member that nobody took.
    pub fn finish(mut self) -> FieldErrors {
        for name in std::mem::take(&mut self.members).keys() {
            self.errors.push(name.clone(), unknown());
        }
        self.errors
    }

    /// The errors so far; members that nobody took are ignored, as `SimpleJWT` does.
    pub fn finish_lenient(self) -> FieldErrors {
        self.errors
    }
}

/// An object of the members that are there.
pub fn members<const N: usize>(pairs: [(&str, Option<Value>); N]) -> Value {
    let present = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_faults_are_told_at_once() {
        let mut reader = Reader::new(json!({"a": null, "b": 3, "d": "a\u{0}", "zzz": 1})).unwrap();
        for name in ["a", "b", "c", "d"] {
            assert_eq!(reader.text(name), None);
        }
        let errors = reader.finish();
        let codes: Vec<_> = errors.0.iter().map(|(name, errors)| (name.as_str(), errors[0].code.as_ref())).collect();
        assert_eq!(
            codes,
            [
                ("a", "null"),
                ("b", "invalid"),
                ("c", "required"),
                ("d", "null_characters_not_allowed"),
                ("zzz", "unknown")
            ]
        );
    }

    #[test]
    fn a_body_that_is_no_object_is_named_by_its_type() {
        let errors = Reader::new(json!([])).unwrap_err();
        assert_eq!(errors.messages(NON_FIELD).next(), Some("Invalid data. Expected a dictionary, but got list."));
    }
}
