//! What a filter compares with: its text as values of its field, as Django's filters read them.

use serde_json::Value;

use super::{
    filter::{Filter, Lookup},
    pairs::too_many,
    part::Part,
};
use crate::{
    collection::Ids,
    field::{Field, FieldType, MAX_DECIMAL_DIGITS},
    id::RecordId,
    json::{self, Literal},
    problem::FieldError,
    reader::invalid,
    text::{single_line, trim},
    validate::{canonical_time, convert, day_in_words, parse_decimal},
};

/// Values of one `in` at most: each record is compared with all of them.
pub const MAX_VALUES: usize = 1000;

/// What a filter compares with, and how, once its field is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    /// How it compares. Of a number that no field can hold, such as 10.5 for integers, the next one is compared with.
    pub lookup: Lookup,
    /// Several for `in` and `range`, one otherwise; for `isnull` true or false. Where nothing could be equal, none.
    pub values: Vec<Value>,
}

/// What is said of U+0000, which no stored text has.
pub(super) fn null_characters() -> FieldError {
    FieldError::new("null_characters_not_allowed", "Null characters are not allowed.")
}

/// Words that front ends send for "either", where a select offers true, false and no choice.
const EITHER: [&str; 6] = ["null", "none", "undefined", "unknown", "any", "all"];

impl Filter {
    /// Whether it asks for nothing, although there is a value: a choice between true and false that nobody made. Only a list that is read
    /// may do without it: what is changed or deleted is never asked for by fewer conditions than were sent.
    pub fn is_either(&self, field: &Field) -> bool {
        let is_of_truth = matches!(self.lookup, Lookup::Isnull | Lookup::Isempty)
            || matches!(field.kind, FieldType::Boolean) && matches!(self.lookup, Lookup::Exact | Lookup::Ne);
        is_of_truth && EITHER.iter().any(|word| self.value.eq_ignore_ascii_case(word))
    }

    /// What it compares with, typed as its field, or the part of one. `ids` is what the ids are that a reference holds, where that is known.
    pub fn typed(&self, field: &Field, part: Option<Part>, ids: Option<Ids>) -> Result<Typed, FieldError> {
        let lookup = self.lookup;
        if self.value.contains('\0') {
            return Err(null_characters());
        }
        let one = |value| Ok(Typed { lookup, values: vec![value] });
        if matches!(lookup, Lookup::Isnull | Lookup::Isempty) {
            return one(convert(&Field::new(field.name.clone(), FieldType::Boolean), &self.value)?);
        }
        if lookup.is_textual() {
            if !field.kind.is_textual() {
                return Err(invalid(format!("{} works on text only.", lookup.word())));
            }
            // A former name of a choice, whatever its case.
            let is_meant = |old: &&String| lookup == Lookup::Iexact && old.to_lowercase() == self.value.to_lowercase();
            let choice = field.choice_aliases.keys().find(is_meant).and_then(|old| field.choice(old));
            return one(choice.unwrap_or(&self.value).into());
        }
        let is_between = matches!(lookup, Lookup::Gt | Lookup::Gte | Lookup::Lt | Lookup::Lte | Lookup::Range);
        if is_between && field.kind.refers_to_many() {
            return Err(invalid(format!("{} does not work on a list.", lookup.word())));
        }
        let parts = match lookup {
            Lookup::In | Lookup::Range => split_values(&self.value),
            _ => vec![Some(self.value.clone())],
        };
        // A range of texts may begin at the empty one.
        let is_text =
            lookup == Lookup::Range && field.kind.is_textual() && !matches!(field.kind, FieldType::Choice { .. });
        let parts: Vec<_> = parts.into_iter().map(|part| part.or_else(|| is_text.then(String::new))).collect();
        if parts.len() > MAX_VALUES {
            return Err(too_many(parts.len(), MAX_VALUES));
        }
        if lookup == Lookup::Range && parts.len() != 2 {
            return Err(invalid("Give two values with a comma between them."));
        }
        let place = |text: &String| match &field.kind {
            FieldType::Reference { .. } => self.place_of_id(ids, text),
            _ => self.place(field, part, text),
        };
        let places = parts.iter().flatten().map(place).collect::<Result<Vec<_>, _>>()?;
        // A member of the list that is empty equals nothing, and nothing is within a bound that is not there.
        if lookup == Lookup::Range && places.len() != 2 {
            return Ok(Typed { lookup: Lookup::In, values: Vec::new() });
        }
        Ok(compared(lookup, places))
    }

