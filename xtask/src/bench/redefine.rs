//! `cargo xtask bench redefine`: a collection of a million records gets another type for an indexed field, while four clients read and write its records. Prints
//! how long that took, how much memory, and how long the clients waited before and meanwhile. The tests run a short form of the same.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::{step::step, torture, workspace};

const TEST: &str = "redefine::load::a_collection_is_redefined_while_others_work_in_it";

/// Runs it, over as many records as the arguments say, against a release or the program that they name.
pub(super) fn redefine(args: &[String]) -> Result<()> {
    let (mut records, mut program) = ("1000000".to_owned(), None);
    for pair in args.chunks(2) {
        match pair {
            [flag, count] if flag == "--records" => records.clone_from(count),
            [flag, path] if flag == "--program" => program = Some(path.clone()),
            _ => bail!("cargo xtask bench redefine [--records N] [--program PATH]"),
        }
    }
    let program = match program {
        Some(program) => program.into(),
        None => step("build a release", || {
            let built = workspace::cargo(&["build", "--release", "-p", "coffer", "--bin", "coffer"]).status()?;
            if built.success() { Ok(workspace::release("coffer")) } else { bail!("the release does not build") }
        })?,
    };
    let tests = step("build the tests", || torture::build("coffer"))?;
    let mut command = Command::new(tests);
    command.args(["--exact", TEST, "--nocapture"]).current_dir(workspace::root().join("api"));
    command.env("REDEFINE_RECORDS", records).env("REDEFINE_BIN", program);
    let status = command.stdout(Stdio::inherit()).stderr(Stdio::inherit()).status()?;
    if status.success() { Ok(()) } else { bail!("it was not redefined as it should be") }
}
