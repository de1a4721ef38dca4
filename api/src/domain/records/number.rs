//! Adding to a number: `{"stock": {"$add": -1}}` in a change of some members. What is added to is read in the commit's own attempt, so nothing is
//! lost between two who add at once; those who add to one record wait for each other rather than try again.

use std::collections::BTreeSet;

use common::{
    collection::Collection,
    field::FieldType,
    id::RecordId,
    problem::{FieldError, FieldErrors},
    reader::invalid,
    record::{Member, Record},
    validate::{integer, parse_decimal},
};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

/// The member that says how much.
const ADD: &str = "$add";

/// Records are told apart in so many classes.
const CLASSES: usize = 256;

/// Those who add to a record, one after another.
#[derive(Debug)]
pub struct Adding(Vec<Mutex<()>>);

impl Default for Adding {
    fn default() -> Self {
        Self((0..CLASSES).map(|_| Mutex::default()).collect())
    }
}

impl Adding {
    /// Waits for those who came before to any of several records. Everybody waits in the same order.
    pub(super) async fn wait_for_all(&self, ids: &BTreeSet<RecordId>) -> Vec<MutexGuard<'_, ()>> {
        let classes: BTreeSet<usize> = ids.iter().map(|id| Self::class(*id)).collect();
        let mut waited = Vec::with_capacity(classes.len());
        for class in classes {
            waited.push(self.0[class].lock().await);
        }
        waited
    }

    fn class(id: RecordId) -> usize {
        id.bits().as_bytes().iter().rev().take(8).fold(0, |sum, byte| sum * 31 + usize::from(*byte)) % CLASSES
    }

    /// Waits for those who came before.
    pub async fn wait(&self, id: RecordId) -> MutexGuard<'_, ()> {
        self.0[Self::class(id)].lock().await
    }
}

/// What is to be added, where a field of this collection takes a number.
fn addend<'a>(collection: &Collection, name: &str, value: &'a Value) -> Option<(bool, &'a Value)> {
    let is_decimal = match collection.field(name)?.kind {
        FieldType::Integer { .. } => false,
        FieldType::Decimal { .. } => true,
        _ => return None,
    };
    let members = value.as_object().filter(|members| members.len() == 1)?;
    Some((is_decimal, members.get(ADD)?))
}

/// Whether a body adds to anything.
pub(super) fn adds(collection: &Collection, body: &Record) -> bool {
    body.as_object().iter().any(|(name, value)| addend(collection, name, value).is_some())
}

/// A body with sums in place of what is to be added to `old`. The fields' limits are for who checks it.
pub(super) fn added(collection: &Collection, body: &Record, old: &Record) -> Result<Record, FieldErrors> {
    let (mut body, mut errors) = (body.clone(), FieldErrors::new());
    let asked: Vec<(String, bool, Value)> = (body.as_object().iter())
        .filter_map(|(name, value)| {
            addend(collection, name, value).map(|(is_decimal, by)| (name.clone(), is_decimal, by.clone()))
        })
        .collect();
    for (name, is_decimal, by) in asked {
        // A JSON number of more digits than a float keeps stands in the member's text.
        let digits = body.member(&name).and_then(|member| member.text.map(str::to_owned));
        let stored = collection.field(&name).map_or(name.as_str(), |field| field.name.as_str());
        match sum(is_decimal, old.get(stored).unwrap_or(&Value::Null), &by, digits.as_deref()) {
            Ok(sum) => body.set(name, sum),
            Err(error) => errors.push(name, error),
        }
    }
    errors.or(body)
}

fn sum(is_decimal: bool, old: &Value, by: &Value, text: Option<&str>) -> Result<Value, FieldError> {
    let nothing = || FieldError::new("null", "There is no number yet that could be added to. Set one first.");
    let too_large = || invalid("The sum has more digits than are kept.");
    if is_decimal {
        let old = old.as_str().and_then(parse_decimal).ok_or_else(nothing)?;
        let by = match by {
            Value::String(text) => parse_decimal(text),
            // As it was sent: `{"$add":1.10}`.
            Value::Number(number) => {
                let sent = text.and_then(|text| text.split_once(':')?.1.strip_suffix('}'));
                parse_decimal(sent.unwrap_or(&number.to_string()))
            }
            _ => None,
        };
        let by = by.ok_or_else(|| invalid("A valid number is required."))?;
        return old.checked_add(by).map(|sum| Value::String(sum.to_string())).ok_or_else(too_large);
    }
    let by = match by {
        Value::Bool(_) => Err(invalid("A valid integer is required.")),
        by => integer(Member::from(by)),
    }?;
    let old = old.as_i64().ok_or_else(nothing)?;
    old.checked_add(by).map(Value::from).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sums_are_exact() {
        let added = |is_decimal, old: Value, by: Value| sum(is_decimal, &old, &by, None).ok();
        assert_eq!(added(false, json!(3), json!(-4)), Some(json!(-1)));
        assert_eq!(added(false, json!(3), json!("4")), Some(json!(7)));
        assert_eq!(added(false, json!(3), json!(1.5)), None);
        assert_eq!(added(false, json!(3), json!(true)), None);
        assert_eq!(added(false, json!(i64::MAX), json!(1)), None);
        assert_eq!(added(false, json!(null), json!(1)), None);
        assert_eq!(added(true, json!("0.10"), json!("0.20")), Some(json!("0.30")));
        assert_eq!(added(true, json!("0.1"), json!(0.2)), Some(json!("0.3")));
        assert_eq!(added(true, json!("1"), json!("x")), None);
        assert_eq!(added(true, json!("1"), json!(null)), None);
    }
}
