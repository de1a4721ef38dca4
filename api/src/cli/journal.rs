//! `coffer journal`: keeping the journal small.

use std::{io::Write, time::Duration};

use anyhow::Result;
use base::Clock;
use clap::{Args, Subcommand};

use super::{
    open::{DataDir, block_on},
    progress,
    units::parse_duration,
};
use crate::domain::journal;

/// What to do with the journal.
#[derive(Debug, Args)]
pub(super) struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Forget old changes. Histories begin later then, and what was deleted before cannot be put back any more.
    Trim {
        /// Keep what is younger than this, such as 90d.
        #[arg(long, value_parser = parse_duration, value_name = "TIME")]
        older_than: Duration,
        #[command(flatten)]
        data: DataDir,
    },
}

impl Journal {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let Command::Trim { older_than, data } = self.command;
        block_on(async {
            let store = data.existing_store().await?;
            let bar = progress::counting("Forgetting, entries");
            let until = Clock::system().now() - older_than;
            let trimmed = journal::trim(&store, until, &mut |count| bar.inc(count as u64)).await;
            bar.finish_and_clear();
            store.close().await;
            let entries = trimmed?;
            let until = common::validate::format_moment(until);
            writeln!(std::io::stdout(), "Forgot {} from before {until}.", common::text::count(entries, "change"))?;
            Ok(())
        })
    }
}
