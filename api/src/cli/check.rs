//! `coffer check`: exit code 0 when everything fits together, 4 when not.

use std::io::Write;

use anyhow::{Result, anyhow};
use clap::Args;
use store::Store;
use thiserror::Error;

use super::{
    open::{DataDir, block_on},
    progress,
};
use crate::domain::check::{self, CheckError, Report};

/// Verifies a store: every index entry against its record and back, unique values, counts, references, users, sessions, the
/// journal.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Build anew what is derived from records and users and is wrong: indexes, unique entries, counts. Records, users and
    /// the journal are never touched.
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    data: DataDir,
}

/// The store does not fit together (exit code 4). The findings have been told.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Damaged(String);

impl Check {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        block_on(async {
            let store = self.data.existing_store().await?;
            let outcome = check(&store, self.repair).await;
            store.close().await;
            outcome
        })
    }
}

/// Checks a store and says what it found; with `repair`, builds anew what can be.
pub(super) async fn check(store: &Store, repair: bool) -> Result<()> {
    let report = examined(store).await?;
    if report.is_sound() {
        return sound(&report);
    }
    if !repair || !report.may_be_repaired() {
        return Err(told(&report));
    }
    let bar = progress::counting("Repairing, entries read");
    check::repair(store, &mut |count| bar.inc(count as u64)).await.map_err(failed)?;
    bar.finish_and_clear();
    let after = examined(store).await?;
    writeln!(std::io::stdout(), "Repaired: {}.", common::text::count(report.repairable, "finding"))?;
    if after.is_sound() { sound(&after) } else { Err(told(&after)) }
}

async fn examined(store: &Store) -> Result<Report> {
    let bar = progress::counting("Checking, entries read");
    let report = check::check(store, &mut |count| bar.inc(count as u64)).await.map_err(failed);
    bar.finish_and_clear();
    report
}

fn sound(report: &Report) -> Result<()> {
    let records = common::text::count(report.records, "record");
    Ok(writeln!(std::io::stdout(), "Everything fits together: {records}, {} entries read.", report.entries)?)
}

/// Tells the findings, a line each.
fn told(report: &Report) -> anyhow::Error {
    let mut out = std::io::stdout().lock();
    for finding in &report.findings {
        let _ = writeln!(out, "{finding}");
    }
    let untold = report.total() - report.findings.len() as u64;
    if untold > 0 {
        let _ = writeln!(out, "… and {untold} more");
    }
    let advice = if report.unreadable {
        "restore a backup into an empty directory with `coffer restore`, or have `coffer salvage` write what can still be read into one"
    } else if report.repairable > 0 {
        "run `coffer check --repair`, which builds indexes and counts anew"
    } else {
        "correct these records in the app, or restore a backup into an empty directory with `coffer restore`"
    };
    let findings = common::text::count(report.total(), "finding");
    anyhow!(Damaged(format!("the store does not fit together: {findings}; {advice}")))
}

fn failed(error: CheckError) -> anyhow::Error {
    match error {
        CheckError::Read(error) => anyhow!(Damaged(format!(
            "{error}; the store is damaged; restore a backup into an empty directory with `coffer restore`, or have `coffer salvage` write \
             what can still be read into a backup"
        ))),
        error @ CheckError::Commit(_) => error.into(),
    }
}
