//! `/api/storage/`.

use common::endpoints::storage as endpoints;
use http::header;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Result, compaction};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::Compact, _, _>(compact);
    table.on::<endpoints::Get, _, _>(get);
}

async fn compact(context: Context, input: Input<endpoints::Compact>) -> Result<Reply<endpoints::Compact>> {
    tracing::info!(user = %input.session()?.user.id, address = %input.origin.address, "the store is being compacted");
    let compaction = compaction::compact(context.app.core()).await?;
    let reply = Reply::new(&compaction)?;
    if compaction.state.is_over() {
        return Ok(reply);
    }
    Ok(reply.accepted().header(header::LOCATION, &input.link::<endpoints::Get>(&(), &())))
}

async fn get(context: Context, _: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    Reply::new(&compaction::state(context.app.core())?)
}
