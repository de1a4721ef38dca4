//! `/api/schema/`.

use common::endpoints::schema::{self as endpoints, OpenApi};

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Result, openapi};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::Get, _, _>(get);
}

async fn get(context: Context, input: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    let (core, version) = (context.app.core(), env!("CARGO_PKG_VERSION"));
    let document = openapi::document(core, &input.caller, &input.base_url(), version).await?;
    Reply::new(&OpenApi::of(document))
}
