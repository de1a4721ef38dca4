//! `coffer completions` and `coffer man`: made of the commands themselves, so that they name no option that there is not.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, Command};
use clap_complete::Shell;

/// Writes what a shell completes `coffer` with to the standard output. For bash, as an example:
/// coffer completions bash > ~/.local/share/bash-completion/completions/coffer
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    /// Does it.
    pub(super) fn run(self, mut coffer: Command) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut coffer, "coffer", &mut script);
        std::io::stdout().write_all(&script)?;
        Ok(())
    }
}

/// Writes a manual page of each command.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder for the pages. It is made if it is not there.
    dir: PathBuf,
}

impl Man {
    /// Does it.
    pub(super) fn run(self, coffer: Command) -> Result<()> {
        let what = || format!("cannot write manual pages into {}", self.dir.display());
        fs::create_dir_all(&self.dir).with_context(what)?;
        clap_mangen::generate_to(coffer, &self.dir).with_context(what)
    }
}
