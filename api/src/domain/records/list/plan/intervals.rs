//! What conditions say of one member, as intervals of its values: what an index of it is read for.

use std::collections::HashMap;

use base::fold::nfc;
use common::{
    field::FieldType,
    query::{Lookup, Part},
};
use serde_json::Value;
use store::{Cut, Key};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::domain::{
    indexes::IndexPart,
    numbers::OwnerNumber,
    records::{condition::Condition, filter::Node},
};

/// Years beyond this are written in no record.
const LAST_YEAR: i64 = 9999;

/// Intervals of an element's values, in order, none touching another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Intervals {
    /// From one cut to the other.
    pub ranges: Vec<(Cut, Cut)>,
    /// A value is in them exactly where the condition holds; otherwise also where it does not.
    pub exact: bool,
}

impl Intervals {
    pub(super) fn all() -> Self {
        Self { ranges: vec![(Cut::start(), Cut::end())], exact: true }
    }

    /// The one that has a value; [`Cut::before`] made it.
    pub(super) fn value(value: &Cut) -> Self {
        Self { ranges: vec![(value.clone(), value.end_of_value())], exact: true }
    }

    /// These, put in order.
    pub(super) fn of(ranges: Vec<(Cut, Cut)>, exact: bool) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|(from, to)| from < to).collect();
        ranges.sort_by(|a, b| a.0.cmp(&b.0));
        let mut joined: Vec<(Cut, Cut)> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.clone().max(to),
                _ => joined.push((from, to)),
            }
        }
        Self { ranges: joined, exact }
    }

    /// Where both hold.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let (mut a, mut b) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            ranges.push((x.0.clone().max(y.0.clone()), x.1.clone().min(y.1.clone())));
            if x.1 <= y.1 {
                a.next();
            } else {
                b.next();
            }
        }
        Self::of(ranges, self.exact && other.exact)
    }

    fn or(mut self, other: Self) -> Self {
        self.ranges.extend(other.ranges);
        Self::of(self.ranges, self.exact && other.exact)
    }

    /// Where they do not hold. Only of exact ones.
    fn not(&self) -> Self {
        let (mut from, mut ranges) = (Cut::start(), Vec::new());
        for (begin, end) in &self.ranges {
            ranges.push((from, begin.clone()));
            from = end.clone();
        }
        ranges.push((from, Cut::end()));
        Self::of(ranges, true)
    }

    /// Whether each is one value.
    pub(super) fn are_values(&self) -> bool {
        self.ranges.iter().all(|(from, to)| Cut::is_value(from, to))
    }

    /// Whether null is in none of them.
    pub(super) fn exclude_null(&self) -> bool {
        let null = Cut::after(Key::null);
        self.ranges.first().is_none_or(|(from, _)| *from >= null)
    }
}

/// The members of owners' numbers that filters name.
pub(super) type Owners = HashMap<String, OwnerNumber>;

/// What a node says of a part of an index; `None` where it says nothing that the part could be read for.
pub(super) fn intervals(node: &Node, part: &IndexPart, owners: &Owners) -> Option<Intervals> {
    match node {
        Node::Is(condition) => of_condition(condition, part, owners),
        Node::Not(node) => intervals(node, part, owners).filter(|found| found.exact).map(|found| found.not()),
        Node::Any(nodes) => {
            let mut all = nodes.iter().map(|node| intervals(node, part, owners));
            let first = all.next()??;
            all.try_fold(first, |sum, found| Some(sum.or(found?)))
        }
        Node::All(nodes) => {
            let mut exact = true;
            let found = nodes.iter().filter_map(|node| {
                let found = intervals(node, part, owners);
                exact &= found.is_some();
                found
            });
            let both = found.reduce(|a, b| a.and(&b))?;
            Some(Intervals { exact: exact && both.exact, ..both })
        }
    }
}

