//! Groups in the making: what their records have in common, and what is measured of them.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::{BuildHasher as _, RandomState},
};

use base::{Charge, fold::nfc};
use common::{
    aggregate::{Function, MAX_GROUPS},
    problem::{FieldError, FieldErrors},
    record::Record,
};
use serde_json::Value;
use store::Key;

use super::{
    column::{Columns, GroupColumn, MeasureColumn, number},
    period::Zone,
    total::Total,
};
use crate::domain::{
    error::{Error, Result},
    keyspace,
    records::{condition::compare, referred::Referred},
    work,
};

/// Different values that one answer may be made of, in all its groups.
const MAX_DISTINCT: usize = 1_000_000;

/// One measure of one group.
#[derive(Debug)]
enum Measured {
    Count(u64),
    Total(Total),
    /// The smallest or the largest.
    End(Value),
    /// Different values, by what is as good as unique to each.
    Distinct(HashSet<u128>),
}

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    /// What its records have in common.
    pub values: Vec<Value>,
    measured: Vec<Measured>,
}

/// All groups.
pub(super) struct Groups<'a> {
    columns: &'a [GroupColumn],
    measures: &'a [MeasureColumn],
    zone: &'a Zone,
    /// The parameter that asks for them.
    parameter: &'static str,
    by_key: HashMap<Vec<u8>, Group>,
    hashers: [RandomState; 2],
    distinct: usize,
    charge: Charge,
}

impl<'a> Groups<'a> {
    /// None yet.
    pub(super) fn new(columns: &'a Columns, zone: &'a Zone) -> Self {
        Self::of(&columns.groups, &columns.measures, zone, "group_by")
    }

    /// None yet, of some columns.
    pub(super) fn of(
        columns: &'a [GroupColumn],
        measures: &'a [MeasureColumn],
        zone: &'a Zone,
        parameter: &'static str,
    ) -> Self {
        let (by_key, hashers) = (HashMap::new(), [RandomState::new(), RandomState::new()]);
        Self { columns, measures, zone, parameter, by_key, hashers, distinct: 0, charge: work::charge() }
    }

    /// A record more.
    pub(super) fn add(&mut self, record: &Record, referred: &Referred) -> Result<()> {
        let mut all = vec![Vec::with_capacity(self.columns.len())];
        for column in self.columns {
            let values = column.values(record, referred, self.zone);
            // Of choices of several each, one record has as many groups as they have combinations.
            if all.len().saturating_mul(values.len()) > MAX_GROUPS {
                return Err(too_many_groups(self.parameter));
            }
            all = match values.as_slice() {
                [value] => {
                    for group in &mut all {
                        group.push(value.clone());
                    }
                    all
                }
                values => {
                    let with = |group: &Vec<Value>| {
                        values.iter().map(|value| [group.clone(), vec![value.clone()]].concat()).collect::<Vec<_>>()
                    };
                    all.iter().flat_map(with).collect()
                }
            };
        }
        for values in all {
            self.measure(values, record, referred)?;
        }
        Ok(())
    }

    fn measure(&mut self, values: Vec<Value>, record: &Record, referred: &Referred) -> Result<()> {
        let (measures, hashers) = (self.measures, self.hashers.clone());
        let (mut new, mut ends) = (0, (0, 0));
        let group = self.group(values)?;
        for (column, measured) in measures.iter().zip(&mut group.measured) {
            let Some(path) = &column.path else {
                if let Measured::Count(count) = measured {
                    *count += 1;
                }
                continue;
            };
            let value = path.value(record, referred);
            if value.is_null() {
                continue;
            }
            match measured {
                Measured::Count(count) => *count += 1,
                Measured::Total(total) => {
                    let added = number(&value).map(|number| total.add(number));
                    if added == Some(None) {
                        return Err(too_many_digits(column));
                    }
                }
                Measured::End(end) => {
                    let before = text_bytes(end);
                    take_end(column, end, value.into_owned());
                    ends = (ends.0 + before, ends.1 + text_bytes(end));
                }
                Measured::Distinct(values) => {
                    let key = key(&[(&path.field, value.as_ref())]);
                    let [high, low] = [0, 1].map(|i| u128::from(hashers[i].hash_one(&key)));
                    new += usize::from(values.insert(high << 64 | low));
                }
            }
        }
        if ends.1 > ends.0 {
            self.charge.grow((ends.1 - ends.0) as u64)?;
        } else {
            self.charge.shrink_to(self.charge.bytes().saturating_sub((ends.0 - ends.1) as u64));
        }
        self.grow_distinct(new)
    }

    /// As many records of a group, of which nothing but their number is asked.
    pub(super) fn count(&mut self, values: Vec<Value>, more: u64) -> Result<()> {
        for measured in &mut self.group(values)?.measured {
            if let Measured::Count(count) = measured {
                *count += more;
            }
        }
        Ok(())
    }

