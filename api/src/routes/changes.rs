//! `/api/changes/`, and a record's `history/`.

use common::{
    change::{Change, Changes, MAX_CHANGES},
    endpoints::{changes, records},
    query::{Query, encode},
};

use super::{Context, Input, Reply, Table};
use crate::domain::{Result, journal};

pub fn register(table: &mut Table) {
    table.on::<changes::List, _, _>(list);
    table.on::<records::History, _, _>(history);
}

async fn list(context: Context, input: Input<changes::List>) -> Result<Reply> {
    let (results, next) = journal::read::list(context.app.core(), &input.caller, &input.query).await?;
    let next = next.map(|after| {
        let query = common::change::ChangeQuery { after: Some(after), ..input.query.clone() };
        format!("{}/api/changes/?{}", input.base_url(), encode(&query.to_pairs()))
    });
    Reply::json(&Changes { next, results })
}

async fn history(context: Context, input: Input<records::History>) -> Result<Reply> {
    let (name, id) = &input.params;
    let mut results: Vec<Change> =
        journal::read::history(context.app.core(), &input.caller, name, *id, input.query.before).await?;
    let more = results.len() > MAX_CHANGES;
    results.truncate(MAX_CHANGES);
    let next = results
        .last()
        .filter(|_| more)
        .map(|last| format!("{}/api/records/{name}/{id}/history/?before={}", input.base_url(), last.revision));
    Reply::json(&Changes { next, results })
}
