//! Filters over parsed records: what a list's parameters say, typed once and asked of every record.

use std::{cmp::Ordering, sync::Arc};

use ::regex::Regex;
use common::{
    access::Caller,
    collection::Collection,
    field::{Field, FieldType},
    problem::{FieldError, FieldErrors},
    query::{Filter, ListQuery, Lookup, filter_values, unknown_parameter},
    record::Record,
    validate::parse_decimal,
};
use serde_json::Value;
use store::Snapshot;

use super::{
    path::Path,
    referred::Referred,
    regex::{self, Spent},
};
use crate::domain::{core::Core, deadline::Deadline, error::Result, schema::Schema};

/// One typed condition.
pub(crate) struct Condition {
    /// What is compared.
    pub path: Path,
    /// How it compares.
    pub lookup: Lookup,
    /// What it compares with.
    pub values: Vec<Value>,
    /// What is looked for, where it is a pattern.
    pattern: Option<Regex>,
    /// The query's parameter.
    parameter: String,
}

/// What a record must be to be listed.
pub(crate) struct Conditions {
    /// All must hold.
    pub all: Vec<Condition>,
    /// Words that must all occur, in lower case.
    words: Vec<String>,
    /// On patterns.
    spent: Spent,
}

impl Conditions {
    /// Types a checked query's filters over a collection's own members.
    pub(crate) fn new(collection: &Collection, query: &ListQuery) -> Result<Self> {
        let paths = query.filters.iter().map(|filter| Path::own(collection, &filter.field)).collect();
        Self::typed(paths, query)
    }

    /// Types a query's filters, over members of other records too.
    pub(crate) async fn find(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        query: &ListQuery,
    ) -> Result<Self> {
        let mut paths = Vec::with_capacity(query.filters.len());
        for filter in &query.filters {
            paths.push(Path::find(core, snapshot, caller, schema, &filter.field).await?);
        }
        Self::typed(paths, query)
    }

    fn typed(paths: Vec<Option<Path>>, query: &ListQuery) -> Result<Self> {
        let mut all = Vec::with_capacity(query.filters.len());
        let mut errors = FieldErrors::new();
        for (filter, path) in query.filters.iter().zip(paths) {
            let Some(path) = path else {
                errors.push(filter.parameter(), unknown_parameter());
                continue;
            };
            match Condition::new(path, filter) {
                Ok(condition) => all.push(condition),
                Err(error) => errors.push(filter.parameter(), error),
            }
        }
        errors.or(())?;
        Ok(Self {
            all,
            spent: Spent::default(),
            words: query.search.split_whitespace().map(str::to_lowercase).collect(),
        })
    }

    /// Everything is listed.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.words.is_empty()
    }

    /// The condition, where there is one and nothing else.
    pub(crate) fn only(&self) -> Option<&Condition> {
        match self.all.as_slice() {
            [condition] if self.words.is_empty() => Some(condition),
            _ => None,
        }
    }

    /// What is compared.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> + Clone {
        self.all.iter().map(|condition| &condition.path)
    }

    /// Whether all conditions hold that ask for the record's own members.
    pub(crate) fn hold(&self, collection: &Collection, record: &Record) -> bool {
        let nothing = Referred::default();
        let mut own = self.all.iter().filter(|condition| condition.path.steps.is_empty());
        own.all(|condition| condition.holds(record, &nothing, &self.spent)) && self.has_words(collection, record)
    }

    /// Whether all conditions hold that ask for members of records that the record refers to.
    pub(crate) fn hold_for_referred(&self, record: &Record, referred: &Referred) -> bool {
        let mut others = self.all.iter().filter(|condition| !condition.path.steps.is_empty());
        others.all(|condition| condition.holds(record, referred, &self.spent))
    }

    /// Lets others have the thread where patterns took long; an error where they took longer than one request may spend on them.
    pub(crate) async fn rest(&self, deadline: &Deadline) -> Result<()> {
        if self.spent.is_over() {
            let names = self.all.iter().filter(|condition| condition.pattern.is_some());
            let mut errors = FieldErrors::new();
            for condition in names {
                let message = "Looking for this pattern takes too long here. Narrow the list by other filters, or use a simpler pattern.";
                errors.push(condition.parameter.clone(), FieldError::new("too_much", message));
            }
            return Err(errors.into());
        }
        self.spent.rest(deadline).await
    }

    fn has_words(&self, collection: &Collection, record: &Record) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let mut text = String::new();
        for field in &collection.fields {
            match record.get(field.name.as_str()) {
                Some(Value::String(value)) => text.push_str(&value.to_lowercase()),
                Some(Value::Null) | None => {}
                Some(other) => text.push_str(&other.to_string().to_lowercase()),
            }
            text.push('\n');
        }
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

