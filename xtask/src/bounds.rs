//! `cargo xtask bounds`: the kinds of requests that may not take memory or time from others, against a release server with `--memory 256MB` over 100,000 records. Prints how much it
//! took at most, and how long a healthy client waited beside each. The tests run a short form of the same.

use std::process::Stdio;

use anyhow::{Result, bail};

use crate::{step::step, torture, workspace};

const TEST: &str = "bounds::peaks::m1_no_kind_of_request_takes_more_than_twice_the_budget";

/// Runs them, over as many records as the arguments say.
pub(crate) fn bounds(args: &[String]) -> Result<()> {
    let records = match args {
        [] => "100000",
        [flag, records] if flag == "--records" => records,
        _ => bail!("say over how many records: cargo xtask bounds --records 100000"),
    };
    step("build a release", || {
        let built = workspace::cargo(&["build", "--release", "-p", "coffer", "--bin", "coffer"]).status()?;
        if built.success() { Ok(()) } else { bail!("the release does not build") }
    })?;
    let tests = step("build the tests", || torture::build("coffer"))?;
    let mut command = std::process::Command::new(tests);
    command.args(["--exact", TEST, "--nocapture"]).current_dir(workspace::root().join("api"));
    command.env("BOUNDS_RECORDS", records).env("BOUNDS_BIN", workspace::target().join("release/coffer"));
    let status = command.stdout(Stdio::inherit()).stderr(Stdio::inherit()).status()?;
    if status.success() { Ok(()) } else { bail!("something took more than it may") }
}
