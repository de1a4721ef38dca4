//! `/api/migrations/`.

use common::{
    Endpoint,
    endpoints::{migrations as endpoints, operations},
    migration::{MigrationAnswer, MigrationId},
};
use http::header;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Result, migrations};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Apply, _, _>(apply);
    table.on::<endpoints::Revert, _, _>(revert);
}

async fn list(context: Context, _: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    Reply::new(&migrations::list(context.app.core()).await?)
}

async fn apply(context: Context, input: Input<endpoints::Apply>) -> Result<Reply<endpoints::Apply>> {
    let by = input.actor();
    let answer = migrations::apply(context.app.core(), by, input.body.clone(), input.query).await?;
    answered(&input, &answer)
}

async fn revert(context: Context, input: Input<endpoints::Revert>) -> Result<Reply<endpoints::Revert>> {
    let by = input.actor();
    let (collection, name) = input.params.clone();
    let id = MigrationId { collection, name };
    let answer = migrations::revert(context.app.core(), by, &id, input.query).await?;
    answered(&input, &answer)
}

fn answered<E: Endpoint<Response = MigrationAnswer>>(input: &Input<E>, answer: &MigrationAnswer) -> Result<Reply<E>> {
    let reply = Reply::new(answer)?;
    Ok(match answer {
        MigrationAnswer::Begun(operation) => {
            reply.accepted().header(header::LOCATION, &input.link::<operations::Get>(&(operation.id,), &()))
        }
        _ => reply,
    })
}