    /// An id. A number that is no id is that of no record, where ids are numbers: nothing equals it.
    fn place_of_id(&self, ids: Option<Ids>, text: &str) -> Result<Nearest, FieldError> {
        if let Ok(id) = trim(text).parse::<RecordId>() {
            return Ok(Nearest::At(id.to_value()));
        }
        let has_equals = matches!(self.lookup, Lookup::Exact | Lookup::Ne | Lookup::In);
        let whole = FieldType::Integer { min: None, max: None };
        match number(&whole, text).filter(|_| has_equals && ids == Some(Ids::Integer)) {
            Some(Nearest::At(number)) => {
                let id = number.as_i64().and_then(RecordId::from_number);
                Ok(id.map_or(Nearest::Above(number), |id| Nearest::At(id.to_value())))
            }
            Some(nearest) => Ok(nearest),
            None => Err(invalid(match ids {
                Some(Ids::Integer) => "A valid integer is required.",
                Some(Ids::Uuid) => "Must be a valid UUID.",
                None => "Must be a valid id.",
            })),
        }
    }

    fn place(&self, field: &Field, part: Option<Part>, text: &str) -> Result<Nearest, FieldError> {
        let has_equals = matches!(self.lookup, Lookup::Exact | Lookup::Ne | Lookup::In);
        let value = match &field.kind {
            FieldType::Integer { .. } | FieldType::Decimal { .. } => {
                let is_whole = matches!(field.kind, FieldType::Integer { .. });
                let message = if is_whole { "A valid integer is required." } else { "A valid number is required." };
                return number(&field.kind, text).ok_or_else(|| invalid(message));
            }
            FieldType::Json { .. } => {
                json::parse_value(text.trim().as_bytes()).map_err(|_| invalid("Value must be valid JSON."))?
            }
            FieldType::Choice { choices, many } if has_equals => {
                // The table of users does not know which roles there are.
                let parts: Vec<&str> =
                    if *many { text.lines().filter(|line| !line.is_empty()).collect() } else { vec![text] };
                let mut found = Vec::with_capacity(parts.len());
                for part in parts {
                    match field.choice(part) {
                        Some(choice) => found.push(Value::from(choice)),
                        None if choices.is_empty() => found.push(part.into()),
                        None => return Err(no_choice(part)),
                    }
                }
                if *many { found.into() } else { found.pop().unwrap_or_default() }
            }
            _ if part == Some(Part::Time) => canonical_time(text).map(Value::String).ok_or_else(|| {
                invalid("Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]].")
            })?,
            FieldType::Date => match day_in_words(text) {
                Some(day) => day.into(),
                None => convert(field, text)?,
            },
            _ => convert(field, text)?,
        };
        Ok(Nearest::At(value))
    }
}

/// Where a number stands among the values that a field can have.
enum Nearest {
    /// It is one of them.
    At(Value),
    /// Between this one and the next greater one.
    Above(Value),
    /// Between this one and the next smaller one.
    Below(Value),
}

