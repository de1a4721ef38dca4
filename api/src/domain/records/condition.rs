//! One condition on a record: what a filter says, typed once and asked of every record. It reads nothing but the record and those that it
//! refers to, and always has an answer.

use std::{borrow::Cow, cmp::Ordering};

use ::regex::Regex;
use base::fold::{fold, nfc};
use common::{
    field::{Field, FieldType},
    problem::FieldError,
    query::{Filter, Lookup, Part, Typed, unknown_parameter},
    record::Record,
    validate::{canonical_date, parse_decimal},
};
use serde_json::Value;

use super::{
    path::Path,
    referred::Referred,
    regex::{self, Spent},
};

/// One typed condition.
#[derive(Clone)]
pub(crate) struct Condition {
    /// What is compared.
    pub path: Path,
    /// How it compares.
    pub lookup: Lookup,
    /// What it compares with; one of them, where [`Lookup::means_either`]. None where nothing could be equal.
    pub values: Vec<Value>,
    /// The values as texts are compared: folded where case does not count, in Normalization Form C otherwise.
    texts: Vec<String>,
    /// What is looked for, where it is patterns.
    patterns: Vec<Regex>,
    /// The query's parameter.
    pub parameter: String,
}

impl Condition {
    /// What a filter says of what a path leads to.
    pub(crate) fn new(mut path: Path, filter: &Filter) -> Result<Self, FieldError> {
        let parameter = filter.parameter();
        let bounded = path.bound.map(|lookup| Filter { lookup, ..filter.clone() });
        if bounded.is_some() && filter.lookup != Lookup::Exact {
            return Err(unknown_parameter());
        }
        let filter = bounded.as_ref().unwrap_or(filter);
        // A bound that is a day has all of that day's moments within.
        if bounded.is_some() && path.field.kind == FieldType::Datetime && canonical_date(&filter.value).is_some() {
            (path.part, path.field.kind) = (Some(Part::Date), FieldType::Date);
        }
        let Typed { lookup, values } = filter.typed(&path.field, path.part, path.ids)?;
        let patterns = match filter.lookup {
            Lookup::Regex => vec![regex::compile(&filter.value, false)?],
            Lookup::Iregex => vec![regex::compile(&filter.value, true)?],
            _ => Vec::new(),
        };
        let texts = match filter.lookup {
            Lookup::Iexact => values.iter().filter_map(Value::as_str).map(fold).collect(),
            lookup if ignores_case(lookup) => vec![fold(&filter.value)],
            _ => vec![nfc(&filter.value).into_owned()],
        };
        Ok(Self { path, lookup, values, texts, patterns, parameter })
    }

    /// The same in parts, for each value that a list of references may have; none where it is no such question, or of more values than `most`.
    pub(crate) fn each_of_many(&self, most: usize) -> Vec<Self> {
        let is_of_many = self.path.is_own() && self.path.field.kind.refers_to_many();
        let asks_for_one = matches!(self.lookup, Lookup::Exact | Lookup::In);
        if !is_of_many || !asks_for_one || !(2..=most).contains(&self.values.len()) {
            return Vec::new();
        }
        let of_one = |value: &Value| Self { lookup: Lookup::Exact, values: vec![value.clone()], ..self.clone() };
        self.values.iter().map(of_one).collect()
    }

    /// Takes what another asks for too: one of both.
    pub(crate) fn extend(&mut self, other: Self) {
        self.values.extend(other.values);
        self.texts.extend(other.texts);
        self.patterns.extend(other.patterns);
    }

    /// Whether it holds for a record.
    pub(crate) fn holds(&self, record: &Record, referred: &Referred, spent: &Spent) -> bool {
        if !self.path.is_of_many() {
            return self.holds_of(&self.path.value(record, referred), spent);
        }
        // Of several values one has to be so, and none where it is asked what they are not.
        let values = self.path.values(record, referred);
        let holds = |value: &Cow<'_, Value>| self.holds_of(value, spent);
        match self.lookup {
            Lookup::Ne => values.iter().all(holds),
            Lookup::Isnull | Lookup::Isempty if self.values.first() == Some(&Value::Bool(true)) => {
                values.iter().all(holds)
            }
            _ => values.iter().any(holds),
        }
    }

