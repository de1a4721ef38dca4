//! `/api/guess/`.

use common::endpoints::guess::Guess;

use super::{body, context::Context, input::Input, records::received, reply::Reply, table::Table};
use crate::domain::{Result, intake};

pub(crate) fn register(table: &mut Table) {
    table.on::<Guess, _, _>(guess);
}

/// The file is read when it is whole.
async fn guess(context: Context, input: Input<Guess>) -> Result<Reply<Guess>> {
    let file = received(&context, &input.headers, input.incoming()).await?;
    Reply::new(&intake::guess_of(file, input.query.clone(), body::told(&input.headers)).await?)
}
