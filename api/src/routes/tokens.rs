//! `/api/token/`.

use common::{
    Endpoint,
    answer::Empty,
    endpoints::tokens::{self, KeySet, Tokens},
};

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{
    Result,
    sign_in::{self, Issued},
};

pub(crate) fn register(table: &mut Table) {
    table.on::<tokens::Obtain, _, _>(obtain);
    table.on::<tokens::Refresh, _, _>(refresh);
    table.on::<tokens::Verify, _, _>(verify);
    table.on::<tokens::Blacklist, _, _>(blacklist);
    table.on::<tokens::Keys, _, _>(keys);
}

fn tokens<E: Endpoint<Response = Tokens>>(issued: Issued) -> Result<Reply<E>> {
    let Issued { access, refresh, expires_in, .. } = issued;
    Reply::new(&Tokens { access, refresh, expires_in, token_type: "Bearer".to_owned() })
}

async fn obtain(context: Context, input: Input<tokens::Obtain>) -> Result<Reply<tokens::Obtain>> {
    tokens(sign_in::sign_in(&context.app, &input.body.username, &input.body.password, &input.origin).await?)
}

async fn refresh(context: Context, input: Input<tokens::Refresh>) -> Result<Reply<tokens::Refresh>> {
    tokens(sign_in::refresh(&context.app, input.refresh_claims()?, &input.origin).await?)
}

async fn verify(context: Context, input: Input<tokens::Verify>) -> Result<Reply<tokens::Verify>> {
    sign_in::verify(&context.app, &input.body.token).await?;
    Reply::new(&Empty {})
}

async fn blacklist(context: Context, input: Input<tokens::Blacklist>) -> Result<Reply<tokens::Blacklist>> {
    sign_in::blacklist(context.app.core(), input.refresh_claims()?, &input.origin).await?;
    Reply::new(&Empty {})
}

async fn keys(context: Context, _: Input<tokens::Keys>) -> Result<Reply<tokens::Keys>> {
    let keys = context.app.auth().verifier.public_keys();
    let keys = keys.get("keys").and_then(|keys| keys.as_array()).cloned().unwrap_or_default();
    Reply::new(&KeySet { keys })
}