    fn holds_of(&self, value: &Value, spent: &Spent) -> bool {
        let is_of_many = self.path.field.kind.refers_to_many();
        if self.lookup == Lookup::Isnull && !is_of_many {
            return Value::Bool(value.is_null()) == self.values[0];
        }
        if matches!(self.lookup, Lookup::Isempty | Lookup::Isnull) {
            return Value::Bool(is_empty(value)) == self.values[0];
        }
        let compare = |with: &Value| compare(&self.path.field, value, with);
        // Where nothing could be equal, there is no value to compare with.
        let Some(first) = self.values.first() else { return self.lookup == Lookup::Ne };
        match self.lookup {
            Lookup::Ne => !self.equals(value, first),
            Lookup::Exact | Lookup::In => self.values.iter().any(|with| self.equals(value, with)),
            _ if value.is_null() => false,
            Lookup::Gt => compare(first).is_gt(),
            Lookup::Gte => compare(first).is_ge(),
            Lookup::Lt => compare(first).is_lt(),
            Lookup::Lte => compare(first).is_le(),
            Lookup::Range => compare(first).is_ge() && compare(&self.values[1]).is_le(),
            _ => value.as_str().is_some_and(|text| self.has_text(text, spent)),
        }
    }

    /// Whether a textual lookup finds one of its texts.
    fn has_text(&self, text: &str, spent: &Spent) -> bool {
        if !self.patterns.is_empty() {
            return self.patterns.iter().any(|pattern| spent.is_match(pattern, text));
        }
        let exact = nfc(text);
        let finds = |text: &str, with: &str| match self.lookup {
            Lookup::Contains | Lookup::Icontains => text.contains(with),
            Lookup::Startswith | Lookup::Istartswith => text.starts_with(with),
            Lookup::Endswith | Lookup::Iendswith => text.ends_with(with),
            _ => text == with,
        };
        if !ignores_case(self.lookup) {
            return self.texts.iter().any(|with| finds(&exact, with));
        }
        let folded = fold(&exact);
        // What is found with case is found without, also where a part of a letter (of a ligature) folds to another beginning.
        self.texts.iter().any(|with| finds(&folded, with))
            || self.values.iter().filter_map(Value::as_str).any(|with| finds(&exact, &nfc(with)))
    }

    /// Whether it takes a time that is not known beforehand.
    pub(crate) fn is_pattern(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// A list (several choices) equals a value that is in it.
    fn equals(&self, value: &Value, with: &Value) -> bool {
        match (value, with) {
            (Value::Array(items), Value::Array(wanted))
                if matches!(self.path.field.kind, FieldType::Choice { many: true, .. }) =>
            {
                wanted.iter().all(|item| items.contains(item))
            }
            // So does a list of what is referred to.
            (Value::Array(items), with) if self.path.field.kind.refers_to_many() => items.contains(with),
            _ => {
                value == with
                    || (!value.is_null()
                        && self.path.field.kind.indexable()
                        && compare(&self.path.field, value, with).is_eq())
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn ignores_case(lookup: Lookup) -> bool {
    matches!(lookup, Lookup::Icontains | Lookup::Istartswith | Lookup::Iendswith | Lookup::Iexact)
}

/// How two values of a field compare; null comes first. Texts are in the order of their code points in Normalization Form C, as in keys.
pub(crate) fn compare(field: &Field, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => match field.kind {
            FieldType::Decimal { .. } => parse_decimal(a).cmp(&parse_decimal(b)),
            FieldType::Datetime => moment(a).cmp(moment(b)),
            FieldType::Date | FieldType::Reference { .. } => a.cmp(b),
            _ => nfc(a).cmp(&nfc(b)),
        },
        _ => a.to_string().cmp(&b.to_string()),
    }
}

/// A moment so that texts compare as moments do, however many decimals an earlier version wrote.
fn moment(text: &str) -> &str {
    let text = text.trim_end_matches('Z');
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}
