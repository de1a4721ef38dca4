//! `coffer compact`: disk space that holds nothing any more goes back to the system.

use std::{io::Write, time::Duration};

use anyhow::{Context, Result, bail};
use bytesize::ByteSize;
use clap::Args;
use common::{Call, endpoints::storage};
use store::OpenError;
use tokio::time::sleep;

use super::{
    open::{DataDir, block_on},
    progress,
    server::{FromServer, Named, Session},
};
use crate::domain::compaction::done;

/// How often it is asked whether the server has done it.
const LOOK: Duration = Duration::from_millis(500);

/// Gives disk space that the store does not need any more back to the system: after deleting, or after `coffer journal trim`. The store
/// is written anew beside the old one if there is room. A running server does it with --server while requests go on; they wait for a
/// moment at its end, about a second per million entries.
#[derive(Debug, Args)]
pub(super) struct Compact {
    #[command(flatten)]
    server: FromServer,
    #[command(flatten)]
    data: DataDir,
}

impl Compact {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let compaction = match self.server.named()? {
            Some(server) => block_on(on_server(server))?,
            None => block_on(on_store(&self.data))?,
        };
        let storage::Compaction { before, after, free_inside, waited_ms, rewritten, has_erased, .. } = compaction;
        let mut out = std::io::stdout();
        let size = |bytes| ByteSize(bytes).display().si();
        write!(out, "The store took {} on the disk and takes {} now", size(before), size(after))?;
        if free_inside > 0 {
            write!(out, "; {} in it are free and will be written to next", size(free_inside))?;
        }
        writeln!(out, ".")?;
        if !rewritten {
            writeln!(
                out,
                "It was not written anew: that would make it little smaller, or the disk has no room for a second one."
            )?;
        }
        if has_erased {
            writeln!(
                out,
                "What was erased may still stand in its files. Make room on the disk for a second store beside it if there is none, and compact again."
            )?;
        }
        if self.server.is_named() {
            writeln!(out, "Requests waited for at most {waited_ms} ms.")?;
        }
        Ok(())
    }
}

/// Opening the store gives everything back already; what that was shows in what the files took before.
async fn on_store(data: &DataDir) -> Result<storage::Compaction> {
    let before = data.disk_bytes();
    let store = data.existing_store().await.map_err(|error| match error.downcast_ref() {
        Some(OpenError::InUse { .. }) => {
            error.context("a server runs; have it do this with --server http://127.0.0.1:8000 --user NAME")
        }
        _ => error,
    })?;
    // What opening wrote may have freed more.
    let compacted = store.compact().await.context("no space was given back")?;
    store.close().await;
    let compaction = done(&compacted);
    Ok(storage::Compaction { before: before.max(compaction.before), ..compaction })
}

async fn on_server(server: Named<'_>) -> Result<storage::Compaction> {
    let session = server.sign_in().await?;
    let compaction = wait(&session).await;
    session.sign_out().await;
    compaction
}

/// Begins it, and waits for its end however long that takes.
async fn wait(session: &Session) -> Result<storage::Compaction> {
    let mut compaction = session.call(&Call::<storage::Compact>::new((), ())).await?;
    let bar = progress::counting("Compacting");
    while !compaction.state.is_over() {
        sleep(LOOK).await;
        compaction = session.call(&Call::<storage::Get>::new((), ())).await?;
    }
    bar.finish_and_clear();
    match compaction.error {
        Some(why) => bail!("{why}"),
        None => Ok(compaction),
    }
}
