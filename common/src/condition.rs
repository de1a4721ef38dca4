//! Conditions: which records are meant, in one small language that people write in filters and programs in `filter=`. Django's lookups
//! come to the same: see [`Condition::of`].
//!
//! ```text
//! (kind = "sweet" or price < 3) and not vegan and maker.name ~ "gold"
//! ```
//!
//! Every condition holds or does not: a comparison with null does not hold, and its `not` does.

mod lexer;
mod parser;
mod print;

use thiserror::Error;

pub use self::parser::{Names, parse, parse_line};

use crate::{
    collection::{Collection, Ids},
    field::{Field, FieldType},
    name::SERVER_MEMBERS,
    query::{Filter, Lookup, Named, Part, join_values, own_ids, split_values},
    text::{label, single_line, trim},
};

/// Bytes of a condition at most.
pub const MAX_BYTES: usize = 16 * 1024;
/// Comparisons of one condition at most.
pub const MAX_COMPARISONS: usize = 100;
/// Conditions within conditions at most.
pub const MAX_DEPTH: usize = 32;

/// What has to be true of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// This holds.
    Is(Comparison),
}

/// One member of a record compared with something.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The member, or what leads to it: `maker__name`, `created_at__year`.
    pub path: String,
    /// How it compares.
    pub operator: Operator,
    /// With what: several for `in`, none for `is`.
    pub operands: Vec<Operand>,
    /// Where it stands in what was parsed: characters from the beginning.
    pub at: usize,
}

/// Where they stand makes no difference.
impl PartialEq for Comparison {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, self.operator, &self.operands) == (&other.path, other.operator, &other.operands)
    }
}

impl Eq for Comparison {}

/// How a comparison compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// As a lookup does. Of these [`Lookup::Ne`], [`Lookup::Range`] and [`Lookup::Isnull`] are said in other words.
    Lookup(Lookup),
    /// There is a value, and it is another: `!=`.
    Differs,
    /// There is no value: `is null`.
    Null,
    /// There is no value, or an empty text or list: `is empty`.
    Empty,
}

/// What a comparison compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A value as it was written, to be typed by its field.
    Text(String),
    /// The moment at which it is asked.
    Now,
    /// The user who asks.
    Me,
}

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("At character {}: {message}", .at + 1)]
pub struct ConditionError {
    /// Characters from the beginning of the text.
    pub at: usize,
    /// What is wrong, and what would work.
    pub message: String,
}

impl Condition {
    /// What a filter of a query says, with Django's meaning: `ne` holds for null too. `None` where its values cannot be read.
    pub fn of(filter: &Filter) -> Option<Self> {
        let values = match filter.lookup {
            Lookup::In => split_values(&filter.value).into_iter().flatten().collect(),
            Lookup::Range => split_values(&filter.value).into_iter().collect::<Option<Vec<_>>>()?,
            _ => vec![filter.value.clone()],
        };
        let is = |operator, values: Vec<String>| {
            let operands = values.into_iter().map(Operand::Text).collect();
            Self::Is(Comparison { path: filter.field.clone(), operator, operands, at: 0 })
        };
        let not = |condition| Self::Not(Box::new(condition));
        let is_true = || !matches!(values[0].to_lowercase().as_str(), "false" | "0" | "f" | "no" | "n" | "off");
        Some(match filter.lookup {
            Lookup::Ne => not(is(Operator::Lookup(Lookup::Exact), values)),
            Lookup::Isnull | Lookup::Isempty => {
                let operator = if filter.lookup == Lookup::Isnull { Operator::Null } else { Operator::Empty };
                if is_true() { is(operator, Vec::new()) } else { not(is(operator, Vec::new())) }
            }
            Lookup::Range => {
                let mut values = values.into_iter();
                let mut bound = |lookup| is(Operator::Lookup(lookup), values.next().into_iter().collect());
                Self::All(vec![bound(Lookup::Gte), bound(Lookup::Lte)])
            }
            lookup => is(Operator::Lookup(lookup), values),
        })
    }

