//! `/api/log/`.

use common::{
    change::{Subject, Verb},
    endpoints::log::{self as endpoints, LogLevel, LogLine, LogLines, LogSettings},
};
use logging::{Level, TailLine};
use serde_json::json;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Error, Result, journal};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Set, _, _>(set);
    table.on::<endpoints::Lines, _, _>(lines);
}

async fn get(context: Context, _: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    Reply::new(&LogSettings { level: context.options.log.level() })
}

async fn lines(context: Context, input: Input<endpoints::Lines>) -> Result<Reply<endpoints::Lines>> {
    let log = &context.options.log;
    let least = match input.query.level.unwrap_or(LogLevel::Trace) {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    let (lines, newest) = log.lines_after(input.query.after, least, input.query.limit.unwrap_or(usize::MAX));
    let told = |TailLine { number, at, level, text }: TailLine| LogLine {
        number,
        at,
        level: level.as_str().to_lowercase().parse().unwrap_or(LogLevel::Info),
        text,
    };
    Reply::new(&LogLines { level: log.level(), newest, results: lines.into_iter().map(told).collect() })
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
