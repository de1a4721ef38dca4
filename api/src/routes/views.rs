//! `/api/views/`: saved views.

use common::endpoints::views as endpoints;
use http::header;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Result, views};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Create, _, _>(create);
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Replace, _, _>(replace);
    table.on::<endpoints::Update, _, _>(update);
    table.on::<endpoints::Delete, _, _>(delete);
}

async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    Reply::new(&views::list(context.app.core(), &input.caller, &input.query).await?)
}

async fn create(context: Context, input: Input<endpoints::Create>) -> Result<Reply<endpoints::Create>> {
    let view = views::create(context.app.core(), &input.caller, input.body.clone()).await?;
    let location = input.link::<endpoints::Get>(&(view.id,), &());
    Ok(Reply::new(&view)?.etag(view.revision).header(header::LOCATION, &location))
}

async fn get(context: Context, input: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    let view = views::get(context.app.core(), &input.caller, input.params.0).await?;
    // The names in it follow those of collections and fields, which leave its revision alone.
    Ok(Reply::new(&view)?.etag(view.revision).uncached())
}

async fn replace(context: Context, input: Input<endpoints::Replace>) -> Result<Reply<endpoints::Replace>> {
    let (core, precondition) = (context.app.core(), input.precondition());
    let view = views::replace(core, &input.caller, input.params.0, input.body.clone(), precondition.as_ref()).await?;
    Ok(Reply::new(&view)?.etag(view.revision))
}

async fn update(context: Context, input: Input<endpoints::Update>) -> Result<Reply<endpoints::Update>> {
    let (core, precondition) = (context.app.core(), input.precondition());
    let view = views::update(core, &input.caller, input.params.0, &input.body.0, precondition.as_ref()).await?;
    Ok(Reply::new(&view)?.etag(view.revision))
}

async fn delete(context: Context, input: Input<endpoints::Delete>) -> Result<Reply<endpoints::Delete>> {
    let precondition = input.precondition();
    views::delete(context.app.core(), &input.caller, input.params.0, precondition.as_ref()).await?;
    Ok(Reply::no_content())
}
