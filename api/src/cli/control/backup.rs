//! A backup of the running server for who has the machine: after one line that it is coming, the file itself up to the end of the connection. It says by
//! its own end whether it is whole.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

use super::{DONE, ask, connect};
use crate::{
    cli::progress,
    domain::{
        App,
        backup::{Backup, HELD},
    },
};

/// How long a piece may take on its way: who reads has a disk to wait for, and who sends takes turns with other reading.
const PATIENCE: Duration = Duration::from_mins(2);

/// Sends it, or gives the reason why there is none.
pub(super) async fn send(app: &App, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<Option<String>> {
    let core = app.core();
    let begun = async {
        let held = core.memory.charge(HELD)?;
        Ok::<_, crate::domain::Error>((held, core.store.snapshot().await?))
    };
    let (_held, snapshot) = match begun.await {
        Ok(begun) => begun,
        Err(error) => return Ok(Some(error.to_string())),
    };
    tracing::info!("a backup is being taken by a user of this machine");
    timeout(PATIENCE, to.write_all(format!("{DONE}the file follows\n").as_bytes())).await??;
    let mut backup = Backup::new(&snapshot, core.timestamp());
    let turns = core.turns();
    loop {
        let piece = async {
            turns.give_way().await?;
            let piece = backup.next().await;
            turns.give_back();
            piece
        };
        match piece.await {
            Ok(Some(piece)) => timeout(PATIENCE, to.write_all(&piece)).await??,
            Ok(None) => return Ok(None),
            Err(error) => {
                // What was sent has no end, so whoever gets it takes it for what it is.
                tracing::warn!(%error, "a backup broke off");
                return Ok(None);
            }
        }
    }
}

/// Has the server that runs over `data` write a backup into a file; false where none runs.
pub(in crate::cli) fn receive(data: &Path, out: &mut File) -> Result<bool> {
    let Some(stream) = connect(data)? else { return Ok(false) };
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut stream = BufReader::new(stream);
    ask(&mut stream, "backup")?;
    let bar = progress::receiving("Receiving");
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = stream.read(&mut piece).context("the server broke the backup off; try again")?;
        if length == 0 {
            bar.finish_and_clear();
            return Ok(true);
        }
        out.write_all(&piece[..length])?;
        bar.inc(length as u64);
    }
}
