//! `/api/changes/`, and a record's `history/`.

use common::{
    change::{Change, ChangeQuery, Changes, HistoryQuery, MAX_CHANGES},
    endpoints::{changes, records},
};

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Result, journal};

pub(crate) fn register(table: &mut Table) {
    table.on::<changes::List, _, _>(list);
    table.on::<records::History, _, _>(history);
}

async fn list(context: Context, input: Input<changes::List>) -> Result<Reply<changes::List>> {
    let (results, next) = journal::read::list(context.app.core(), &input.caller, &input.query).await?;
    let next = next.map(|after| {
        let query = ChangeQuery { after: Some(after), ..input.query.clone() };
        input.link::<changes::List>(&(), &query)
    });
    Reply::new(&Changes { next, results })
}

async fn history(context: Context, input: Input<records::History>) -> Result<Reply<records::History>> {
    let (name, id) = &input.params;
    let mut results: Vec<Change> =
        journal::read::history(context.app.core(), &input.caller, name, *id, input.query.before).await?;
    let more = results.len() > MAX_CHANGES;
    results.truncate(MAX_CHANGES);
    let next = results.last().filter(|_| more).map(|last| {
        let query = HistoryQuery { before: Some(last.revision) };
        input.link::<records::History>(&input.params, &query)
    });
    Reply::new(&Changes { next, results })
}
