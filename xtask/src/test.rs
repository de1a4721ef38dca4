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
//! - `E2E_CSV`: files that others published, for imports
//! - `E2E_CLIENTS`: the folder of `xtask/clients` with its packages
//! - `E2E_DIST`: the built web app, for `coffer serve --web-dir`; `E2E_DIST_ONE_FILE`: the same as trunk builds it
//! - `E2E_BIN`, `E2E_TUI_BIN`: `coffer` and `coffer-tui`, built beforehand (dev profile)
//! - `E2E_WORDNET`: the folder with WordNet's `data.noun` and the like
//!
//! A server that is started with `E2E_CHEAP_PASSWORDS` hashes passwords at almost no cost, which was half of the tests' work. Only a debug build
//! with the feature knows the variable, and the tests about passwords leave it out.
//!
//! One cargo profile serves all tests: nothing is built both for dev and for release. cargo-nextest runs them, each in a process of its own
//! (`.config/nextest.toml`), and leaves a report in [`REPORT`]; `cargo test` runs the examples in the documentation, which nextest does not.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, BufRead, BufReader},
    path::PathBuf,
    process::{self, Command},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{
    audit, e2e, postgresql, size, spa,
    step::{self, step},
    tools, workspace,
};

const ALL: [&str; 4] = ["--workspace", "--locked", "--features", "e2e"];
/// Below the target directory.
const REPORT: &str = "nextest/default/junit.xml";

/// Runs every step; the last line printed is the sum of all test results.
pub(crate) fn test() -> Result<()> {
    let started = Instant::now();
    for (component, tool) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if step::answer(&mut workspace::cargo(&[tool, "--version"])).is_none() {
            step(component, || step::run(Command::new("rustup").args(["component", "add", component])))?;
        }
    }
    step("format", || step::run(&mut workspace::cargo(&["fmt", "--all", "--check"])))?;
    audit::test()?;
    spa::build()?;
    size::check()?;
    let one_file = spa::build_in_one_file()?;
    step("lint", || {
        let lint =
            ["clippy", "--workspace", "--all-targets", "--locked", "--features", "e2e,split", "--", "-D", "warnings"];
        step::run(&mut workspace::cargo(&lint))
    })?;
    let tools = {
        let _one_at_a_time = workspace::lock()?;
        tools::install_nextest()?;
        e2e::tools()?
    };
    let nextest = || -> Result<Command> {
        let mut cargo = workspace::cargo(&["nextest", "run"]);
        cargo.args(ALL).env("PATH", workspace::path_with_tools()?);
        Ok(cargo)
    };
    step("build tests and binaries", || step::run(nextest()?.arg("--no-run")))?;
    let binaries = [("E2E_BIN", "coffer"), ("E2E_TUI_BIN", "coffer-tui")].map(|(variable, name)| {
        let path = workspace::target().join("debug").join(name);
        (variable, path)
    });
    if let Some((_, missing)) = binaries.iter().find(|(_, path)| !path.is_file()) {
        bail!("the build left no {}", missing.display());
    }

    let mut tests = nextest()?;
    // Half of a test's time is waiting: for the disk, a browser, a deadline. Two for each core keep the cores busy.
    let threads = thread::available_parallelism().map_or(1, usize::from) * 2;
    tests
        .args(["--cargo-quiet", "--test-threads", &threads.to_string()])
        .env("E2E_DIST", workspace::dist())
        .env("E2E_DIST_ONE_FILE", one_file)
        .envs(tools)
        .envs(binaries);
    let mut total = step("tests: unit, integration, browser, terminal, commands on the pages", || run_tests(tests))?;
    let mut examples = workspace::cargo(&["test", "--doc"]);
    examples.args(ALL);
    total.add(&step("examples in the documentation", || run_tests(examples))?);
    total.tell();
    println!("xtask: all steps passed in {:.0} s", started.elapsed().as_secs_f32());
    println!(
        "test result: ok. {} passed; 0 failed; {} ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        total.passed, total.ignored, total.seconds
    );
    Ok(())
}

/// Tests whose subject is a store on disk, its files, or a server without a signing key of the operator's.
const ON_DISK: &str = "backup|bounds|check|command_line|disk|docs|erase::what_is_erased|history::what_a_definition|https|init|invariants|journal|kill|nodes|redefine::model|\
                       security|server|service";

