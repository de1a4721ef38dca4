//! `/api/operations/`: work in the background; and what begins such work.

use common::endpoints::{changes, operations as endpoints};
use http::header;

use super::{context::Context, input::Input, paging::linked, reply::Reply, table::Table};
use crate::domain::{Result, operations};

pub(crate) fn register(table: &mut Table) {
    table.on::<changes::Trim, _, _>(trim_changes);
    table.on::<changes::Erase, _, _>(erase);
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Get, _, _>(get);
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

async fn stop(context: Context, input: Input<endpoints::Stop>) -> Result<Reply<endpoints::Stop>> {
    operations::stop(context.app.core(), input.session()?.actor(), input.params.0).await?;
    Ok(Reply::no_content())
}

async fn resume(context: Context, input: Input<endpoints::Resume>) -> Result<Reply<endpoints::Resume>> {
    let operation = operations::resume(context.app.core(), input.session()?.actor(), input.params.0).await?;
    let location = input.link::<endpoints::Get>(&(operation.id,), &());
    Ok(Reply::new(&operation)?.header(header::LOCATION, &location))
}