fn of_condition(condition: &Condition, part: &IndexPart, owners: &Owners) -> Option<Intervals> {
    let Condition { path, lookup, values, .. } = condition;
    if !path.is_own() || path.member != part.name {
        return None;
    }
    let null = || (Cut::before(Key::null), Cut::after(Key::null));
    if *lookup == Lookup::Isnull {
        let nulls = Intervals::of(vec![null()], true);
        return Some(if values.first()? == &Value::Bool(true) { nulls } else { nulls.not() });
    }
    if *lookup == Lookup::Isempty {
        let empty = (Cut::before(|key| key.text("")), Cut::after(|key| key.text("")));
        let found = Intervals::of(vec![null(), empty], true);
        return Some(if values.first()? == &Value::Bool(true) { found } else { found.not() });
    }
    let ends = Ends { part, of: path.part, owners };
    if part.folds_texts() {
        // What is the same without case may differ with it.
        let exact = *lookup == Lookup::Iexact;
        let is_told = (exact || matches!(lookup, Lookup::Exact | Lookup::In)) && path.part.is_none();
        let values = values.iter().filter(|_| is_told).map(|value| ends.equal(value));
        return is_told.then(|| Some(Intervals::of(values.collect::<Option<_>>()?, exact)))?;
    }
    if matches!(lookup, Lookup::Exact | Lookup::In | Lookup::Ne) {
        let found = Intervals::of(values.iter().map(|value| ends.equal(value)).collect::<Option<_>>()?, true);
        return Some(if *lookup == Lookup::Ne { found.not() } else { found });
    }
    if !part.is_ordered() {
        return None;
    }
    let not_null = null().1;
    let mut exact = true;
    let mut bound = |value: Option<&Value>, side, of| ends.bound(value?, side, of, &mut exact);
    let ranges = match lookup {
        Lookup::Gte => vec![(bound(values.first(), Side::Before, End::Lower)?, Cut::end())],
        Lookup::Gt => vec![(bound(values.first(), Side::After, End::Lower)?, Cut::end())],
        Lookup::Lt => vec![(not_null, bound(values.first(), Side::Before, End::Upper)?)],
        Lookup::Lte => vec![(not_null, bound(values.first(), Side::After, End::Upper)?)],
        Lookup::Range => {
            vec![(bound(values.first(), Side::Before, End::Lower)?, bound(values.get(1), Side::After, End::Upper)?)]
        }
        Lookup::Startswith if path.part.is_none() => {
            let mut ranges = Vec::with_capacity(values.len());
            for value in values {
                let text = nfc(value.as_str()?);
                let beginning = &text[..text.floor_char_boundary(part.exact_text())];
                exact &= beginning.len() == text.len();
                ranges.push((Cut::before(|key| key.text(beginning)), Cut::after_texts(beginning)));
            }
            ranges
        }
        _ => return None,
    };
    // Nothing is greater than a bound and null.
    let ranges = ranges.into_iter().map(|(from, to)| (from.max(null().1), to)).collect();
    Some(Intervals::of(ranges, exact))
}

/// On which side of the values that equal another.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Before,
    After,
}

/// Which end of an interval.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Lower,
    Upper,
}

/// Where the values that equal one begin and end.
struct Ends<'a> {
    part: &'a IndexPart,
    of: Option<Part>,
    owners: &'a Owners,
}

impl Ends<'_> {
    fn equal(&self, value: &Value) -> Option<(Cut, Cut)> {
        match self.of {
            None if value.is_null() => None,
            None => Some((Cut::before(|key| self.append(key, value)), Cut::after(|key| self.append(key, value)))),
            Some(_) => Some((self.side(value, Side::Before)?, self.side(value, Side::After)?)),
        }
    }

    fn append(&self, key: Key, value: &Value) -> Key {
        // Somebody who never owned anything may have no number; nobody has this one.
        let owner = || value.as_str().and_then(|id| self.owners.get(id)).copied().unwrap_or(OwnerNumber(0));
        self.part.append(key, value, || Some(owner()))
    }

    /// One end of an interval. Of a text that an index may not keep whole, the interval has all that begin like it.
    fn bound(&self, value: &Value, side: Side, end: End, exact: &mut bool) -> Option<Cut> {
        let Some(beginning) = self.beginning(value) else { return self.side(value, side) };
        *exact = false;
        Some(match end {
            End::Lower => Cut::before(|key| key.text(&beginning)),
            End::Upper => Cut::after_texts(&beginning),
        })
    }

    fn side(&self, value: &Value, side: Side) -> Option<Cut> {
        let later = i64::from(side == Side::After);
        match self.of {
            None if side == Side::Before => Some(self.equal(value)?.0),
            None => Some(self.equal(value)?.1),
            Some(Part::Date) => self.before_day(value.as_str()?, later),
            Some(Part::Year) => match value.as_i64()?.saturating_add(later) {
                ..0 => Some(Cut::after(Key::null)),
                year @ 0..=LAST_YEAR => self.before_day(&format!("{year:04}-01-01"), 0),
                _ => Some(Cut::end()),
            },
            Some(_) => None,
        }
    }

    /// The beginning of a text that an index may not keep whole.
    fn beginning(&self, value: &Value) -> Option<String> {
        let text = nfc(value.as_str().filter(|_| self.of.is_none() && self.part.is_text())?);
        let kept = text.floor_char_boundary(self.part.exact_text());
        (kept < text.len()).then(|| text[..kept].to_owned())
    }

    /// Before the day that is so many days later.
    fn before_day(&self, day: &str, later: i64) -> Option<Cut> {
        let midnight = OffsetDateTime::parse(&format!("{day}T00:00:00Z"), &Rfc3339).ok()?;
        let date = midnight.date().checked_add(Duration::days(later));
        let Some(date) = date.filter(|date| i64::from(date.year()) <= LAST_YEAR) else { return Some(Cut::end()) };
        let mut text = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
        if self.part.field.kind == FieldType::Datetime {
            text.push_str("T00:00:00Z");
        }
        let value = Value::String(text);
        Some(Cut::before(|key| self.append(key, &value)))
    }
}
