//! What a query for an aggregate asks, typed: what groups have in common, and what is measured.

use common::{
    aggregate::{AggregateQuery, Function},
    field::{Field, FieldType},
    problem::FieldErrors,
    query::{Part, no_such_field},
    reader::invalid,
    record::Record,
    validate::parse_decimal,
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    super::view::View,
    period::{Period, Zone},
};
use crate::domain::{
    error::Result,
    records::{path::Path, referred::Referred},
};

/// What of a value the records of a group have in common.
#[derive(Clone, Copy)]
pub(super) enum Common {
    Value,
    Period(Period),
    /// A stretch of numbers of this width.
    Bucket(Decimal),
}

/// A column of what the records of a group have in common.
pub(super) struct GroupColumn {
    /// Its name in the answer.
    pub name: String,
    pub path: Path,
    pub common: Common,
    /// What its values are.
    pub field: Field,
}

impl GroupColumn {
    /// What a record has in common with others: of several choices each, of none null.
    pub(super) fn values(&self, record: &Record, referred: &Referred, zone: &Zone) -> Vec<Value> {
        let value = self.path.value(record, referred);
        match (&self.common, value.as_ref()) {
            (Common::Value, Value::Array(items)) if !items.is_empty() => items.clone(),
            (Common::Value, Value::Array(_)) => vec![Value::Null],
            _ => vec![self.value(&value, zone)],
        }
    }

    /// What a value has in common with others.
    pub(super) fn value(&self, value: &Value, zone: &Zone) -> Value {
        match &self.common {
            Common::Value => value.clone(),
            Common::Period(period) => period.label(value, &self.path.field.kind, zone),
            Common::Bucket(width) => {
                let lower = number(value).and_then(|number| (number / width).floor().checked_mul(*width));
                match (lower, &self.field.kind) {
                    (None, _) => Value::Null,
                    (Some(lower), FieldType::Integer { .. }) => i64::try_from(lower).map_or(Value::Null, Value::from),
                    (Some(lower), FieldType::Decimal { places: Some(places), .. }) => {
                        let mut lower = lower;
                        lower.rescale((*places).max(width.scale()));
                        lower.to_string().into()
                    }
                    (Some(lower), _) => lower.to_string().into(),
                }
            }
        }
    }
}

/// The number of an integer or a decimal.
pub(super) fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => number.as_i64().map(Decimal::from),
        Value::String(text) => parse_decimal(text),
        _ => None,
    }
}

/// A measured column.
pub(super) struct MeasureColumn {
    /// Its name in the answer.
    pub name: String,
    pub function: Function,
    /// `None` where all records count.
    pub path: Option<Path>,
    /// What its values are compared as.
    pub field: Field,
    /// Its numbers are written as such, although they are kept as decimals.
    pub is_number: bool,
}

impl MeasureColumn {
    /// What the number of records is called.
    pub(super) const COUNT: &str = "count";

    /// The number of records.
    pub(super) fn count() -> Self {
        let field = Field { kind: FieldType::Integer { min: None, max: None }, ..blank() };
        Self { name: Self::COUNT.to_owned(), function: Function::Count, path: None, field, is_number: false }
    }
}

/// The columns of an answer.
pub(super) struct Columns {
    pub groups: Vec<GroupColumn>,
    pub measures: Vec<MeasureColumn>,
}

