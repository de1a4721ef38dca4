//! `coffer demo`.

use std::io::Write;

use anyhow::Result;
use base::MemoryBudget;
use clap::Args;

use super::open::{AuthSettings, DataDir, Opened, PepperFiles, block_on};
use crate::domain::{demo, quota::Quota};

/// Fills an empty store.
#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    peppers: PepperFiles,
    #[command(flatten)]
    data: DataDir,
}

impl Demo {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        block_on(async {
            let settings = AuthSettings { peppers: self.peppers, ..AuthSettings::default() };
            let Opened { app, .. } = self.data.open(settings, Quota::default(), &MemoryBudget::unlimited()).await?;
            let password = demo::fill(&app).await?;
            app.core().store.close().await;
            writeln!(std::io::stdout(), "The demo admin is \"{}\", password: {password}", demo::ADMIN)?;
            Ok(())
        })
    }
}
