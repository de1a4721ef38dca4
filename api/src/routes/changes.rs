//! `/api/changes/`, and a record's `history/`.

use bytes::Bytes;
use common::{
    Endpoint,
    answer::{Answer as _, JsonAnswer},
    change::{Change, ChangeQuery, Changes, HistoryQuery, TrashQuery},
    endpoints::{changes, operations, records},
    operation::OperationState,
    undo::{OperationChanges, OperationQuery, RevertQuery, Reverted, Reverting},
};
use http::header;

use super::{context::Context, input::Input, leniency, reply::Reply, table::Table};
use crate::domain::{
    Result,
    journal::{
        self,
        summary::{Summary, summary},
    },
    records::Results,
    undo,
};

pub(crate) fn register(table: &mut Table) {
    table.on::<changes::List, _, _>(list);
    table.on::<records::History, _, _>(history);
    table.on::<records::Trash, _, _>(trash);
    table.on::<changes::Operation, _, _>(operation);
    table.on::<changes::Revert, _, _>(revert);
}

async fn list(context: Context, input: Input<changes::List>) -> Result<Reply<changes::List>> {
    let (results, next) = journal::read::list(context.app.core(), &input.caller, &input.query).await?;
    let next = next.map(|journal::read::After { revision, place }| {
        let (after, before) = if input.query.is_backward { (None, Some(revision)) } else { (Some(revision), None) };
        let query = ChangeQuery { after, before, place, ..input.query.clone() };
        input.link::<changes::List>(&(), &query)
    });
    changes(next, results)
}

async fn trash(context: Context, input: Input<records::Trash>) -> Result<Reply<records::Trash>> {
    let (results, next) = journal::read::trash(context.app.core(), &input.caller, &input.params.0, input.query).await?;
    let next = next.map(|journal::read::After { revision, place }| {
        let query = TrashQuery { before: Some(revision), place, ..input.query };
        input.link::<records::Trash>(&input.params, &query)
    });
    changes(next, results)
}

async fn history(context: Context, input: Input<records::History>) -> Result<Reply<records::History>> {
    let (name, id) = &input.params;
    let (results, more) =
        journal::read::history(context.app.core(), &input.caller, name, *id, input.query.before).await?;
    let next = results.last().filter(|_| more).map(|last| {
        let query = HistoryQuery { before: Some(last.revision) };
        input.link::<records::History>(&input.params, &query)
    });
    changes(next, results)
}

/// A stretch of changes.
fn changes<E: Endpoint<Response = Changes>>(next: Option<String>, results: Vec<Change>) -> Result<Reply<E>> {
    with_results(&Changes { next, results: Vec::new() }, results)
}

/// An answer whose last member is `results`; `head` has none yet. Each change is let go when it is written.
fn with_results<E: Endpoint<Response: JsonAnswer>>(head: &E::Response, results: Vec<Change>) -> Result<Reply<E>> {
    const NONE: &[u8] = b"[]}";
    let mut before = head.to_bytes()?;
    before.truncate(before.len().saturating_sub(NONE.len()));
    let rows = results.into_iter().map(|change| Ok(Bytes::from(serde_json::to_vec(&change)?)));
    let rows = Results::written(rows.collect::<Result<_>>()?);
    Ok(Reply::with_results(before.into(), rows, Bytes::from_static(b"}")))
}

async fn operation(context: Context, input: Input<changes::Operation>) -> Result<Reply<changes::Operation>> {
    let (operation,) = input.params;
    let OperationQuery { offset, page_size } = input.query;
    let Summary { at, by, reverts, counts, results, goes_on, is_partial } =
        summary(context.app.core(), &input.caller, operation, &input.query).await?;
    let next = goes_on.then(|| {
        let query = OperationQuery { offset: offset + results.len() as u64, page_size };
        input.link::<changes::Operation>(&input.params, &query)
    });
    let (count, counts) = (counts.total(), counts.into_inner());
    let head = OperationChanges { operation, at, by, reverts, is_partial, count, counts, next, results: Vec::new() };
    with_results(&head, results)
}

async fn revert(context: Context, input: Input<changes::Revert>) -> Result<Reply<changes::Revert>> {
    let by = input.actor();
    let RevertQuery { changed, dry_run } = input.query;
    let how = undo::How { changed, dry_run, respond_async: leniency::responds_async(&input.headers) };
    let reverted = undo::revert(context.app.core(), by, input.params.0, how).await?;
    if dry_run {
        let Reverted { reverts, count, counts, skipped, not_restored, .. } = reverted;
        let reverting = Reverting { reverts, count, counts, skipped, not_restored };
        return Ok(Reply::<changes::DryRevert>::new(&reverting)?.instead());
    }
    let reply = Reply::new(&reverted)?;
    if reverted.state == OperationState::Done {
        return Ok(reply);
    }
    let location = input.link::<operations::Get>(&(reverted.operation,), &());
    Ok(reply.accepted().header(header::LOCATION, &location))
}
