//! `/api/collections/`.

use common::{
    Endpoint,
    collection::{DefinitionAnswer, DefinitionQuery},
    endpoint::path_and_query,
    endpoints::{collections as endpoints, operations},
    undo::Deletion,
};
use http::header;

use super::{context::Context, input::Input, leniency, reply::Reply, table::Table};
use crate::domain::{Result, collections};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Create, _, _>(create);
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Replace, _, _>(replace);
    table.on::<endpoints::Update, _, _>(update);
    table.on::<endpoints::AddField, _, _>(add_field);
    table.on::<endpoints::UpdateField, _, _>(update_field);
    table.on::<endpoints::DropField, _, _>(drop_field);
    table.on::<endpoints::Delete, _, _>(delete);
}

async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    Ok(Reply::stored_json(collections::list_json(context.app.core(), &input.caller).await?.into()))
}

async fn create(context: Context, input: Input<endpoints::Create>) -> Result<Reply<endpoints::Create>> {
    let base = input.base_url();
    let collection = collections::create(context.app.core(), &input.caller, input.body).await?;
    let location = base + &path_and_query::<endpoints::Get>(&(collection.name.clone(),), &());
    Ok(Reply::new(&collection)?.etag(collection.revision).header(header::LOCATION, &location))
}

async fn get(context: Context, input: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    let collection = collections::get(context.app.core(), &input.caller, &input.params.0).await?;
    if input.has_etag(&collection.revision.etag()) {
        return Ok(Reply::not_modified(collection.revision).uncached());
    }
    Ok(Reply::new(&collection)?.etag(collection.revision).uncached())
}

/// The query of a change, with what its headers say beside it.
fn query<E: Endpoint<Query = DefinitionQuery>>(input: &Input<E>) -> DefinitionQuery {
    DefinitionQuery { respond_async: leniency::responds_async(&input.headers), ..input.query.clone() }
}

/// The answer to a change of a definition: what it is now, or where it is seen how far it is.
fn changed<E: Endpoint<Response = DefinitionAnswer>>(input: &Input<E>, answer: &DefinitionAnswer) -> Result<Reply<E>> {
    let reply = Reply::new(answer)?;
    Ok(match answer {
        DefinitionAnswer::Changed(collection) => reply.etag(collection.revision),
        DefinitionAnswer::Begun(operation) => {
            reply.accepted().header(header::LOCATION, &input.link::<operations::Get>(&(operation.id,), &()))
        }
        DefinitionAnswer::WouldBe(_) => reply,
    })
}

async fn replace(context: Context, input: Input<endpoints::Replace>) -> Result<Reply<endpoints::Replace>> {
    let precondition = input.precondition();
    let collection = collections::replace(
        context.app.core(),
        &input.caller,
        &input.params.0,
        input.body.clone(),
        &query(&input),
        precondition.as_ref(),
    )
    .await?;
    changed(&input, &collection)
}

async fn update(context: Context, input: Input<endpoints::Update>) -> Result<Reply<endpoints::Update>> {
    let precondition = input.precondition();
    let collection = collections::update(
        context.app.core(),
        &input.caller,
        &input.params.0,
        input.body.clone(),
        &query(&input),
        precondition.as_ref(),
    )
    .await?;
    changed(&input, &collection)
}

async fn add_field(context: Context, input: Input<endpoints::AddField>) -> Result<Reply<endpoints::AddField>> {
    let (core, precondition) = (context.app.core(), input.precondition());
    let (name, query) = (&input.params.0, &query(&input));
    let collection =
        collections::add_field(core, &input.caller, name, input.body.clone(), query, precondition.as_ref()).await?;
    changed(&input, &collection)
}

async fn update_field(context: Context, input: Input<endpoints::UpdateField>) -> Result<Reply<endpoints::UpdateField>> {
    let (core, precondition) = (context.app.core(), input.precondition());
    let (name, field) = &input.params;
    let (patch, query) = (&input.body.0, &query(&input));
    let collection =
        collections::update_field(core, &input.caller, name, field, patch, query, precondition.as_ref()).await?;
    changed(&input, &collection)
}

async fn drop_field(context: Context, input: Input<endpoints::DropField>) -> Result<Reply<endpoints::DropField>> {
    let (core, precondition) = (context.app.core(), input.precondition());
    let (name, field) = &input.params;
    let collection =
        collections::drop_field(core, &input.caller, name, field, &query(&input), precondition.as_ref()).await?;
    changed(&input, &collection)
}

async fn delete(context: Context, input: Input<endpoints::Delete>) -> Result<Reply<endpoints::Delete>> {
    let (core, precondition) = (context.app.core(), input.precondition());
    if input.query.dry_run {
        let counts = collections::would_delete(core, &input.caller, &input.params.0, precondition.as_ref()).await?;
        let deletion = Deletion { count: counts.total(), counts: counts.into_inner() };
        return Ok(Reply::<endpoints::DryDelete>::new(&deletion)?.instead());
    }
    let left = collections::delete(core, &input.caller, &input.params.0, precondition.as_ref()).await?;
    let Some(operation) = left else { return Ok(Reply::no_content()) };
    let location = input.link::<operations::Get>(&(operation.id,), &());
    Ok(Reply::<endpoints::Deleting>::new(&operation)?.header(header::LOCATION, &location).instead())
}
