//! `/api/changes/`, and a record's `history/`.

use common::{
    change::{ChangeQuery, Changes, HistoryQuery},
    endpoints::{changes, operations, records},
    operation::OperationState,
    undo::{OperationChanges, OperationQuery},
};
use http::header;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{
    Result,
    journal::{
        self, Actor,
        summary::{Summary, summary},
    },
    undo,
};

pub(crate) fn register(table: &mut Table) {
    table.on::<changes::List, _, _>(list);
    table.on::<records::History, _, _>(history);
    table.on::<changes::Operation, _, _>(operation);
    table.on::<changes::Revert, _, _>(revert);
}

async fn list(context: Context, input: Input<changes::List>) -> Result<Reply<changes::List>> {
    let (results, next) = journal::read::list(context.app.core(), &input.caller, &input.query).await?;
    let next = next.map(|journal::read::After { revision, place }| {
        let query = ChangeQuery { after: Some(revision), place, ..input.query.clone() };
        input.link::<changes::List>(&(), &query)
    });
    Reply::new(&Changes { next, results })
}

async fn history(context: Context, input: Input<records::History>) -> Result<Reply<records::History>> {
    let (name, id) = &input.params;
    let (results, more) =
        journal::read::history(context.app.core(), &input.caller, name, *id, input.query.before).await?;
    let next = results.last().filter(|_| more).map(|last| {
        let query = HistoryQuery { before: Some(last.revision) };
        input.link::<records::History>(&input.params, &query)
    });
    Reply::new(&Changes { next, results })
}

async fn operation(context: Context, input: Input<changes::Operation>) -> Result<Reply<changes::Operation>> {
    let (operation,) = input.params;
    let offset = input.query.offset;
    let Summary { at, by, reverts, counts, results, goes_on } =
        summary(context.app.core(), &input.caller, operation, offset).await?;
    let next = goes_on.then(|| {
        let query = OperationQuery { offset: offset + results.len() as u64 };
        input.link::<changes::Operation>(&input.params, &query)
    });
    let (count, counts) = (counts.total(), counts.into_inner());
    Reply::new(&OperationChanges { operation, at, by, reverts, count, counts, next, results })
}

async fn revert(context: Context, input: Input<changes::Revert>) -> Result<Reply<changes::Revert>> {
    let by = Actor::at(&input.caller, input.origin.address);
    let reverted = undo::revert(context.app.core(), by, input.params.0, input.query.changed).await?;
    let reply = Reply::new(&reverted)?;
    if reverted.state == OperationState::Done {
        return Ok(reply);
    }
    let location = input.link::<operations::Get>(&(reverted.operation,), &());
    Ok(reply.accepted().header(header::LOCATION, &location))
}
