//! `/api/`, `/api/setup/`, `/healthz` and `/readyz`.

use common::endpoints::{
    health::{self, Health},
    root::{self, Root},
    setup,
};

use super::{Context, Input, Reply, Table};
use crate::domain::{Error, Result, setup as first};

pub fn register(table: &mut Table) {
    table.on::<root::Get, _, _>(get);
    table.on::<setup::Create, _, _>(set_up);
    table.on::<health::Healthy, _, _>(|_, _| async { ok() });
    table.on::<health::Ready, _, _>(ready);
}

fn ok() -> Result<Reply> {
    Reply::json(&Health { status: "ok".to_owned() })
}

async fn ready(context: Context, _: Input<health::Ready>) -> Result<Reply> {
    if context.app.is_draining() {
        return Err(Error::Stopped);
    }
    context.app.core().store.takes_writes()?;
    first::required(&context.app.core().store).await?;
    ok()
}

async fn get(context: Context, input: Input<root::Get>) -> Result<Reply> {
    let base = input.base_url();
    let roots = ["token", "users", "sessions", "collections"];
    Reply::json(&Root {
        name: "Coffer".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        setup_required: first::required(&context.app.core().store).await?,
        min_password_length: context.app.auth().policy.min_length() as u64,
        links: roots.map(|root| (root.to_owned(), format!("{base}/api/{root}/"))).into_iter().collect(),
    })
}

async fn set_up(context: Context, input: Input<setup::Create>) -> Result<Reply> {
    Reply::json(&first::create(&context.app, input.body, input.origin.address).await?)
}
