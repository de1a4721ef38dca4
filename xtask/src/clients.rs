//! Clients of others, pinned in `xtask/clients` and run by node: installed here, and run for long by `cargo xtask clients`. The tests
//! (`api/tests/it/clients.rs`) run the same for a moment.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    apt,
    step::{self, step},
    workspace::{self, which},
};

/// What is run, beside the packages.
const SOURCES: &str = "xtask/clients";
/// How many expiries each flow lives through.
const EXPIRIES: &str = "10";

/// Installs the packages where they are not there yet: the folder from which node runs them.
pub(crate) fn install() -> Result<PathBuf> {
    let missing: Vec<&str> = [("nodejs", "node"), ("npm", "npm")]
        .into_iter()
        .filter(|(_, name)| which(name).is_none())
        .map(|(package, _)| package)
        .collect();
    if !missing.is_empty() {
        step(&format!("{}, by apt-get", missing.join(", ")), || {
            apt::install(&missing, "the tests with other clients")
        })?;
    }
    let (from, to) = (workspace::root().join(SOURCES), workspace::tools().join("clients"));
    let lock = |folder: &PathBuf| fs::read(folder.join("package-lock.json")).ok();
    let is_installed = lock(&from) == lock(&to) && to.join("node_modules").is_dir();
    fs::create_dir_all(to.join("flows"))?;
    for folder in ["", "flows"] {
        for entry in fs::read_dir(from.join(folder))? {
            let entry = entry?;
            // The lock file comes last, with the packages that it names.
            if entry.file_type()?.is_file() && entry.file_name() != "package-lock.json" {
                fs::copy(entry.path(), to.join(folder).join(entry.file_name()))?;
            }
        }
    }
    if !is_installed {
        step("clients of others, by npm", || {
            fs::copy(from.join("package-lock.json"), to.join("package-lock.json"))?;
            let installed = step::run_within(
                Duration::from_mins(3),
                Command::new("npm")
                    .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
                    .current_dir(&to)
                    .stdin(Stdio::null()),
            );
            if installed.is_err() {
                let _ = fs::remove_file(to.join("package-lock.json"));
            }
            installed
        })?;
    }
    Ok(to)
}

/// Runs every flow through ten expiries, in each mode of rotation.
pub(crate) fn clients() -> Result<()> {
    let folder = {
        let _one_at_a_time = workspace::lock()?;
        install()?
    };
    step(&format!("flows of refreshing, through {EXPIRIES} expiries"), || {
        step::run(
            workspace::cargo(&[
                "test",
                "--workspace",
                "--features",
                "e2e",
                "--test",
                "it",
                "clients::",
                "--",
                "--nocapture",
            ])
            .env("E2E_CLIENTS", folder)
            .env("E2E_EXPIRIES", EXPIRIES),
        )
    })
    .context("a client was signed out")
}
