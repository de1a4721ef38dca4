//! What Coffer is built of, held to `deny.toml` by `cargo deny`: licences, banned crates, where crates come from, and known
//! vulnerabilities. The last need a list of advisories from the network, so they are a matter of their own: `cargo xtask audit` fails where
//! it cannot be had, `cargo xtask test` says so and goes on.

use std::{process::Command, time::Duration};

use anyhow::{Context, Result};

use crate::{
    step::{self, step},
    tools, workspace,
};

const NOT_CHECKED: &str =
    "advisories were NOT checked: their list cannot be had from here; `cargo xtask audit`, run elsewhere, does";

/// `cargo xtask audit`: everything, or an error.
pub(crate) fn audit() -> Result<()> {
    install()?;
    step("licences, bans and sources", dependencies)?;
    step("list of advisories", fetch).context("the advisories were not checked; run this where the list can be had")?;
    step("advisories", advisories)
}

/// What `cargo xtask test` checks of it: advisories too, where their list can be had.
pub(crate) fn test() -> Result<()> {
    install()?;
    step("licences, bans and sources", dependencies)?;
    if fetch().is_err() {
        println!("xtask: {NOT_CHECKED}");
        return Ok(());
    }
    step("advisories", advisories)
}

fn install() -> Result<()> {
    let _one_at_a_time = workspace::lock()?;
    tools::install_deny()
}

fn dependencies() -> Result<()> {
    // A warning is a line of deny.toml that fits nothing any more, or something it did not foresee.
    step::run(cargo_deny().args(["check", "-D", "warnings", "bans", "licenses", "sources"]))
}

fn advisories() -> Result<()> {
    step::run(cargo_deny().args(["--offline", "check", "-D", "warnings", "advisories"]))
}

fn fetch() -> Result<()> {
    // Some firewalls never answer.
    step::run_within(Duration::from_mins(1), cargo_deny().args(["fetch", "db"]).env("GIT_TERMINAL_PROMPT", "0"))
}

fn cargo_deny() -> Command {
    let mut deny = Command::new(workspace::tools().join("bin/cargo-deny"));
    deny.arg("--locked").current_dir(workspace::root());
    deny
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn l8_every_run_of_the_tests_checks_dependencies_and_says_so_where_it_cannot() {
        let read = |file: &str| fs::read_to_string(workspace::root().join(file)).unwrap();
        assert!(read(".ci/run").contains("\ncargo xtask test\n"));
        assert!(read("xtask/src/test.rs").contains("    audit::test()?;\n"));
        let rules = read("deny.toml");
        for rule in
            ["include-dev = true", "unknown-registry = \"deny\"", "unknown-git = \"deny\"", "wildcards = \"deny\""]
        {
            assert!(rules.contains(rule), "deny.toml lacks {rule}");
        }
        // Each waiver has its reason, and all of them a date.
        let waivers = rules.lines().filter(|line| line.contains("id = \"RUSTSEC-"));
        assert!(waivers.clone().count() > 0 && waivers.clone().all(|line| line.contains("reason = \"")));
        assert!(rules.contains("as of 20"));
        assert!(NOT_CHECKED.contains("NOT checked"));
    }
}
