//! All records that a filter finds, to be changed or deleted.

use common::{
    access::{Action, Caller},
    query::ListQuery,
};
use std::sync::Arc;
use store::Snapshot;

use super::{
    plan::Plan,
    rows::Row,
    view::{ReadCounts, View},
};
use crate::domain::{core::Core, error::Result, schema::Schema, work};

/// The records that a query finds, of those that the caller may list; `None` where these are more than `max`, or take more than `max_bytes`.
pub(in crate::domain::records) async fn matching(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    query: &ListQuery,
    max: usize,
    max_bytes: usize,
) -> Result<Option<Vec<Row>>> {
    let may = schema.authorize(Action::List, caller)?;
    let (looked, deadline) = (ReadCounts::default(), core.deadline());
    let query = &ListQuery { count: false, ..query.clone() };
    let schema = Arc::clone(schema);
    let view =
        View { core, snapshot, caller, schema, may, query, deadline: &deadline, looked: &looked, reads_all: true };
    let plan = Plan::new(&view).await?;
    let mut walk = plan.walk(&view, Vec::new());
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(matches) = walk.next().await? {
        for (row, _) in matches {
            bytes += row.1.value.len();
            work::hold(row.1.value.len())?;
            found.push(row);
        }
        if found.len() > max || bytes > max_bytes {
            return Ok(None);
        }
    }
    Ok(Some(found))
}
