//! One input of a form: what was typed, and whether it is a value of its field.

use serde_json::Value;

use super::value::parse_input;
use crate::{
    field::{Field, FieldType},
    json::Exact,
    name::CollectionName,
    problem::FieldError,
    reader::{not_blank, required},
    text,
    validate::{Ends, check_exact},
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
    /// The same, for a password to be; its `min_length` is only said, since the server checks it.
    NewPassword,
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
    /// The text as typed. Empty stands for null, or for the empty text where the field may not be null.
    pub text: String,
    /// The errors of the input, for people.
    pub errors: Vec<String>,
    /// The text when the form was opened.
    pub(super) original: String,
}

impl Input {
    /// An input that fills a field and holds this text.
    pub fn new(field: Field, text: String) -> Self {
        let widget = match &field.kind {
            FieldType::Text { multiline: true, .. } | FieldType::Reference { many: true, .. } => Widget::Area,
            FieldType::Text { .. }
            | FieldType::Email
            | FieldType::Url
            | FieldType::Reference { collection: None, .. } => Widget::Line,
            FieldType::Integer { .. } => Widget::Integer,
            FieldType::Decimal { .. } => Widget::Decimal,
            FieldType::Boolean => Widget::Toggle,
            FieldType::Date => Widget::Date,
            FieldType::Datetime => Widget::Datetime,
            FieldType::Choice { choices, many: false } => Widget::Select(choices.clone()),
            FieldType::Choice { choices, many: true } => Widget::MultiSelect(choices.clone()),
            FieldType::Reference { collection: Some(collection), .. } => Widget::Reference(collection.clone()),
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
    pub fn value(&self) -> Result<Exact, Vec<String>> {
        typed_value(&self.field, &self.text)
            .map_err(|error| vec![error])
            .and_then(
                |value| if self.is_password() { Ok(value) } else { check_exact(&self.field, &value, Ends::Trimmed) },
            )
            .map_err(|errors| errors.into_iter().map(|error| error.message).collect())
    }

    /// A password: its text is not shown.
    pub fn is_password(&self) -> bool {
        matches!(self.widget, Widget::Password | Widget::NewPassword)
    }

    /// Takes the least length of new passwords, to say so where one is typed.
    pub fn set_min_password_length(&mut self, length: u64) {
        if let (Widget::NewPassword, FieldType::Text { min_length, .. }) = (&self.widget, &mut self.field.kind) {
            *min_length = Some(length);
        }
    }

    /// A short sentence on what fits: the field's help, then its limits.
    pub fn hint(&self) -> String {
        let limits = match &self.field.kind {
            FieldType::Text { min_length: Some(min), .. } if self.is_password() => {
                let limit = format!("At least {min} characters.");
                // Where it must be filled in, that is what there is to know first.
                if self.field.required {
                    return format!("{limit} {}", self.field.help).trim_end().to_owned();
                }
                limit
            }
            FieldType::Text { max_length: Some(max), .. } if !self.is_password() => {
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
            FieldType::Reference { collection: Some(collection), many: true, .. } => {
                format!("The ids of records in {collection}, one a line.")
            }
            FieldType::Reference { collection: Some(collection), .. } => format!("The id of a record in {collection}."),
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

fn typed_value(field: &Field, typed: &str) -> Result<Exact, FieldError> {
    if !typed.is_empty() {
        return parse_input(field, typed);
    }
    match &field.kind {
        FieldType::Text { .. } | FieldType::Email | FieldType::Url if field.required => Err(not_blank()),
        FieldType::Boolean if field.required && !field.nullable => Ok(false.into()),
        _ if field.nullable && !field.required => Ok(Value::Null.into()),
        FieldType::Choice { many: true, .. } | FieldType::Reference { many: true, .. } => {
            Ok(Value::Array(Vec::new()).into())
        }
        _ if field.required => Err(required()),
        FieldType::Text { .. } | FieldType::Email | FieldType::Url => Ok("".into()),
        _ => Ok(field.initial()),
    }
}