impl Condition {
    fn new(path: Path, filter: &Filter) -> std::result::Result<Self, FieldError> {
        let values = filter_values(&path.field, filter)?;
        let pattern = match filter.lookup {
            Lookup::Regex => Some(regex::compile(&filter.value, false)?),
            Lookup::Iregex => Some(regex::compile(&filter.value, true)?),
            _ => None,
        };
        Ok(Self { path, lookup: filter.lookup, values, pattern, parameter: filter.parameter() })
    }

    fn holds(&self, record: &Record, referred: &Referred, spent: &Spent) -> bool {
        let value = self.path.value(record, referred);
        let value = value.as_ref();
        if self.lookup == Lookup::Isnull {
            return Value::Bool(value.is_null()) == self.values[0];
        }
        let compare = |with: &Value| compare(&self.path.field, value, with);
        let first = &self.values[0];
        match self.lookup {
            Lookup::Exact => self.equals(value, first),
            Lookup::Ne => !self.equals(value, first),
            Lookup::In => self.values.iter().any(|with| self.equals(value, with)),
            _ if value.is_null() => false,
            Lookup::Gt => compare(first).is_gt(),
            Lookup::Gte => compare(first).is_ge(),
            Lookup::Lt => compare(first).is_lt(),
            Lookup::Lte => compare(first).is_le(),
            Lookup::Range => compare(first).is_ge() && compare(&self.values[1]).is_le(),
            textual => {
                let (Some(text), Some(with)) = (value.as_str(), first.as_str()) else { return false };
                if let Some(pattern) = &self.pattern {
                    return spent.is_match(pattern, text);
                }
                match textual {
                    Lookup::Contains => text.contains(with),
                    Lookup::Startswith => text.starts_with(with),
                    Lookup::Endswith => text.ends_with(with),
                    Lookup::Icontains => text.to_lowercase().contains(&with.to_lowercase()),
                    Lookup::Istartswith => text.to_lowercase().starts_with(&with.to_lowercase()),
                    _ => text.to_lowercase() == with.to_lowercase(),
                }
            }
        }
    }

    /// A list (several choices) equals a value that is in it.
    fn equals(&self, value: &Value, with: &Value) -> bool {
        match (value, with) {
            (Value::Array(items), Value::Array(wanted))
                if matches!(self.path.field.kind, FieldType::Choice { many: true, .. }) =>
            {
                wanted.iter().all(|item| items.contains(item))
            }
            _ => {
                value == with
                    || (!value.is_null()
                        && self.path.field.kind.indexable()
                        && compare(&self.path.field, value, with).is_eq())
            }
        }
    }
}

/// How two values of a field compare; null comes first.
pub(crate) fn compare(field: &Field, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => match field.kind {
            FieldType::Decimal { .. } => parse_decimal(a).cmp(&parse_decimal(b)),
            FieldType::Datetime => a.trim_end_matches('Z').cmp(b.trim_end_matches('Z')),
            _ => a.cmp(b),
        },
        _ => a.to_string().cmp(&b.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use common::query::{Query, decode};
    use serde_json::json;

    use super::*;

    fn matching(query: &str) -> Vec<i64> {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "n", "type": "integer"}, {"name": "t", "type": "text"}, {"name": "d", "type": "decimal"},
                {"name": "at", "type": "datetime"}, {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let query = ListQuery::from_pairs(decode(query)).unwrap();
        query.check(&collection).unwrap();
        let conditions = Conditions::new(&collection, &query).unwrap();
        let records = [
            json!({"n": 1, "t": "Sweet corn", "d": "9.50", "at": "2024-01-01T00:00:00Z", "tags": ["a"]}),
            json!({"n": 2, "t": "ÄPFEL", "d": "10.5", "at": "2024-01-01T00:00:00.5Z", "tags": ["a", "b"]}),
            json!({"n": 3, "t": "", "d": null, "at": null, "tags": []}),
        ];
        let records = records.map(|record| serde_json::from_value::<Record>(record).unwrap());
        records
            .iter()
            .filter(|record| conditions.hold(&collection, record))
            .map(|record| record.get("n").unwrap().as_i64().unwrap())
            .collect()
    }

    #[test]
    fn lookups_compare_by_type() {
        assert_eq!(matching("d__gt=9.5"), [2]);
        assert_eq!(matching("d=9.5"), [1]);
        assert_eq!(matching("d__isnull=true"), [3]);
        assert_eq!(matching("at__gt=2024-01-01T00:00:00Z"), [2]);
        assert_eq!(matching("n__range=2,3"), [2, 3]);
        assert_eq!(matching("n__in=1,3"), [1, 3]);
        assert_eq!(matching("n__ne=1"), [2, 3]);
        assert_eq!(matching("t__icontains=äpf"), [2]);
        assert_eq!(matching("t=Sweet+corn"), [1]);
        assert_eq!(matching("t="), [3]);
        assert_eq!(matching("tags=a"), [1, 2]);
        assert_eq!(matching("search=CORN+sweet"), [1]);
    }
}
