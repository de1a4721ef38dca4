//! `/api/backup/`.

use std::io;

use bytes::Bytes;
use common::endpoints::backup;
use futures_util::stream;
use http::header::CONTENT_DISPOSITION;
use logging::in_current_request;
use store::Snapshot;
use tokio::sync::mpsc;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{Result, backup::Backup, deadline::Deadline};

/// Pieces that wait for a client to take them.
const AHEAD: usize = 4;
/// What a backup holds: the pieces, the page that is read, and what packs it.
const HELD: u64 = 2 * 1024 * 1024;

pub(crate) fn register(table: &mut Table) {
    table.on::<backup::Get, _, _>(get);
}

async fn get(context: Context, input: Input<backup::Get>) -> Result<Reply<backup::Get>> {
    tracing::info!(user = %input.session()?.user.id, address = %input.origin.address, "a backup is being taken");
    let (pieces, taken) = mpsc::channel(AHEAD);
    let core = context.app.core();
    let held = core.memory.charge(HELD)?;
    let snapshot = core.store.snapshot().await?;
    let name = format!("coffer-{}.backup", snapshot.version());
    let (created, turns) = (core.timestamp(), core.deadline());
    let making = async move {
        make(snapshot, created, turns, pieces).await;
        drop(held);
    };
    tokio::spawn(in_current_request(making));
    let taken = stream::unfold(taken, async |mut taken| taken.recv().await.map(|piece| (piece, taken)));
    Ok(Reply::stream(Box::pin(taken)).header(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\"")))
}

/// Makes the backup, no faster than it is taken, and no longer than somebody takes it.
async fn make(snapshot: Snapshot, created: String, turns: Deadline, pieces: mpsc::Sender<io::Result<Bytes>>) {
    let mut backup = Backup::new(&snapshot, created);
    loop {
        // However long it has to wait: it takes as long the next time.
        let piece = match turns.give_way().await.and(backup.next().await) {
            Ok(Some(piece)) => Ok(piece),
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the backup cannot be finished");
                Err(io::Error::other("the backup cannot be finished"))
            }
        };
        turns.give_back();
        let failed = piece.is_err();
        if pieces.send(piece).await.is_err() || failed {
            return;
        }
    }
}
