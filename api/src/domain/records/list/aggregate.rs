//! Aggregates: counts, sums and other measures of the records that a caller may list, by what they have in common. What is not counted off
//! the keys of an index is measured in one walk through the matches, which holds the groups and no record.

mod by_keys;
mod column;
mod groups;
mod period;
mod total;

use std::{cmp::Ordering, collections::HashMap, iter};

use common::{
    access::{Action, Caller, Decision},
    aggregate::{AggregateQuery, FacetValue},
    condition::Condition,
    field::{Field, FieldType},
    id::RecordId,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    query::{ListQuery, no_such_field},
    reader::invalid,
    record::Record,
    table,
    text::single_line,
};
use serde_json::{Map, Value};

use self::{
    column::{Columns, Common, GroupColumn, MeasureColumn, is_grouped},
    groups::Groups,
    period::Zone,
};
use super::{
    names::Names,
    plan::Plan,
    view::{ReadCounts, View},
};
use crate::domain::{
    core::Core,
    error::Result,
    keyspace,
    records::{
        condition::compare,
        filter::{self, Asked, Node},
        referred::Referred,
        regex::Spent,
    },
    work::{self, MAX_PAGE_BYTES},
};

/// Values of one facet that are told.
const FACET_VALUES: usize = 100;

/// What is told of groups.
pub struct Aggregated {
    /// How many groups there are.
    pub count: u64,
    /// A JSON array of those that were asked for.
    pub results: String,
    /// What the records are called that they name by ids.
    pub names: Map<String, Value>,
    /// How the records were found, where that was asked for.
    pub explain: Option<Value>,
}

