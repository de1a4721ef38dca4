//! `coffer salvage`: a backup of what can still be read of a damaged store, and what is missing.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use store::{Key, Salvaged, Store};

use super::{
    backup,
    database_options::DatabaseOptions,
    open::{DataDir, block_on},
};
use crate::domain::{
    check::{Report, check as examine},
    keyspace,
};

/// Reads everything that can still be read of a damaged store, entry by entry, into a backup file for `coffer restore`, and lists what is
/// missing. The store is not changed. It takes room for two copies beside the file.
#[derive(Debug, Args)]
pub(super) struct Salvage {
    /// The backup file to write. One that is there is replaced when the new one is whole.
    file: PathBuf,
    #[command(flatten)]
    data: DataDir,
}

impl Salvage {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        self.data.refuse_database(
            "PostgreSQL has means of its own for a damaged database, such as its backups and pg_amcheck",
        )?;
        let work = backup::with_suffix(&self.file, ".salvage");
        if work.exists() {
            fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))?;
        }
        super::open::make_private(&work).with_context(|| format!("cannot write {}", work.display()))?;
        let made = self.salvage(&work);
        fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))?;
        made
    }

    fn salvage(&self, work: &Path) -> Result<()> {
        let salvaged = Store::salvage(&self.data.data.join("store"), &work.join("store"))?;
        let data = DataDir { data: work.to_owned(), accept_data_loss: false, database: DatabaseOptions::default() };
        backup::write(&self.file, |out| block_on(backup::from_store(&data, out)))?;
        let report = block_on(async {
            let store = data.existing_store().await?;
            let report = examine(&store, &mut |_| {}).await;
            store.close().await;
            Ok(report?)
        })?;
        tell(salvaged, &report)
    }
}

/// Says what is missing.
fn tell(salvaged: Salvaged, report: &Report) -> Result<()> {
    let mut out = std::io::stdout();
    let Salvaged { entries, lost, gaps, has_gaps, short } = salvaged;
    writeln!(out, "Entries that could be read: {entries}.")?;
    if let Some((confirmed, found)) = short {
        writeln!(
            out,
            "missing: changes up to revision {confirmed} were confirmed, and the end of what could be read is revision {found}"
        )?;
    }
    if has_gaps {
        writeln!(
            out,
            "missing: parts of the log could not be read. What they said is not there, or stands as it was before"
        )?;
    }
    for key in &lost {
        writeln!(out, "missing: {}", keyspace::shown(key))?;
    }
    for (before, behind) in &gaps {
        let name_or = |key: &Option<Key>, end: &str| key.as_ref().map_or(end.to_owned(), keyspace::shown);
        let (before, behind) = (name_or(before, "the beginning"), name_or(behind, "the end"));
        writeln!(out, "missing: what stood between {before} and {behind}")?;
    }
    for finding in &report.findings {
        writeln!(out, "does not fit: {finding}")?;
    }
    let untold = report.total() - report.findings.len() as u64;
    if untold > 0 {
        writeln!(out, "… and {untold} more")?;
    }
    match (lost.is_empty() && gaps.is_empty() && !has_gaps && short.is_none(), report.is_sound()) {
        (true, true) => writeln!(out, "Nothing is missing, as far as can be told.")?,
        (_, true) => writeln!(out, "What is left fits together.")?,
        _ => writeln!(out, "`coffer restore` builds indexes and counts anew; the rest of the above stays missing.")?,
    }
    Ok(())
}
