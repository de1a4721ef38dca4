//! `/api/`, `/api/setup/`, `/healthz` and `/readyz`.

use common::{
    Endpoint,
    endpoints::{
        collections,
        health::{self, Health},
        root::{self, Root},
        sessions, setup, tokens, users,
    },
    people::SessionsQuery,
    query::ListQuery,
};

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Error, Result, setup as first};

pub(crate) fn register(table: &mut Table) {
    table.on::<root::Get, _, _>(get);
    table.on::<setup::Create, _, _>(set_up);
    table.on::<health::Healthy, _, _>(|_, _| async { ok() });
    table.on::<health::Ready, _, _>(ready);
}

fn ok<E: Endpoint<Response = Health>>() -> Result<Reply<E>> {
    Reply::new(&Health { status: "ok".to_owned() })
}

async fn ready(context: Context, _: Input<health::Ready>) -> Result<Reply<health::Ready>> {
    if context.app.is_draining() {
        return Err(Error::Stopped);
    }
    context.app.core().store.takes_writes()?;
    first::required(&context.app.core().store).await?;
    ok()
}

async fn get(context: Context, input: Input<root::Get>) -> Result<Reply<root::Get>> {
    let links = [
        ("token", input.link::<tokens::Obtain>(&(), &())),
        ("users", input.link::<users::List>(&(), &ListQuery::default())),
        ("sessions", input.link::<sessions::List>(&(), &SessionsQuery::default())),
        ("collections", input.link::<collections::List>(&(), &())),
    ];
    Reply::new(&Root {
        name: "Coffer".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        setup_required: first::required(&context.app.core().store).await?,
        min_password_length: context.app.auth().policy.min_length() as u64,
        links: links.map(|(name, link)| (name.to_owned(), link)).into(),
    })
}

async fn set_up(context: Context, input: Input<setup::Create>) -> Result<Reply<setup::Create>> {
    Reply::new(&first::create(&context.app, input.body, input.origin.address).await?)
}