/// Measures the records that a query asks for, of those that the caller may list.
pub async fn aggregate(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    query: &AggregateQuery,
) -> Result<Aggregated> {
    let (deadline, began) = (core.deadline(), core.clock.elapsed());
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::List, caller)?;
    let checked = query.records.check(&schema.collection);
    filter::check(core, &snapshot, caller, &schema, &query.records, checked).await?;
    let records = ListQuery { count: false, ..query.records.clone() };
    let looked = ReadCounts::default();
    let view = View {
        core,
        snapshot: &snapshot,
        caller,
        schema,
        may,
        query: &records,
        deadline: &deadline,
        looked: &looked,
        reads_all: true,
    };
    let zone = Zone::named(&query.time_zone).ok_or_else(|| {
        let name = single_line(&query.time_zone);
        FieldErrors::of(
            "time_zone",
            invalid(format!("There is no time zone \"{name}\". Use a name such as Europe/Berlin.")),
        )
    })?;
    let columns = Columns::find(&view, query).await?;
    let having = having(core, caller, query.having.as_ref(), &columns)?;
    let order = order(query, &columns)?;
    let plan = Plan::new(&view).await?;
    let mut groups = Groups::new(&columns, &zone);
    let measured = measure(&view, &plan, &columns, &zone, &mut groups).await;
    let took = core.clock.elapsed().saturating_sub(began);
    view.note_slow(name, &query.records.shape(), took, || plan.would_help());
    let way = measured?;
    groups.at_least_one()?;
    hide_referred(&view, &columns.groups, &mut groups).await?;
    let (mut rows, _held) = groups.into_rows()?;
    if let Some(having) = having {
        rows.retain(|row| having.holds(row, &Referred::default(), &Spent::default()));
    }
    rows.sort_by(|a, b| {
        let by = order.iter().map(|(name, field, descending)| {
            let order = compare_in(field, a, b, name);
            if *descending { order.reverse() } else { order }
        });
        by.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    let count = rows.len() as u64;
    let skip = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let rows: Vec<Record> = rows.into_iter().skip(skip).take(take).collect();
    let mut names = Map::new();
    for column in &columns.groups {
        let ids = rows.iter().filter_map(|row| row.get(&column.name));
        names.extend(names_of(&view, column, ids).await?);
    }
    let results = json(&columns.measures, rows)?;
    let explain = query.explain.then(|| match way {
        Way::Walked => plan.explain(&view, took),
        Way::Counted(index) => plan.explain_counted(&view, took, &index),
    });
    Ok(Aggregated { count, results, names, explain })
}

/// How groups were made.
enum Way {
    Walked,
    /// By the keys of an index, which has these fields.
    Counted(Vec<String>),
}

async fn measure(view: &View<'_>, plan: &Plan, columns: &Columns, zone: &Zone, groups: &mut Groups<'_>) -> Result<Way> {
    match columns.groups.as_slice() {
        [] if columns.only_count() => {
            groups.count(Vec::new(), plan.count(view).await?)?;
            return Ok(Way::Walked);
        }
        [column] if columns.only_count() => {
            if let Some(index) = count_by_keys(view, column, zone, groups).await? {
                return Ok(Way::Counted(index));
            }
        }
        _ => {}
    }
    let mut walk = plan.walk(view, columns.paths());
    while let Some(matches) = walk.next().await? {
        for (_, record) in matches {
            groups.add(&record, &walk.referred)?;
        }
    }
    Ok(Way::Walked)
}

/// Counts a column's groups by the keys of an index; the index's fields, where one could serve.
async fn count_by_keys(
    view: &View<'_>,
    column: &GroupColumn,
    zone: &Zone,
    groups: &mut Groups<'_>,
) -> Result<Option<Vec<String>>> {
    for access in Plan::exact_accesses(view, &column.path.member).await? {
        if by_keys::count(view, &access, column, zone, groups).await? {
            return Ok(Some(access.fields()));
        }
    }
    Ok(None)
}

/// How many of the rows of a list have each value of the fields that it asks that of.
pub(super) async fn facets(view: &View<'_>, query: &ListQuery) -> Result<Map<String, Value>> {
    let mut errors = FieldErrors::new();
    let mut columns = Vec::with_capacity(query.facets.len());
    let none = Columns { groups: Vec::new(), measures: Vec::new() };
    for name in &query.facets {
        match none.group(view, name).await? {
            Some(column) if is_grouped(&column) => columns.push(column),
            Some(_) => errors.push("facets", invalid(format!("Values of \"{name}\" are too large to group by."))),
            None => errors.push("facets", no_such_field(name)),
        }
    }
    errors.or(())?;
    let records = ListQuery {
        filters: query.filters.clone(),
        filter: query.filter.clone(),
        search: query.search.clone(),
        ignores_accents: query.ignores_accents,
        ignores_unknown: query.ignores_unknown,
        count: false,
        ..ListQuery::default()
    };
    let view = &View { query: &records, reads_all: true, schema: view.schema.clone(), ..*view };
    let zone = Zone::utc();
    let measures = [MeasureColumn::count()];
    let each = columns.iter().map(|column| Groups::of(std::slice::from_ref(column), &measures, &zone, "facets"));
    let mut each: Vec<Groups<'_>> = each.collect();
    let mut walked = Vec::new();
    for (i, (column, groups)) in columns.iter().zip(&mut each).enumerate() {
        if count_by_keys(view, column, &zone, groups).await?.is_none() {
            walked.push(i);
        }
    }
    if !walked.is_empty() {
        let plan = Plan::new(view).await?;
        let mut walk = plan.walk(view, columns.iter().map(|column| &column.path).collect());
        while let Some(matches) = walk.next().await? {
            for (_, record) in matches {
                for i in &walked {
                    each[*i].add(&record, &walk.referred)?;
                }
            }
        }
    }
    let mut told = Map::new();
    for (column, mut groups) in columns.iter().zip(each) {
        hide_referred(view, std::slice::from_ref(column), &mut groups).await?;
        told.insert(column.name.clone(), facet(view, column, groups).await?);
    }
    Ok(told)
}

/// The values of a facet, the most frequent first; those of a choice that no row has, too.
async fn facet(view: &View<'_>, column: &GroupColumn, groups: Groups<'_>) -> Result<Value> {
    let mut values: Vec<FacetValue> = Vec::with_capacity(groups.len());
    let (rows, _held) = groups.into_rows()?;
    for row in rows {
        let value = row.get(&column.name).cloned().unwrap_or(Value::Null);
        let count = row.get(MeasureColumn::COUNT).and_then(Value::as_u64).unwrap_or(0);
        values.push(FacetValue { value, name: None, count });
    }
    let by_value = |a: &FacetValue, b: &FacetValue| compare(&column.field, &a.value, &b.value);
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| by_value(a, b)));
    if let (Common::Value, FieldType::Choice { choices, .. }) = (&column.common, &column.field.kind) {
        for choice in choices {
            if values.iter().all(|known| known.value != *choice.as_str()) {
                values.push(FacetValue { value: choice.as_str().into(), name: None, count: 0 });
            }
        }
    }
    values.truncate(FACET_VALUES);
    let names = names_of(view, column, values.iter().map(|value| &value.value)).await?;
    for value in &mut values {
        let name = names.get(&table::name_key(&column.name, &value.value)).and_then(Value::as_str);
        value.name = name.map(str::to_owned);
    }
    Ok(serde_json::to_value(values)?)
}

/// The condition on groups, typed by the columns of the answer.
fn having(core: &Core, caller: &Caller, condition: Option<&Condition>, columns: &Columns) -> Result<Option<Node>> {
    let Some(condition) = condition else { return Ok(None) };
    let node = Node::of_columns(&Asked::new(core, caller), condition, |name| columns.field(name).cloned());
    node.map(Some).map_err(|error| FieldErrors::of("having", invalid(error.to_string())).into())
}