/// Reads a number, however large it is and however many decimal places it has: it is compared with, and not stored.
fn number(kind: &FieldType, text: &str) -> Option<Nearest> {
    let literal = Literal::read(trim(text))?;
    let value: fn(&Literal) -> Option<Value> = match kind {
        FieldType::Integer { .. } => |literal| literal.to_i64().map(Value::from),
        _ => |literal| {
            let plain = literal.to_plain(MAX_DECIMAL_DIGITS as usize)?;
            Some(parse_decimal(&plain)?.normalize().to_string().into())
        },
    };
    if let Some(value) = value(&literal) {
        return Some(Nearest::At(value));
    }
    // The same with fewer digits: those before the point, or as many as are kept.
    let before_point = i64::try_from(literal.digits.len()).unwrap_or(i64::MAX).saturating_add(literal.exponent);
    let (kept, most) = match kind {
        FieldType::Integer { .. } if literal.negative => (before_point, i64::MIN.unsigned_abs().to_string()),
        FieldType::Integer { .. } => (before_point, i64::MAX.to_string()),
        _ => (i64::from(MAX_DECIMAL_DIGITS).min(before_point.saturating_add(28)), "9".repeat(28)),
    };
    let digits = literal.digits.get(..usize::try_from(kept).unwrap_or(0)).unwrap_or(&literal.digits);
    let exponent = before_point - i64::try_from(digits.len()).unwrap_or(0);
    let nearest = match digits {
        "" => Literal { negative: false, digits: String::new(), exponent: 0 },
        digits => Literal { digits: digits.to_owned(), exponent, ..literal.clone() },
    };
    let sign = if literal.negative { "-" } else { "" };
    let nearest = value(&nearest).or_else(|| value(&Literal::read(&format!("{sign}{most}"))?))?;
    Some(if literal.negative { Nearest::Below(nearest) } else { Nearest::Above(nearest) })
}

/// Compares with the values that a field can have, as with the numbers that were meant.
fn compared(lookup: Lookup, places: Vec<Nearest>) -> Typed {
    let (mut lookup, mut values) = (lookup, Vec::with_capacity(places.len()));
    for (i, place) in places.into_iter().enumerate() {
        let (value, is_above) = match place {
            Nearest::At(value) => {
                values.push(value);
                continue;
            }
            Nearest::Above(value) => (value, true),
            Nearest::Below(value) => (value, false),
        };
        lookup = match (lookup, is_above) {
            (Lookup::Gt | Lookup::Gte, true) => Lookup::Gt,
            (Lookup::Gt | Lookup::Gte, false) => Lookup::Gte,
            (Lookup::Lt | Lookup::Lte, true) => Lookup::Lte,
            (Lookup::Lt | Lookup::Lte, false) => Lookup::Lt,
            (Lookup::Range, is_above) => {
                // The first integer that is within.
                let step = i64::from(is_above && i == 0) - i64::from(!is_above && i == 1);
                match value.as_i64() {
                    Some(number) => match number.checked_add(step) {
                        Some(number) => values.push(number.into()),
                        None => return Typed { lookup: Lookup::In, values: Vec::new() },
                    },
                    None => values.push(value),
                }
                continue;
            }
            // Nothing equals it.
            (lookup, _) => lookup,
        };
        if !matches!(lookup, Lookup::Exact | Lookup::Ne | Lookup::In) {
            values.push(value);
        }
    }
    Typed { lookup, values }
}

fn no_choice(value: &str) -> FieldError {
    let message = format!("Select a valid choice. {} is not one of the available choices.", single_line(value));
    FieldError::new("invalid_choice", message)
}

/// The values of a list with commas between them, as a line of CSV: one in quotes may hold commas, spaces at its ends, and quotes if each
/// stands twice. Quotes that are none are a part of their value; `None` stands for a value that is not there.
pub fn split_values(list: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = Some(list);
    while let Some(text) = rest {
        if let Some((value, more)) = quoted(trim(text)) {
            values.push(Some(value));
            rest = more;
            continue;
        }
        let (value, more) = text.split_once(',').map_or((text, None), |(value, more)| (value, Some(more)));
        values.push(Some(trim(value).to_owned()).filter(|value| !value.is_empty()));
        rest = more;
    }
    values
}

/// A value in quotes at the beginning of a list, and what comes after its comma.
fn quoted(text: &str) -> Option<(String, Option<&str>)> {
    let (mut value, mut left) = (String::new(), text.strip_prefix('"')?);
    loop {
        let (part, after) = left.split_once('"')?;
        value.push_str(part);
        if let Some(more) = after.strip_prefix('"') {
            value.push('"');
            left = more;
            continue;
        }
        let after = after.trim_start();
        return if after.is_empty() { Some((value, None)) } else { Some((value, Some(after.strip_prefix(',')?))) };
    }
}

/// The list that [`split_values`] reads as these values.
pub fn join_values<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = |value: &str| {
        let is_plain = !value.is_empty() && !value.starts_with('"') && !value.contains(',') && trim(value) == value;
        if is_plain { value.to_owned() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
    };
    values.into_iter().map(quoted).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
