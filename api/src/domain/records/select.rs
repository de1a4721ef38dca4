//! The part of a list that a query asks for, where the list is not made of records but read like one: users, sessions. All of
//! its rows are at hand, so they are filtered, ordered and counted here in memory.

use std::collections::HashMap;

use common::{
    collection::Collection,
    field::FieldType,
    id::RecordId,
    page::Page,
    query::{LAST_PAGE, ListQuery},
    record::Record,
};
use serde::Serialize;

use super::{
    filter::{Asked, Conditions},
    list::{Window, numbered},
    referred::Referred,
    sort::{First, SortKeys},
};
use crate::domain::{deadline::Deadline, error::Result, work};

/// About how many bytes a row takes, as it is and as a record.
const HELD_FOR_EACH: usize = 2048;
/// Rows that are looked at before others get the thread.
const ROWS_BETWEEN_PAUSES: usize = 256;

/// The page of `rows` that a checked query asks for. Where it names no order, they stay in theirs. Words are looked for in
/// texts only.
pub async fn select<T: Serialize>(
    asked: &Asked,
    rows: Vec<T>,
    table: &Collection,
    query: &ListQuery,
    deadline: &Deadline,
) -> Result<Page<T>> {
    work::hold(rows.len() * HELD_FOR_EACH)?;
    let conditions = Conditions::new(asked, table, query)?;
    let keys = SortKeys::new(table, query);
    // Which page is the last is known at the end only.
    let mut first = First::new(
        &keys,
        match query.page {
            LAST_PAGE => usize::MAX,
            page => {
                let Window { skip, size } = Window::new(query, page);
                skip.saturating_add(size)
            }
        },
    );
    let nothing = Referred::default();
    let mut texts = table.clone();
    texts.fields.retain(|field| matches!(field.kind, FieldType::Text { .. } | FieldType::Choice { .. }));
    let (mut in_order, mut by_id) = (Vec::new(), HashMap::new());
    for (i, row) in rows.into_iter().enumerate() {
        if i % ROWS_BETWEEN_PAUSES == ROWS_BETWEEN_PAUSES - 1 {
            deadline.pause().await?;
        }
        let record: Record = serde_json::from_value(serde_json::to_value(&row)?)?;
        if !conditions.hold(&texts, &record) {
            continue;
        }
        match record.id().filter(|_| !query.ordering.is_empty()) {
            Some(id) => {
                first.push(keys.of(&record, &nothing), id)?;
                by_id.insert(id, row);
            }
            None => in_order.push(row),
        }
    }
    let count = (in_order.len() + by_id.len()) as u64;
    let page = numbered(query, count)?;
    let Window { skip, size } = Window::new(query, page);
    in_order.extend(first.into_ids().iter().filter_map(|id: &RecordId| by_id.remove(id)));
    let results = in_order.into_iter().skip(skip).take(size).collect();
    Ok(Page { count, ..Page::single(results) })
}
