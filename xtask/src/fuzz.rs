//! `cargo xtask fuzz`: lets libFuzzer look for inputs that break what the targets in `fuzz/` hold to.
//!
//! Stable Rust does for it: the compiler's own pass notes which code an input reaches, and the crate libfuzzer-sys brings libFuzzer's source. What it
//! learns stays under `target/fuzz` for the next time; the seeds in `fuzz/corpus/` it only reads.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    apt,
    step::{self, step},
    workspace::{self, which},
};

/// What `cargo fuzz` gives the compiler, less the sanitizers, which only a nightly one has; there is no unsafe code of ours for them to watch.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";
const USAGE: &str = "cargo xtask fuzz [--seconds N] [TARGET [FILE]]";

struct Settings {
    seconds: u32,
    target: Option<String>,
    file: Option<String>,
}

impl Settings {
    fn parse(mut args: &[String]) -> Result<Self> {
        let mut settings = Self { seconds: 60, target: None, file: None };
        if let [flag, seconds, rest @ ..] = args
            && flag == "--seconds"
        {
            settings.seconds = seconds.parse().context("--seconds wants a number")?;
            args = rest;
        }
        match args {
            [] => {}
            [target] => settings.target = Some(target.clone()),
            [target, file] => (settings.target, settings.file) = (Some(target.clone()), Some(file.clone())),
            _ => bail!(USAGE),
        }
        if args.iter().any(|arg| arg.starts_with('-')) {
            bail!(USAGE);
        }
        Ok(settings)
    }
}

/// Every target, or the one that is named, for so many seconds; or one target with one file.
pub(crate) fn fuzz(args: &[String]) -> Result<()> {
    let settings = Settings::parse(args)?;
    let all = targets()?;
    let chosen: Vec<&String> =
        all.iter().filter(|name| settings.target.as_ref().is_none_or(|target| target == *name)).collect();
    if chosen.is_empty() {
        bail!("there is no such target; there are {}", all.join(", "));
    }
    if !["c++", "g++", "clang++"].iter().any(|name| which(name).is_some()) {
        step("g++, by apt-get", || apt::install(&["g++"], "the fuzz targets"))?;
    }
    let programs = step("fuzz targets", || build(&chosen))?;
    if let Some(file) = &settings.file {
        return step::run(Command::new(programs.join(chosen[0])).arg(file));
    }
    for name in &chosen {
        run(&programs, name, settings.seconds)?;
    }
    println!("xtask: {} targets, nothing found", chosen.len());
    Ok(())
}

fn targets() -> Result<Vec<String>> {
    let files = fs::read_dir(workspace::root().join("fuzz/fuzz_targets"))?;
    let mut names: Vec<String> =
        files.flatten().filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Builds with a target named, so that the flags do not reach build scripts; that also gives them a folder of their own, which is returned.
fn build(targets: &[&String]) -> Result<PathBuf> {
    let version = step::answer(Command::new("rustc").arg("-vV")).context("rustc does not answer")?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc does not say where it runs")?;
    let mut cargo = workspace::cargo(&["build", "--locked", "--profile", "fuzz", "--package", "coffer-fuzz"]);
    cargo
        .args(["--features", "libfuzzer", "--target", host])
        .env("RUSTFLAGS", COVERAGE)
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    for name in targets {
        cargo.args(["--bin", name]);
    }
    step::run(&mut cargo)?;
    Ok(workspace::target().join(host).join("fuzz"))
}

/// One target. What libFuzzer says goes into a file.
fn run(programs: &Path, name: &str, seconds: u32) -> Result<()> {
    let folder = workspace::target().join("fuzz");
    let (learnt, found) = (folder.join("corpus").join(name), folder.join("found").join(name));
    fs::create_dir_all(&learnt)?;
    fs::create_dir_all(&found)?;
    let log = folder.join(format!("{name}.log"));
    let output = File::create(&log)?;
    let status = Command::new(programs.join(name))
        .args([&learnt, &workspace::root().join("fuzz/corpus").join(name)])
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(format!("-max_total_time={seconds}"))
        // A megabyte is what the server reads at most, yet nothing is learnt from it that a page does not teach.
        .args(["-max_len=4096", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"])
        .current_dir(workspace::root())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()
        .with_context(|| format!("cannot start the target {name}"))?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if status.success() {
        println!("xtask: {name}: {}", Figures::of(&said));
        return Ok(());
    }
    match said.lines().find_map(|line| line.split_once("Test unit written to ")) {
        Some((_, file)) => bail!(
            "{name} found something: {}\nrun it again with: cargo xtask fuzz {name} {file}\nthen keep it: cp {file} fuzz/corpus/{name}/",
            reason(&said)
        ),
        None => bail!("{name} ended with {status}; see {}", log.display()),
    }
}

/// The line after the one that says where it panicked, or what libFuzzer minded.
fn reason(said: &str) -> &str {
    let mut lines = said.lines();
    let panicked = lines.find(|line| line.contains("panicked at")).and_then(|_| lines.next());
    panicked.or_else(|| said.lines().find(|line| line.contains("ERROR: libFuzzer"))).unwrap_or_default()
}

/// What libFuzzer counted.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    runs: u64,
    per_second: u64,
    branches: u64,
}

impl Figures {
    fn of(said: &str) -> Self {
        let stat = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name));
            line.and_then(|rest| rest.trim_start_matches(':').trim().parse().ok()).unwrap_or_default()
        };
        let last = said.lines().rev().find_map(|line| line.split_once(" cov: "));
        let branches = last.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok()).unwrap_or_default();
        Self { runs: stat("number_of_executed_units"), per_second: stat("average_exec_per_sec"), branches }
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} runs, {} a second, {} branches reached", self.runs, self.per_second, self.branches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_counted_is_read() {
        let said = "#2\tINITED cov: 12 ft: 12 corp: 1/1b exec/s: 0 rss: 30Mb\n#8\tDONE   cov: 345 ft: 9 corp: 4/9b\n\
             stat::number_of_executed_units: 67890\nstat::average_exec_per_sec:     1131\n";
        assert_eq!(Figures::of(said), Figures { runs: 67890, per_second: 1131, branches: 345 });
    }

    #[test]
    fn what_was_found_is_told_in_its_own_words() {
        let said = "thread '<unnamed>' panicked at fuzz/src/key.rs:1:1:\nassertion failed\n==1== ERROR: libFuzzer: deadly signal\n";
        assert_eq!(reason(said), "assertion failed");
        assert_eq!(
            reason("==1== ERROR: libFuzzer: timeout after 20 seconds"),
            "==1== ERROR: libFuzzer: timeout after 20 seconds"
        );
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let parse = |text: &str| Settings::parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let settings = parse("--seconds 5 key found").unwrap();
        assert_eq!(
            (settings.seconds, settings.target.as_deref(), settings.file.as_deref()),
            (5, Some("key"), Some("found"))
        );
        for bad in ["--seconds", "--seconds x", "key --seconds 5", "a b c"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
