//! `/api/log/`.

use common::{
    change::{Subject, Verb},
    endpoints::log::{self as endpoints, LogSettings},
};
use serde_json::json;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Error, Result, journal};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Set, _, _>(set);
}

async fn get(context: Context, _: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    Reply::new(&LogSettings { level: context.options.log.level() })
}

async fn set(context: Context, input: Input<endpoints::Set>) -> Result<Reply<endpoints::Set>> {
    let (log, level) = (&context.options.log, input.body.level.as_str());
    let change = input.session()?.actor().entry(context.app.core(), Subject::Server, &"log", Verb::Update);
    let before = log.level();
    // First, so that nobody makes the log silent without a trace.
    journal::note(context.app.core(), &change.values(json!({"level": before}), json!({"level": level}))).await?;
    log.set_level(level).map_err(|error| Error::caused("the level of the log could not be set", error))?;
    tracing::warn!(user = %input.session()?.user.id, before, after = level, "the log's level was changed");
    Reply::new(&LogSettings { level: level.to_owned() })
}
