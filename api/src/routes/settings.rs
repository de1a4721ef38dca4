//! `/api/settings/`.

use common::endpoints::settings::{List, Settings};

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::Result;

pub(crate) fn register(table: &mut Table) {
    table.on::<List, _, _>(list);
}

async fn list(context: Context, _: Input<List>) -> Result<Reply<List>> {
    let results = context.options.settings.to_vec();
    Reply::new(&Settings { version: env!("CARGO_PKG_VERSION").to_owned(), results })
}