/// Runs the tests over HTTP with every server's store in a schema of its own, in a PostgreSQL that is started for it.
pub(crate) fn on_postgres() -> Result<()> {
    tools::install_nextest()?;
    let tools = e2e::tools()?;
    let dir = database_dir()?;
    let mut database = postgresql::start(&dir)?;
    let mut tests = workspace::cargo(&["nextest", "run", "--no-fail-fast"]);
    let chosen = format!("package(coffer) & binary(it) & not test(/^({ON_DISK})/)");
    tests.args(ALL).args(["-E", &chosen]).env("PATH", workspace::path_with_tools()?).envs(tools);
    tests.env("E2E_ENGINE_URL", postgresql::url(&dir));
    let outcome = step("tests over HTTP, on PostgreSQL", || run_tests(tests));
    let _ = Command::new("kill").arg(database.id().to_string()).status();
    database.wait()?;
    fs::remove_dir_all(&dir)?;
    outcome?.tell();
    Ok(())
}

/// A new folder for a database.
fn database_dir() -> Result<PathBuf> {
    let dir = env::temp_dir().join(format!("coffer-tests-{}", process::id()));
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// What ran, and where the time went.
#[derive(Debug, Default, PartialEq)]
struct Total {
    passed: u32,
    ignored: u32,
    seconds: f32,
    /// Of each test binary: how many tests, and the sum of their seconds.
    binaries: BTreeMap<String, (u32, f32)>,
    /// Seconds and name of each test.
    tests: Vec<(f32, String)>,
}

impl Total {
    /// Reads a line of nextest's output, or of `cargo test`'s.
    fn read(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["PASS", "[", seconds, rest @ ..] => {
                let seconds: f32 = seconds.trim_end_matches("s]").parse()?;
                if let [.., binary, test] = rest {
                    let of = self.binaries.entry((*binary).to_owned()).or_default();
                    *of = (of.0 + 1, of.1 + seconds);
                    self.tests.push((seconds, format!("{binary} {test}")));
                }
            }
            ["Summary", rest @ ..] => {
                // "752 tests run: 752 passed (1 slow), 3 skipped": a comma stands behind each part, with what it says in brackets.
                for (number, what) in rest.iter().zip(rest.iter().skip(1)) {
                    match what.trim_end_matches(',') {
                        "passed" => self.passed += number.parse::<u32>()?,
                        "skipped" => self.ignored += number.parse::<u32>()?,
                        _ => {}
                    }
                }
            }
            ["test", "result:", "ok.", passed, "passed;", _, "failed;", ignored, "ignored;", ..] => {
                self.passed += passed.parse::<u32>()?;
                self.ignored += ignored.parse::<u32>()?;
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.ignored += other.ignored;
        self.seconds += other.seconds;
    }

    /// Says where the time went.
    fn tell(&self) {
        for (binary, (tests, seconds)) in &self.binaries {
            println!("xtask: {binary}: {tests} passed in {seconds:.1} s, one after another");
        }
        let mut tests: Vec<_> = self.tests.iter().collect();
        tests.sort_by(|a, b| b.0.total_cmp(&a.0));
        tests.iter().take(10).for_each(|(seconds, test)| println!("xtask: {seconds:>7.1} s  {test}"));
        println!("xtask: every test with its time is in {}", workspace::target().join(REPORT).display());
    }
}

/// Shows the output as it comes, and adds up what the test runner reports.
fn run_tests(mut cargo: Command) -> Result<Total> {
    let (output, input) = io::pipe()?;
    let started = Instant::now();
    let mut child = cargo.stdout(input.try_clone()?).stderr(input).spawn().context("cannot start cargo")?;
    drop(cargo); // and with it our ends of the pipe, or reading would never end
    let mut total = Total::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        total.read(&line)?;
    }
    if !child.wait()?.success() {
        bail!("tests failed; {} has the output of each", workspace::target().join(REPORT).display());
    }
    if total.passed == 0 {
        bail!("no test ran");
    }
    total.seconds = started.elapsed().as_secs_f32();
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_runners_report_is_added_up() {
        let mut total = Total::default();
        for line in [
            "        PASS [   1.250s] (  1/753) coffer::it records::an_array_is_created_whole_or_not_at_all",
            "        PASS [   0.250s] coffer::it users::power_that_is_taken_is_gone_with_the_next_request",
            "     Summary [  62.310s] 752 tests run: 752 passed (1 slow), 3 skipped",
            "     Summary [1233.038s] 821 tests run: 821 passed, 0 skipped",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.70s",
        ] {
            total.read(line).unwrap();
        }
        assert_eq!((total.passed, total.ignored), (1574, 3));
        assert_eq!(total.binaries["coffer::it"], (2, 1.5));
    }
}
