//! `coffer restore`: a new store, made of a backup. The file is verified before anything is written, and the new store is
//! checked before it gets its name; live data is never touched.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use auth::password::Peppers;
use clap::Args;
use store::{Options, Owner, Store};

use super::{
    check,
    database_options::DatabaseOptions,
    open::{INITIALIZED, block_on, use_dir},
    progress,
};
use crate::domain::{
    backup::{self, Manifest},
    users,
};

/// Makes a store of a backup, in an empty data directory. Everyone has to sign in again afterwards: sessions and signing
/// keys are not in a backup.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup.
    file: PathBuf,
    /// The directory for the data, which must be empty. It is made if it is not there.
    #[arg(long, env = "COFFER_DATA", default_value = "./data", value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    database: DatabaseOptions,
}

/// The new store until it is whole. What an interrupted restore leaves is removed by the next.
const UNFINISHED: &str = "store.restoring";

/// What may be in a directory that a backup is restored into: nothing but what an interrupted restore left there.
fn refuse_occupied(data: &Path) -> Result<()> {
    if !data.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(data).with_context(|| format!("cannot read {}", data.display()))? {
        let name = entry?.file_name();
        // A file system that was just made has this.
        if ![UNFINISHED, INITIALIZED, "lost+found"].iter().any(|known| name == *known) {
            bail!(
                "{} is not empty: it has {}; restore into a new directory with --data DIR, or move what is there away",
                data.display(),
                name.to_string_lossy()
            );
        }
    }
    Ok(())
}

impl Restore {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Self { file, data, database } = self;
        let into_data = !database.is_named();
        if into_data {
            refuse_occupied(&data)?;
        }
        let length = fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
        let bar = progress::up_to(length, "Verifying");
        let verified = backup::verify(&file, &mut |bytes| bar.inc(bytes));
        bar.finish_and_clear();
        let manifest = verified.with_context(|| format!("{} was not restored", file.display()))?;
        #[cfg(feature = "postgres")]
        if let Some(options) = database.options()? {
            return block_on(into_database(&file, &manifest, store::PostgresOptions { create: true, ..options }));
        }

        use_dir(&data)?;
        let owner = Owner::of(&data);
        // From now on a server does not take the directory for one that never had a store, whatever becomes of this.
        store::note_initialized(&data.join(INITIALIZED)).context("the data directory cannot be written to")?;
        let unfinished = data.join(UNFINISHED);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        let bar = progress::up_to(manifest.entries(), "Restoring");
        backup::restore(&file, &manifest, &Options::sled(&unfinished), &mut |entries| bar.inc(entries))?;
        bar.finish_and_clear();
        // What does not fit together did not in the store that was backed up. It comes back all the same, and is told.
        let (checked, peppered) = block_on(async {
            let store = Store::open(Options::sled(&unfinished))?;
            let checked = check::check(&store, true).await;
            let found = users::peppers::count_uses(&store, &Peppers::default()).await;
            store.close().await;
            Ok((checked, found.is_ok_and(|found| found.missing > 0)))
        })?;
        fs::rename(&unfinished, data.join("store"))?;
        for made in ["store", INITIALIZED] {
            owner.keep(&data.join(made))?;
        }
        File::open(&data)?.sync_all()?;
        tell(&manifest, &data.display(), peppered)?;
        checked
    }
}

/// Fills the store in a database, all of it or nothing, and checks it.
#[cfg(feature = "postgres")]
async fn into_database(file: &Path, manifest: &Manifest, options: store::PostgresOptions) -> Result<()> {
    let bar = progress::up_to(manifest.entries(), "Restoring");
    backup::restore_into_database(file, manifest, &options, &mut |entries| bar.inc(entries)).await?;
    bar.finish_and_clear();
    let place = options.url.place();
    let store = Store::connect(options).await?;
    let checked = check::check(&store, true).await;
    let found = users::peppers::count_uses(&store, &Peppers::default()).await;
    store.close().await;
    tell(manifest, &place, found.is_ok_and(|found| found.missing > 0))?;
    checked
}

/// Says what was restored.
fn tell(manifest: &Manifest, into: &dyn std::fmt::Display, peppered: bool) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(
        out,
        "Restored {} into {into}, as of {}. Everyone has to sign in again.",
        common::text::count(manifest.records(), "record"),
        manifest.created
    )?;
    if peppered {
        writeln!(
            out,
            "Its passwords are hashed with a pepper, which is not in a backup: start the server with --pepper-file."
        )?;
    }
    Ok(())
}