impl Columns {
    /// Types a query; says what is wrong with it at the parameter.
    pub(super) async fn find(view: &View<'_>, query: &AggregateQuery) -> Result<Self> {
        let mut columns = Self { groups: Vec::new(), measures: Vec::new() };
        let mut errors = FieldErrors::new();
        for name in &query.group_by {
            match columns.group(view, name).await? {
                Some(column) if is_grouped(&column) => columns.groups.push(column),
                Some(_) => errors.push("group_by", invalid(format!("Values of \"{name}\" are too large to group by."))),
                None => errors.push("group_by", no_such_field(name)),
            }
        }
        for bucket in &query.buckets {
            let path = find(view, &bucket.field).await?;
            let width = parse_decimal(&bucket.width).filter(|width| *width > Decimal::ZERO);
            match (path, width) {
                (None, _) => errors.push("bucket", no_such_field(&bucket.field)),
                (Some(path), _) if !is_number(&path.field.kind) => {
                    errors.push("bucket", invalid(format!("\"{}\" is no number.", bucket.field)));
                }
                (_, None) => errors.push("bucket", invalid("A width is a number above 0, as in bucket=price:10.")),
                (Some(path), Some(width))
                    if matches!(path.field.kind, FieldType::Integer { .. }) && !width.fract().is_zero() =>
                {
                    errors.push("bucket", invalid("The width of integers is an integer."));
                }
                (Some(path), Some(width)) => {
                    let field = Field { nullable: true, ..path.field.clone() };
                    columns.groups.push(GroupColumn {
                        name: bucket.column(),
                        path,
                        common: Common::Bucket(width.normalize()),
                        field,
                    });
                }
            }
        }
        for measure in &query.measures {
            let word = measure.function.word();
            let path = match &measure.field {
                None => None,
                Some(name) => {
                    let found = find(view, name).await?;
                    if found.is_none() {
                        errors.push(word, no_such_field(name));
                        continue;
                    }
                    found
                }
            };
            let kind = path.as_ref().map(|path| &path.field.kind);
            let name = measure.field.as_deref().unwrap_or_default();
            let integer = FieldType::Integer { min: None, max: None };
            let decimal = FieldType::Decimal { min: None, max: None, places: None };
            let of = match (measure.function, kind) {
                (Function::Count | Function::Distinct, _) => integer,
                (Function::Sum | Function::Avg, Some(kind)) if is_number(kind) => decimal,
                (Function::Sum | Function::Avg, _) => {
                    errors.push(word, invalid(format!("\"{name}\" is no number.")));
                    continue;
                }
                (_, Some(kind)) if kind.indexable() => kind.clone(),
                _ => {
                    errors.push(word, invalid(format!("\"{name}\" has no order.")));
                    continue;
                }
            };
            let is_sum = matches!(measure.function, Function::Sum | Function::Avg);
            let is_number = is_sum && matches!(kind, Some(FieldType::Integer { .. }));
            let mut field = path.as_ref().map_or_else(blank, |path| path.field.clone());
            field.kind = of;
            let (name, function) = (measure.column(), measure.function);
            columns.measures.push(MeasureColumn { name, function, path, field, is_number });
        }
        let mut names: Vec<&str> = columns.names().collect();
        names.sort_unstable();
        for twice in names.windows(2).filter(|pair| pair[0] == pair[1]) {
            errors.push("group_by", invalid(format!("Two columns of the answer would be called \"{}\".", twice[0])));
        }
        Ok(errors.or(columns)?)
    }

    /// A column that groups by a field, what a reference leads to, or a period.
    pub(super) async fn group(&self, view: &View<'_>, name: &str) -> Result<Option<GroupColumn>> {
        let found = find(view, name).await?;
        // These are periods here.
        let is_part = |part: Option<Part>| {
            matches!(part, Some(Part::Date | Part::Year | Part::Month | Part::Week | Part::Day | Part::Hour))
        };
        if let Some(path) = found.filter(|path| !is_part(path.part)) {
            let mut field = path.field.clone();
            if let FieldType::Choice { many, .. } = &mut field.kind {
                *many = false;
            }
            return Ok(Some(GroupColumn { name: name.to_owned(), path, common: Common::Value, field }));
        }
        let Some((head, word)) = name.rsplit_once("__") else { return Ok(None) };
        let Some(path) = find(view, head).await? else { return Ok(None) };
        let Some(period) = Period::of(word, &path.field.kind).filter(|_| path.part.is_none()) else { return Ok(None) };
        let kind = FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false };
        let field = Field { kind, ..path.field.clone() };
        Ok(Some(GroupColumn { name: name.to_owned(), path, common: Common::Period(period), field }))
    }

    /// The names of all columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|column| &*column.name).chain(self.measures.iter().map(|column| &*column.name))
    }

    /// What a column's values are compared as.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        let groups = self.groups.iter().map(|column| (&*column.name, &column.field));
        let measures = self.measures.iter().map(|column| (&*column.name, &column.field));
        groups.chain(measures).find(|(known, _)| *known == name).map(|(_, field)| field)
    }

    /// What is read of records.
    pub(super) fn paths(&self) -> Vec<&Path> {
        let measured = self.measures.iter().filter_map(|column| column.path.as_ref());
        self.groups.iter().map(|column| &column.path).chain(measured).collect()
    }

    /// Whether nothing but all records of each group are counted.
    pub(super) fn only_count(&self) -> bool {
        self.measures.iter().all(|column| column.path.is_none())
    }
}

async fn find(view: &View<'_>, name: &str) -> Result<Option<Path>> {
    let path = Path::find(view.core, view.snapshot, view.caller, &view.schema, name).await?;
    // Of several values none is the record's.
    Ok(path.filter(|path| path.bound.is_none() && !path.is_of_many()))
}

/// Whether a column's values are small enough to be told apart by.
pub(super) fn is_grouped(column: &GroupColumn) -> bool {
    column.field.kind.indexable()
}

fn is_number(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Integer { .. } | FieldType::Decimal { .. })
}

fn blank() -> Field {
    common::collection::server_field("revision")
        .unwrap_or_else(|| unreachable!("the revision is a member of every record"))
}
