//! `/api/token/`, and `/api/keys/`.

use common::{
    Endpoint,
    answer::Empty,
    endpoint::DEVICE_HEADER,
    endpoints::{
        keys as ring,
        tokens::{self, KeySet, Tokens},
    },
};
use http::HeaderName;

use super::{context::Context, cookie, input::Input, reply::Reply, table::Table};
use crate::domain::{
    Result, inspection,
    refresh::{self, Issued},
    sign_in::{self, Proof},
};

pub(crate) fn register(table: &mut Table) {
    table.on::<tokens::Obtain, _, _>(obtain);
    table.on::<tokens::Refresh, _, _>(trade);
    table.on::<tokens::Verify, _, _>(verify);
    table.on::<tokens::Blacklist, _, _>(blacklist);
    table.on::<tokens::Keys, _, _>(keys);
    table.on::<tokens::Inspect, _, _>(inspect);
    table.on::<ring::List, _, _>(list_keys);
}

/// `kept` is the refresh token that came: it goes back where it stays.
fn tokens<E: Endpoint<Response = Tokens>>(issued: Issued, kept: String) -> Result<Reply<E>> {
    Reply::new(&Tokens { access: issued.access, refresh: issued.refresh.unwrap_or(kept) })
}

async fn obtain(context: Context, input: Input<tokens::Obtain>) -> Result<Reply<tokens::Obtain>> {
    let tokens::Credentials { username, password } = &input.body;
    let proof = Proof { username, password, device: cookie::device(&context, &input.headers) };
    let mut issued = sign_in::sign_in(&context.app, &proof, &input.origin).await?;
    let device = issued.device.take();
    let reply = tokens(issued, String::new())?;
    Ok(match device {
        Some(device) => reply.header(HeaderName::from_static(DEVICE_HEADER), &device),
        None => reply,
    })
}

async fn trade(context: Context, input: Input<tokens::Refresh>) -> Result<Reply<tokens::Refresh>> {
    let issued = refresh::refresh(&context.app, input.refresh_claims()?, &input.origin).await?;
    tokens(issued, input.body.refresh)
}

async fn verify(context: Context, input: Input<tokens::Verify>) -> Result<Reply<tokens::Verify>> {
    refresh::verify(&context.app, &input.body.token).await?;
    Reply::new(&Empty {})
}

async fn blacklist(context: Context, input: Input<tokens::Blacklist>) -> Result<Reply<tokens::Blacklist>> {
    refresh::blacklist(&context.app, input.refresh_claims()?, &input.origin).await?;
    Reply::new(&Empty {})
}

async fn keys(context: Context, _: Input<tokens::Keys>) -> Result<Reply<tokens::Keys>> {
    let keys = context.app.auth().verifier.public_keys();
    let keys = keys.get("keys").and_then(|keys| keys.as_array()).cloned().unwrap_or_default();
    Reply::new(&KeySet { keys })
}

async fn inspect(context: Context, input: Input<tokens::Inspect>) -> Result<Reply<tokens::Inspect>> {
    Reply::new(&inspection::inspect(&context.app, &input.body.token).await?)
}

async fn list_keys(context: Context, _: Input<ring::List>) -> Result<Reply<ring::List>> {
    Reply::new(&context.app.auth().keys)
}
