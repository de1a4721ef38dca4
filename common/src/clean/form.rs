//! What the inputs of an HTML form say: all of them texts, and nothing of a box that is not checked.

use serde_json::Value;

use crate::{
    field::{Field, FieldType},
    json::{self, Exact},
    problem::FieldError,
    reader::invalid,
};

/// The value of a field in a form, or `None` where the form says nothing of it. A name that was sent several times came as a list.
pub(super) fn read(field: &Field, sent: Option<Exact>, is_patch: bool) -> Result<Option<Exact>, FieldError> {
    let Some(sent) = sent else {
        return Ok(match field.kind {
            // A patch says nothing of what stays.
            _ if is_patch => None,
            FieldType::Boolean if field.nullable => Some(Value::Null.into()),
            FieldType::Boolean => Some(false.into()),
            FieldType::Choice { many: true, .. } | FieldType::Reference { many: true, .. } => {
                Some(Value::Array(Vec::new()).into())
            }
            _ => None,
        });
    };
    let value = match (&field.kind, sent.into_parts().0) {
        (FieldType::Choice { many: true, .. } | FieldType::Reference { many: true, .. }, value) => {
            let items = match value {
                Value::Array(items) => items,
                item => vec![item],
            };
            // An input without a value beside the boxes says that none is checked.
            return Ok(Some(items.into_iter().filter(|item| *item != "").collect::<Value>().into()));
        }
        // A hidden input before a box says what holds where it is not checked; the last one counts.
        (FieldType::Boolean, Value::Array(mut items)) => items.pop().unwrap_or_default(),
        (_, Value::Array(_)) => return Err(invalid("This field was sent more than once.")),
        (_, value) => value,
    };
    let text = value.as_str().unwrap_or_default();
    match &field.kind {
        FieldType::Text { .. } | FieldType::Email | FieldType::Url => Ok(Some(value.into())),
        // An input that nobody filled in.
        _ if text.trim().is_empty() && field.nullable => Ok(Some(Value::Null.into())),
        _ if text.trim().is_empty() && !field.required => Ok(None),
        FieldType::Json { .. } => match json::parse(text.trim().as_bytes()) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(invalid("Value must be valid JSON.")),
        },
        _ => Ok(Some(value.into())),
    }
}
