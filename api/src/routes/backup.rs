//! `/api/backup/`.

use common::endpoints::backup;
use http::header::CONTENT_DISPOSITION;
use store::Snapshot;

use super::{context::Context, input::Input, reply::Reply, streaming, table::Table};
use crate::domain::{
    Result,
    backup::{Backup, HELD},
    deadline::Deadline,
    sink::Sink,
};

pub(crate) fn register(table: &mut Table) {
    table.on::<backup::Get, _, _>(get);
}

async fn get(context: Context, input: Input<backup::Get>) -> Result<Reply<backup::Get>> {
    tracing::info!(user = %input.session()?.user.id, address = %input.origin.address, "a backup is being taken");
    let core = context.app.core();
    let held = core.memory.charge(HELD)?;
    let snapshot = core.store.snapshot().await?;
    let name = format!("coffer-{}.backup", snapshot.version());
    let (created, turns) = (core.timestamp(), core.turns());
    let make = |sink: Sink| async move { make(snapshot, created, turns, sink).await };
    let pieces = streaming::begin(&context, input.origin.address, held, make).await?;
    Ok(Reply::stream(pieces).header(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\"")))
}

/// Makes the backup, no faster than it is taken, and no longer than somebody takes it.
async fn make(snapshot: Snapshot, created: String, turns: Deadline, sink: Sink) -> Result<()> {
    let mut backup = Backup::new(&snapshot, created);
    loop {
        // However long it has to wait: it takes as long the next time.
        turns.give_way().await?;
        let Some(piece) = backup.next().await? else { return Ok(()) };
        turns.give_back();
        if sink.send(Ok(piece)).await.is_err() {
            return Ok(());
        }
    }
}
