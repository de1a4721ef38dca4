//! `cargo xtask bounds`: the kinds of requests that may not take memory or time from others, against a release server with `--memory 256MB` over 100,000 records. Prints how much it
//! took at most, and how long a healthy client waited beside each. The tests run a short form of the same.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{step::step, torture, workspace};

const TEST: &str = "bounds::peaks::m1_no_kind_of_request_takes_more_than_twice_the_budget";

/// Runs them, over as many records as the arguments say: `--records 20000`. `--bin FILE` watches a release that was built before, `--only WORDS` runs the
/// kinds whose names have them.
pub(crate) fn bounds(args: &[String]) -> Result<()> {
    let (mut records, mut program, mut only) = ("100000", None, "");
    for pair in args.chunks(2) {
        match pair {
            [flag, count] if flag == "--records" => records = count,
            [flag, file] if flag == "--bin" => program = Some(fs::canonicalize(file).with_context(|| file.clone())?),
            [flag, words] if flag == "--only" => only = words,
            _ => bail!("cargo xtask bounds [--records 100000] [--bin FILE] [--only WORDS]"),
        }
    }
    let program = if let Some(program) = program {
        program
    } else {
        step("build a release", || {
            let built = workspace::cargo(&["build", "--release", "-p", "coffer", "--bin", "coffer"]).status()?;
            if built.success() { Ok(()) } else { bail!("the release does not build") }
        })?;
        workspace::release("coffer")
    };
    let tests = step("build the tests", || torture::build("coffer"))?;
    let mut command = Command::new(tests);
    command.args(["--exact", TEST, "--nocapture"]).current_dir(workspace::root().join("api"));
    command.env("BOUNDS_RECORDS", records).env("BOUNDS_BIN", program).env("BOUNDS_ONLY", only);
    let status = command.stdout(Stdio::inherit()).stderr(Stdio::inherit()).status()?;
    if status.success() { Ok(()) } else { bail!("something took more than it may") }
}