    fn group(&mut self, mut values: Vec<Value>) -> Result<&mut Group> {
        let key = key(&self.columns.iter().map(|column| &column.field).zip(&values).collect::<Vec<_>>());
        let groups = self.by_key.len();
        match self.by_key.entry(key) {
            Entry::Occupied(group) => Ok(group.into_mut()),
            Entry::Vacant(_) if groups >= MAX_GROUPS => Err(too_many_groups(self.parameter)),
            Entry::Vacant(place) => {
                for value in &mut values {
                    if let Value::String(text) = value {
                        *text = nfc(text).into_owned();
                    }
                }
                let texts: usize = values.iter().map(|value| value.as_str().map_or(0, str::len)).sum();
                let frame = size_of::<Group>() + values.len() * 64 + self.measures.len() * 128;
                self.charge.grow((place.key().len() + texts + frame) as u64)?;
                let measured = self.measures.iter().map(|column| match column.function {
                    Function::Count => Measured::Count(0),
                    Function::Sum | Function::Avg => Measured::Total(Total::default()),
                    Function::Min | Function::Max => Measured::End(Value::Null),
                    Function::Distinct => Measured::Distinct(HashSet::new()),
                });
                Ok(place.insert(Group { values, measured: measured.collect() }))
            }
        }
    }

    fn grow_distinct(&mut self, new: usize) -> Result<()> {
        self.distinct += new;
        self.charge.grow((new * 32) as u64)?;
        if self.distinct > MAX_DISTINCT {
            let message = format!(
                "There are more than {MAX_DISTINCT} different values to tell apart. Narrow the records, or group them by less."
            );
            return Err(FieldErrors::of("distinct", FieldError::new("too_much", message)).into());
        }
        Ok(())
    }

    /// Puts null in place of what `is_hidden` says of a column, and groups together that become alike.
    pub(super) fn hide(&mut self, column: usize, is_hidden: impl Fn(&Value) -> bool) -> Result<()> {
        let hidden = |group: &Group| is_hidden(&group.values[column]);
        let keys: Vec<Vec<u8>> =
            self.by_key.iter().filter(|(_, group)| hidden(group)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let Some(Group { mut values, measured }) = self.by_key.remove(&key) else { continue };
            values[column] = Value::Null;
            let measures = self.measures;
            let group = self.group(values)?;
            for ((column, into), more) in measures.iter().zip(&mut group.measured).zip(measured) {
                match (into, more) {
                    (Measured::Count(count), Measured::Count(more)) => *count += more,
                    (Measured::Total(total), Measured::Total(more)) => {
                        total.merge(&more).ok_or_else(|| too_many_digits(column))?;
                    }
                    (Measured::End(end), Measured::End(more)) => take_end(column, end, more),
                    (Measured::Distinct(values), Measured::Distinct(more)) => values.extend(more),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The values of a column.
    pub(super) fn values(&self, column: usize) -> impl Iterator<Item = &Value> {
        self.by_key.values().map(move |group| &group.values[column])
    }

    /// Each group as a row of the answer, and the charge for them: a row has a frame of its own, and the values go over.
    pub(super) fn into_rows(self) -> Result<(Vec<Record>, Charge)> {
        let Self { columns, measures, by_key, mut charge, .. } = self;
        charge.grow((by_key.len() * (columns.len() + measures.len() + 1) * 64) as u64)?;
        let mut rows = Vec::with_capacity(by_key.len());
        for group in by_key.into_values() {
            let mut row = Record::default();
            for (column, value) in columns.iter().zip(group.values) {
                row.set(column.name.as_str(), value);
            }
            for (column, measured) in measures.iter().zip(group.measured) {
                row.set(column.name.as_str(), told(column, measured)?);
            }
            rows.push(row);
        }
        Ok((rows, charge))
    }

    /// The one group of all records, where there is none of any.
    pub(super) fn at_least_one(&mut self) -> Result<()> {
        if self.columns.is_empty() {
            self.group(Vec::new())?;
        }
        Ok(())
    }
}

/// Bytes that a value takes beside its frame.
fn text_bytes(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

fn take_end(column: &MeasureColumn, end: &mut Value, value: Value) {
    let order = compare(&column.field, &value, end);
    let is_further = if column.function == Function::Min { order.is_lt() } else { order.is_gt() };
    if !value.is_null() && (end.is_null() || is_further) {
        *end = value;
    }
}

fn told(column: &MeasureColumn, measured: Measured) -> Result<Value> {
    Ok(match measured {
        Measured::Count(count) => count.into(),
        Measured::Distinct(values) => values.len().into(),
        Measured::End(value) => value,
        Measured::Total(total) if total.is_empty() => Value::Null,
        Measured::Total(total) => {
            let text = if column.function == Function::Sum { total.sum_text() } else { total.mean_text() };
            text.ok_or_else(|| too_many_digits(column))?.into()
        }
    })
}

/// What is the same for values that are equal, as in indexes.
fn key(values: &[(&common::field::Field, &Value)]) -> Vec<u8> {
    let key = values.iter().fold(Key::space("g"), |key, (field, value)| keyspace::element(key, field, value));
    key.as_bytes().to_vec()
}

fn too_many_digits(column: &MeasureColumn) -> Error {
    let message = format!("The numbers of \"{}\" have too many digits to be put together.", column.name);
    FieldErrors::of(column.function.word(), FieldError::new("too_much", message)).into()
}

fn too_many_groups(parameter: &str) -> Error {
    let message = format!("There are more than {MAX_GROUPS} groups. Narrow the records, or group them by less.");
    FieldErrors::of(parameter, FieldError::new("too_much", message)).into()
}