    /// The filters of a query that say the same, where they can: comparisons that all hold, each with values.
    pub fn into_filters(self) -> Result<Vec<Filter>, Self> {
        let is_plain = |condition: &Self| match condition {
            Self::Is(Comparison { operator: Operator::Lookup(lookup), operands, .. }) => {
                *lookup != Lookup::In
                    && operands
                        .iter()
                        .all(|operand| matches!(operand, Operand::Text(text) if !text.is_empty() && trim(text) == text))
            }
            _ => false,
        };
        let parts = match self {
            Self::All(parts) if parts.iter().all(is_plain) => parts,
            plain if is_plain(&plain) => vec![plain],
            other => return Err(other),
        };
        let filters: Vec<Filter> = parts
            .iter()
            .filter_map(|part| match part {
                Self::Is(comparison) => Some(comparison.filter("", "")),
                _ => None,
            })
            .collect();
        // Of filters alike in field and lookup one is enough.
        let is_twice =
            |(i, filter): (usize, &Filter)| filters[..i].iter().any(|other| other.parameter() == filter.parameter());
        if filters.iter().enumerate().any(is_twice) { Err(Self::All(parts)) } else { Ok(filters) }
    }

    /// Has its comparisons lead by other paths.
    pub fn rename(&mut self, rename: &dyn Fn(&str) -> String) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter_mut().for_each(|part| part.rename(rename)),
            Self::Not(part) => part.rename(rename),
            Self::Is(comparison) => comparison.path = rename(&comparison.path),
        }
    }

    /// The comparisons in it, in order.
    pub fn comparisons(&self) -> Vec<&Comparison> {
        let (mut found, mut rest) = (Vec::new(), vec![self]);
        while let Some(condition) = rest.pop() {
            match condition {
                Self::All(parts) | Self::Any(parts) => rest.extend(parts.iter().rev()),
                Self::Not(part) => rest.push(part),
                Self::Is(comparison) => found.push(comparison),
            }
        }
        found
    }
}

impl Comparison {
    /// The filter that says the same of a value that is there, for this user at this moment.
    pub fn filter(&self, me: &str, now: &str) -> Filter {
        let texts = self.operands.iter().map(|operand| match operand {
            Operand::Text(text) => text.as_str(),
            Operand::Now => now,
            Operand::Me => me,
        });
        let (lookup, value) = match self.operator {
            Operator::Null => (Lookup::Isnull, "true".to_owned()),
            Operator::Empty => (Lookup::Isempty, "true".to_owned()),
            Operator::Differs => (Lookup::Exact, texts.collect()),
            Operator::Lookup(Lookup::In) => (Lookup::In, join_values(texts)),
            Operator::Lookup(lookup) => (lookup, texts.collect()),
        };
        Filter { field: self.path.clone(), lookup, value }
    }

    /// A fault of this comparison.
    pub fn fault(&self, message: &str) -> ConditionError {
        let name = single_line(&self.path).replace("__", ".");
        ConditionError { at: self.at, message: format!("{name}: {message}") }
    }

    /// Checks it against the collection whose records it is about. What it says of other records, the server knows.
    pub fn check(&self, collection: &Collection) -> Result<(), ConditionError> {
        match Named::find(collection, &self.path) {
            None | Some(Named::Field { bound: Some(_), .. }) => Err(self.fault("There is no field of this name.")),
            Some(Named::Reference { .. }) => Ok(()),
            Some(Named::Field { member, field, part, .. }) => self.check_values(&field, part, own_ids(member)),
        }
    }

    /// Checks that what it compares with are values of a field; `ids` are those that it refers to, where that is known.
    pub fn check_values(&self, field: &Field, part: Option<Part>, ids: Option<Ids>) -> Result<(), ConditionError> {
        let (me, now) = ("00000000-0000-7000-8000-000000000000", "2000-01-01T00:00:00Z");
        self.filter(me, now_of(field, now))
            .typed(field, part, ids)
            .map_err(|error| self.fault(&error.message))
            .map(drop)
    }
}

/// What `now()` is beside a field: beside a date, today.
pub fn now_of<'a>(field: &Field, now: &'a str) -> &'a str {
    let is_date = matches!(field.kind, FieldType::Date);
    now.get(..10).filter(|_| is_date).unwrap_or(now)
}

/// The names and labels of a collection's members, as people write them.
impl Names for Collection {
    fn path(&self, text: &str) -> Option<String> {
        let name = text.replace('.', "__");
        match Named::find(self, &name) {
            None | Some(Named::Field { bound: Some(_), .. }) => {}
            Some(_) => return Some(name),
        }
        let is_label = |name: &str| label(name).to_lowercase() == text.to_lowercase();
        let own = self.fields.iter().map(|field| field.name.as_str());
        own.chain(SERVER_MEMBERS).find(|name| is_label(name)).map(str::to_owned)
    }

    fn is_boolean(&self, path: &str) -> bool {
        match Named::find(self, path) {
            Some(Named::Field { field, .. }) => field.kind == FieldType::Boolean,
            Some(Named::Reference { .. }) => true,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
