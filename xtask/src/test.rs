//! `cargo xtask test`: everything CI runs, stopping at the first failure.
//!
//! # Contract with the end-to-end tests
//!
//! A test that drives a browser, a terminal or HTTPie is an integration-test target with
//! `required-features = ["e2e"]`, so that a plain `cargo test --workspace` needs nothing installed. Here the feature is on,
//! and these variables are set, each an absolute path; a test that misses one fails, it never skips. (They do not begin with
//! `COFFER_`: the server warns about variables of that kind which it does not know.)
//!
//! - `E2E_CHROMIUM`, `E2E_CHROMEDRIVER`: the browser and its driver
//! - `E2E_HTTP`: HTTPie's `http`
//! - `E2E_DIST`: the built web app, for `coffer serve --web-dir`
//! - `E2E_BIN`, `E2E_TUI_BIN`: `coffer` and `coffer-tui`, built beforehand (dev profile)
//! - `E2E_WORDNET`: the folder with WordNet's `data.noun` and the like
//!
//! One cargo profile serves all tests: nothing is built both for dev and for release.

use std::io::{self, BufRead, BufReader};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::step::{self, step};
use crate::{audit, e2e, spa, weight, workspace};

const TESTS: [&str; 5] = ["test", "--workspace", "--locked", "--features", "e2e"];

/// Runs every step; the last line printed is the sum of all test results.
pub fn test() -> Result<()> {
    let started = Instant::now();
    for (component, tool) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if step::answer(&mut workspace::cargo(&[tool, "--version"])).is_none() {
            step(component, || step::run(Command::new("rustup").args(["component", "add", component])))?;
        }
    }
    step("format", || step::run(&mut workspace::cargo(&["fmt", "--all", "--check"])))?;
    audit::test()?;
    spa::build()?;
    weight::weigh()?;
    step("lint", || {
        let lint = ["clippy", "--workspace", "--all-targets", "--locked", "--features", "e2e", "--", "-D", "warnings"];
        step::run(&mut workspace::cargo(&lint))
    })?;
    let tools = {
        let _one_at_a_time = workspace::lock()?;
        e2e::tools()?
    };
    step("build tests and binaries", || step::run(workspace::cargo(&TESTS).arg("--no-run")))?;
    let binaries = [("E2E_BIN", "coffer"), ("E2E_TUI_BIN", "coffer-tui")].map(|(variable, name)| {
        let path = workspace::target().join("debug").join(name);
        (variable, path)
    });
    if let Some((_, missing)) = binaries.iter().find(|(_, path)| !path.is_file()) {
        bail!("the build left no {}", missing.display());
    }

    let mut cargo = workspace::cargo(&TESTS);
    cargo.env("E2E_DIST", workspace::dist()).envs(tools).envs(binaries);
    let total = step("tests: unit, integration, browser, terminal, HTTPie walk-through", || run_tests(cargo))?;
    println!("xtask: all steps passed in {:.0} s", started.elapsed().as_secs_f32());
    println!(
        "test result: ok. {} passed; 0 failed; {} ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        total.passed, total.ignored, total.seconds
    );
    Ok(())
}

#[derive(Default)]
struct Total {
    passed: u32,
    ignored: u32,
    seconds: f32,
}

/// Shows cargo's output as it comes and adds up what the test runners report.
fn run_tests(mut cargo: Command) -> Result<Total> {
    let (output, input) = io::pipe()?;
    let mut child = cargo.stdout(input.try_clone()?).stderr(input).spawn().context("cannot start cargo")?;
    drop(cargo); // and with it our ends of the pipe, or reading would never end
    let mut total = Total::default();
    let mut current = String::new();
    let mut since = Instant::now();
    let started = Instant::now();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["Running", name @ .., _] | ["Doc-tests", name @ ..] => {
                current = name.join(" ");
                since = Instant::now();
            }
            ["test", "result:", "ok.", passed, "passed;", _, "failed;", ignored, "ignored;", ..] => {
                total.passed += passed.parse::<u32>()?;
                total.ignored += ignored.parse::<u32>()?;
                println!("xtask: {current}: {passed} passed in {:.1} s", since.elapsed().as_secs_f32());
            }
            _ => {}
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("tests failed in {current}");
    }
    if total.passed == 0 {
        bail!("no test ran");
    }
    total.seconds = started.elapsed().as_secs_f32();
    Ok(total)
}
