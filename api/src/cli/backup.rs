//! `coffer backup`: of the store itself while no server runs, of this machine's server by way of its data directory, or of any server as one of its
//! admins. The file appears under its name when it is whole and verified, not before.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use base::Clock;
use clap::Args;
use common::{Call, endpoints::backup};
use http::header;
use store::OpenError;

use super::{
    control,
    open::{DataDir, block_on},
    progress,
    server::{FromServer, Named, Session},
};
use crate::domain::backup::{Backup as Made, Manifest, verify};

/// Writes a backup of the data directory, also while its server runs, or of another server: everything but sessions and signing keys. It has password hashes in it; keep it as safe as the data.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write. One that is there is replaced when the new one is whole.
    file: PathBuf,
    #[command(flatten)]
    server: FromServer,
    #[command(flatten)]
    data: DataDir,
}

impl Backup {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let server = self.server.named()?;
        write(&self.file, |out| match server {
            Some(server) => block_on(from_server(server, out)),
            None => block_on(from_store(&self.data, out)),
        })
    }
}

/// Writes a backup file by `pack`, verifies it, and says what is in it.
pub(super) fn write(file: &Path, pack: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let part = with_suffix(file, ".part");
    let mut out = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
    let packed = pack(&mut out);
    let kept = packed.and_then(|()| keep(&out, &part, file));
    if kept.is_err() {
        let _ = fs::remove_file(&part);
    }
    let manifest = kept?;
    writeln!(
        std::io::stdout(),
        "{}: {}, everything up to revision {}. It has password hashes in it; keep it safe.",
        file.display(),
        common::text::count(manifest.records(), "record"),
        manifest.version
    )?;
    Ok(())
}

pub(super) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(super) async fn from_store(data: &DataDir, out: &mut File) -> Result<()> {
    let store = match data.existing_store().await {
        Err(error) if matches!(error.downcast_ref(), Some(OpenError::InUse { .. })) => {
            return match control::receive_backup(&data.data, out) {
                Ok(true) => Ok(()),
                Ok(false) => Err(error),
                Err(refused) => {
                    Err(refused.context("a server runs; an admin can have the backup with --server URL --user NAME"))
                }
            };
        }
        store => store?,
    };
    let created = common::validate::format_moment(Clock::system().now());
    let snapshot = store.snapshot().await?;
    let mut backup = Made::new(&snapshot, created);
    let bar = progress::receiving("Packing");
    while let Some(piece) = backup.next().await? {
        out.write_all(&piece)?;
        bar.inc(piece.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

async fn from_server(server: Named<'_>, out: &mut File) -> Result<()> {
    let session = server.sign_in().await?;
    let taken = take(&session, out).await;
    session.sign_out().await;
    taken
}

async fn take(session: &Session, out: &mut File) -> Result<()> {
    let mut response = session.send(&Call::<backup::Get>::new((), ())).await?;
    if response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/octet-stream") {
        bail!("the server answered with something else than a backup; is it a Coffer of this version?");
    }
    let bar = progress::receiving("Receiving");
    while let Some(piece) = response.next().await.context("the server broke the backup off; try again")? {
        out.write_all(&piece)?;
        bar.inc(piece.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Verifies the file and gives it its name, durably.
fn keep(out: &File, part: &Path, file: &Path) -> Result<Manifest> {
    out.sync_all()?;
    let bar = progress::up_to(out.metadata()?.len(), "Verifying");
    let manifest = verify(part, &mut |bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    fs::rename(part, file).with_context(|| format!("cannot write {}", file.display()))?;
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()?;
    Ok(manifest)
}
