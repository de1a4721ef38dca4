//! `/api/operations/`: work in the background; and what begins such work.

use std::io::Read as _;

use common::endpoints::{changes, operations as endpoints};
use http::header;

use super::{context::Context, input::Input, paging::linked, reply::Reply, streaming, table::Table};
use crate::domain::{Error, Result, operations, sink::Sink};

pub(crate) fn register(table: &mut Table) {
    table.on::<changes::Trim, _, _>(trim_changes);
    table.on::<changes::Erase, _, _>(erase);
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Rejected, _, _>(rejected);
    table.on::<endpoints::Stop, _, _>(stop);
    table.on::<endpoints::Resume, _, _>(resume);
}

async fn trim_changes(context: Context, input: Input<changes::Trim>) -> Result<Reply<changes::Trim>> {
    let by = input.session()?.actor();
    let operation = operations::trim_changes(context.app.core(), by, input.body.older_than).await?;
    let location = input.link::<endpoints::Get>(&(operation.id,), &());
    Ok(Reply::new(&operation)?.header(header::LOCATION, &location))
}

async fn erase(context: Context, input: Input<changes::Erase>) -> Result<Reply<changes::Erase>> {
    let by = input.session()?.actor();
    let operation = operations::erase(context.app.core(), by, input.body.clone()).await?;
    let location = input.link::<endpoints::Get>(&(operation.id,), &());
    Ok(Reply::new(&operation)?.header(header::LOCATION, &location))
}

async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    let page = operations::list(context.app.core(), &input.query).await?;
    Reply::new(&linked(&input, &input.query, page))
}

async fn get(context: Context, input: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    Reply::new(&operations::get_for(context.app.core(), &input.caller, input.params.0).await?)
}

/// What sending a file holds: the pieces that wait.
const HELD: u64 = 512 * 1024;
const PIECE: usize = 64 * 1024;

async fn rejected(context: Context, input: Input<endpoints::Rejected>) -> Result<Reply<endpoints::Rejected>> {
    let (core, id) = (context.app.core(), input.params.0);
    let mut file = operations::rejected(core, &input.caller, id).await?;
    let held = core.memory.charge(HELD)?;
    let make = move |sink: Sink| async move {
        loop {
            let mut piece = vec![0; PIECE];
            let length = file.read(&mut piece).map_err(|error| Error::caused("a file could not be read", error))?;
            piece.truncate(length);
            if length == 0 || sink.send(Ok(piece.into())).await.is_err() {
                return Ok(());
            }
        }
    };
    let pieces = streaming::begin(&context, input.origin.address, held, make).await?;
    Ok(Reply::stream(pieces)
        .header(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{id}.rejected.csv\"")))
}

async fn stop(context: Context, input: Input<endpoints::Stop>) -> Result<Reply<endpoints::Stop>> {
    operations::stop(context.app.core(), input.session()?.actor(), input.params.0).await?;
    Ok(Reply::no_content())
}

async fn resume(context: Context, input: Input<endpoints::Resume>) -> Result<Reply<endpoints::Resume>> {
    let operation = operations::resume(context.app.core(), input.session()?.actor(), input.params.0).await?;
    let location = input.link::<endpoints::Get>(&(operation.id,), &());
    Ok(Reply::new(&operation)?.header(header::LOCATION, &location))
}