/// The columns that groups are ordered by, and then those that make them.
fn order(query: &AggregateQuery, columns: &Columns) -> Result<Vec<(String, Field, bool)>> {
    let mut order = Vec::new();
    for by in &query.ordering {
        let Some(field) = columns.field(&by.field) else {
            let known: Vec<&str> = columns.names().collect();
            let message = format!("There is no column \"{}\". There are {}.", single_line(&by.field), known.join(", "));
            return Err(FieldErrors::of("ordering", FieldError::new("invalid", message)).into());
        };
        order.push((by.field.clone(), field.clone(), by.descending));
    }
    order.extend(columns.groups.iter().map(|column| (column.name.clone(), column.field.clone(), false)));
    Ok(order)
}

fn compare_in(field: &Field, a: &Record, b: &Record, name: &str) -> Ordering {
    let value = |row: &Record| row.get(name).cloned().unwrap_or(Value::Null);
    compare(field, &value(a), &value(b))
}

/// The collection that a column's values are ids in; users of owners.
fn ids_of(column: &GroupColumn) -> Option<&CollectionName> {
    match &column.path.field.kind {
        FieldType::Reference { collection: Some(collection), .. }
            if column.path.part.is_none() && column.path.member != "id" =>
        {
            Some(collection)
        }
        _ => None,
    }
}

/// Counts references to records that the caller may not view as none.
async fn hide_referred(view: &View<'_>, columns: &[GroupColumn], groups: &mut Groups<'_>) -> Result<()> {
    for (i, column) in columns.iter().enumerate().filter(|(_, column)| column.path.member != "owner") {
        let Some(collection) = ids_of(column) else { continue };
        let target = view.core.schemas.load(view.snapshot, collection).await?;
        let may = target.as_ref().map(|target| target.collection.access.decide(Action::View, view.caller));
        match (target, may) {
            (_, Some(Decision::All)) => {}
            (Some(target), Some(may @ Decision::Own(_))) => {
                let ids: Vec<RecordId> = groups.values(i).filter_map(RecordId::from_value).collect();
                let mut seen = HashMap::with_capacity(ids.len());
                for ids in ids.chunks(work::AT_ONCE) {
                    view.deadline.pause().await?;
                    let keys: Vec<_> = ids.iter().map(|id| keyspace::record(target.number(), *id)).collect();
                    for (id, entry) in ids.iter().zip(view.snapshot.get_many(&keys).await?) {
                        let Some(entry) = entry else { continue };
                        let record = target.parse(*id, &entry)?;
                        seen.insert(*id, may.covers(record.owner()));
                    }
                }
                groups.hide(i, |value| RecordId::from_value(value).is_some_and(|id| seen.get(&id) != Some(&true)))?;
            }
            _ => groups.hide(i, |value| !value.is_null())?,
        }
    }
    Ok(())
}

/// What the records are called whose ids a column has.
async fn names_of(
    view: &View<'_>,
    column: &GroupColumn,
    ids: impl Iterator<Item = &Value>,
) -> Result<Map<String, Value>> {
    let mut names = Names::default();
    let Some(collection) = ids_of(column) else { return Ok(Map::new()) };
    match column.path.member.as_str() {
        "owner" => names.add_owners(view, ids).await?,
        _ => names.add_records(view, &column.name, collection, ids).await?,
    }
    Ok(names.0)
}

/// Rows as JSON. Sums and means of integers are numbers, of however many digits.
fn json(measures: &[MeasureColumn], rows: Vec<Record>) -> Result<String> {
    let mut json = String::from("[");
    for (i, row) in rows.into_iter().enumerate() {
        if json.len() > MAX_PAGE_BYTES {
            let message = format!(
                "These groups take more than the {} MiB that one answer may have. Ask for limit={i}, and for the rest with offset.",
                MAX_PAGE_BYTES / (1024 * 1024)
            );
            return Err(FieldErrors::of("limit", FieldError::new("too_much", message)).into());
        }
        json.push_str(if i == 0 { "{" } else { ",{" });
        for (j, (name, value)) in row.as_object().iter().enumerate() {
            if j > 0 {
                json.push(',');
            }
            json.push_str(&serde_json::to_string(name)?);
            json.push(':');
            let is_number = measures.iter().any(|column| column.is_number && column.name == *name);
            match value.as_str().filter(|_| is_number) {
                Some(number) => json.push_str(number),
                None => json.push_str(&value.to_string()),
            }
        }
        json.push('}');
    }
    json.extend(iter::once(']'));
    Ok(json)
}
