//! Groups off the keys of an index: how many there are of each value is counted, and no record but one of each group is read.

use std::iter;

use store::{Cut, Key, Scan};

use super::{
    super::{plan::Access, rows::by_id, view::View},
    column::{Common, GroupColumn},
    groups::Groups,
    period::Zone,
};
use crate::domain::{
    error::Result,
    indexes::{IndexKind, IndexPart},
    keyspace,
    records::referred::Referred,
    stage,
};

/// Groups that are counted however few records there are.
const FEW: usize = 200;
/// Records that are read as fast as one group is counted.
const PER_GROUP: usize = 16;

/// Counts the records of each group by the keys that `access` reads; whether it could be done that way, and was cheaper than reading the
/// records.
pub(super) async fn count(
    view: &View<'_>,
    access: &Access,
    column: &GroupColumn,
    zone: &Zone,
    groups: &mut Groups<'_>,
) -> Result<bool> {
    // Days elsewhere than in UTC may come twice, in pieces.
    let is_in_order = !matches!(column.common, Common::Period(_)) || zone.is_utc();
    let is_own = column.path.steps.is_empty() && column.path.part.is_none() && column.path.member != "owner";
    let Some((prefix, part)) = access.place_of(&column.path.member).filter(|_| is_in_order && is_own) else {
        return Ok(false);
    };
    // The end of a stretch lies behind its value only where values rise.
    if part.descending && !matches!(column.common, Common::Value) {
        return Ok(false);
    }
    let keys = usize::try_from(access.count(view.snapshot).await?).unwrap_or(usize::MAX);
    let most = FEW.max(keys / PER_GROUP);
    let mut counted = Vec::new();
    for (from, to) in access.ranges() {
        let mut at = from.clone();
        while at < *to {
            if counted.len() >= most {
                return Ok(false);
            }
            view.deadline.pause().await?;
            let first = view.snapshot.scan(range(&at, to).limit(1)).await?;
            view.looked.keys(first.len());
            let Some((key, entry)) = first.into_iter().next() else { break };
            let id = match access.index.kind {
                IndexKind::Unique => stage::unique_holder(&entry),
                IndexKind::Entries | IndexKind::Records => keyspace::last_id(&key),
            };
            let Some(id) = id else { return Ok(false) };
            let Some((_, entry)) = by_id(view, iter::once(id)).await?.pop() else { return Ok(false) };
            view.looked.row();
            let record = view.schema.parse(id, &entry)?;
            let value = column.path.value(&record, &Referred::default()).into_owned();
            let end = end(&prefix, part, column, &value).map_or_else(|| to.clone(), |end| end.min(to.clone()));
            if end <= at {
                return Ok(false);
            }
            let many = view.snapshot.count(&range(&at, &end)).await?.get() as u64;
            counted.push((column.value(&value, zone), many));
            at = end;
        }
    }
    for (value, many) in counted {
        groups.count(vec![value], many)?;
    }
    Ok(true)
}

/// Where the keys of a value's group end.
fn end(prefix: &Key, part: &IndexPart, column: &GroupColumn, value: &serde_json::Value) -> Option<Key> {
    let append = |key: Key, value: &serde_json::Value| part.append(key, value, || None);
    if value.is_null() {
        let cut = if part.descending { Cut::before(Key::null) } else { Cut::after(Key::null) };
        return Some(cut.place(prefix.clone(), part.descending));
    }
    if part.descending {
        return Some(Cut::before(|key| append(key, value)).place(prefix.clone(), true));
    }
    let cut = match &column.common {
        Common::Value => Cut::after(|key| append(key, value)),
        Common::Period(period) => {
            let next = period.next(value.as_str()?, &column.path.field.kind)?;
            Cut::before(|key| append(key, &next.into()))
        }
        Common::Bucket(width) => {
            let next = super::column::number(value)?;
            let next = (next / width).floor().checked_add(1.into())?.checked_mul(*width)?;
            let next = match i64::try_from(next) {
                Ok(next) if value.is_number() => next.into(),
                _ => next.to_string().into(),
            };
            Cut::before(|key| append(key, &next))
        }
    };
    Some(cut.place(prefix.clone(), false))
}

fn range(from: &Key, to: &Key) -> Scan {
    Scan::range(std::ops::Bound::Included(from.clone()), std::ops::Bound::Excluded(to.clone()))
}
