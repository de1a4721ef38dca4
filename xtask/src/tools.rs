//! trunk, wasm-bindgen, wasm-split-cli, wasm-opt, cargo-deny and cargo-nextest, at fixed versions, under `target/tools`.
//!
//! A program of exactly that version which is already on `PATH` is used as it is; of cargo-nextest, any recent one.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    step::{self, step},
    workspace::{self, which},
};

/// Newer ones ask for a newer compiler than the workspace does.
pub(crate) const TRUNK: &str = "0.21.14";
/// Has to be exactly the version of the crate in `Cargo.toml`, and of `Trunk.toml`.
pub(crate) const WASM_BINDGEN: &str = "0.2.130";
/// Cuts the web app into parts. Goes together with the crate `wasm_split_helpers` in `Cargo.toml`.
pub(crate) const WASM_SPLIT: &str = "0.2.4";
/// Has to be the version of `Trunk.toml`.
pub(crate) const BINARYEN: &str = "132";
/// The C compiler and linker of the packages: it has the C libraries of many years.
const ZIG: &str = "0.15.2";
/// Has cargo use it.
const CARGO_ZIGBUILD: &str = "0.24.1";
/// Reads `deny.toml`.
const CARGO_DENY: &str = "0.20.2";
/// Runs the tests. Reads `.config/nextest.toml`.
const NEXTEST: &str = "0.9.143";
/// What is on `PATH` may be older than that.
const NEXTEST_AT_LEAST: &str = "0.9.100";

/// Installs what the web app is built with, where it is not there yet.
pub(crate) fn install() -> Result<()> {
    cargo_install("trunk", "trunk", TRUNK)?;
    cargo_install("wasm-bindgen-cli", "wasm-bindgen", WASM_BINDGEN)?;
    // It does not tell its version, so cargo's own list is asked, and a copy elsewhere on `PATH` is not taken.
    let split = workspace::tools().join("bin/wasm-split-cli");
    if !split.is_file() || !is_installed("wasm_split_cli_support", WASM_SPLIT) {
        cargo_install_with("wasm_split_cli_support", WASM_SPLIT, &["--features", "build-binary"])?;
    }
    clear_up()?;
    if which("node").is_none() || which("npm").is_none() || has_wasm_opt() {
        return Ok(());
    }
    // Only makes the web app smaller, so a failure is not one of ours.
    let installed = step(&format!("wasm-opt {BINARYEN}, by npm"), || {
        step::run_within(
            Duration::from_mins(2),
            Command::new("npm")
                .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"])
                .arg("--prefix")
                .arg(workspace::tools().join("node"))
                .arg(format!("binaryen@{BINARYEN}"))
                .stdin(Stdio::null()),
        )
    });
    if let Err(error) = installed {
        println!("xtask: the web app will be somewhat larger, without wasm-opt: {error:#}");
    }
    Ok(())
}

/// Installs cargo-deny, where it is not there yet: a minute on two cores.
pub(crate) fn install_deny() -> Result<()> {
    cargo_install("cargo-deny", "cargo-deny", CARGO_DENY)?;
    clear_up()
}

/// Zig, and cargo-zigbuild to link with it, by pip: the folder of their programs.
pub(crate) fn install_zig() -> Result<PathBuf> {
    let folder = workspace::tools().join(format!("zig-{ZIG}-{CARGO_ZIGBUILD}"));
    let programs = folder.join("bin");
    if programs.join("installed").is_file() {
        return Ok(programs);
    }
    step(&format!("zig {ZIG} and cargo-zigbuild {CARGO_ZIGBUILD}, by pip"), || {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        step::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let packages = [format!("ziglang=={ZIG}"), format!("cargo-zigbuild=={CARGO_ZIGBUILD}")];
        step::run(Command::new(programs.join("pip")).args(["install", "--quiet"]).args(packages))?;
        Ok(fs::write(programs.join("installed"), "")?)
    })?;
    Ok(programs)
}

/// What was built is kept until all of it is, so that an interrupted build goes on where it was; a gigabyte for nothing from then on.
fn clear_up() -> Result<()> {
    let build = workspace::tools().join("build");
    if build.exists() {
        fs::remove_dir_all(build)?;
    }
    Ok(())
}

/// Whether the web app can be made smaller.
pub(crate) fn has_wasm_opt() -> bool {
    version_of("wasm-opt").is_some_and(|version| version.starts_with(&format!("wasm-opt version {BINARYEN}")))
}

/// Installs cargo-nextest, where no recent one is on `PATH`: some minutes on two cores.
pub(crate) fn install_nextest() -> Result<()> {
    let release = |version: &str| version.strip_prefix("0.9.").and_then(|release| release.parse::<u32>().ok());
    let found = version_of("cargo-nextest").and_then(|found| release(found.split(' ').nth(1)?));
    if found >= release(NEXTEST_AT_LEAST) {
        return Ok(());
    }
    cargo_install("cargo-nextest", "cargo-nextest", NEXTEST)?;
    clear_up()
}

/// A debug build of a tool takes a third of the time of a release build, and they run for a second or two.
fn cargo_install(package: &str, program: &str, version: &str) -> Result<()> {
    if version_of(program).is_some_and(|found| found.split(' ').nth(1) == Some(version)) {
        return Ok(());
    }
    cargo_install_with(package, version, &[])
}

/// Whether cargo says that it installed this.
fn is_installed(package: &str, version: &str) -> bool {
    let list = fs::read_to_string(workspace::tools().join(".crates.toml")).unwrap_or_default();
    list.contains(&format!("\"{package} {version} ("))
}

fn cargo_install_with(package: &str, version: &str, features: &[&str]) -> Result<()> {
    step(&format!("{package} {version}, by cargo install (some minutes, once)"), || {
        let exact = format!("{package}@{version}");
        let install = |extra: &[&str]| {
            let mut cargo = workspace::cargo(&["install", "--quiet", "--debug", "--force", "--root"]);
            cargo
                .arg(workspace::tools())
                .args(features)
                .args(extra)
                .arg(&exact)
                .env("CARGO_TARGET_DIR", workspace::tools().join("build"))
                .env("CARGO_PROFILE_DEV_DEBUG", "0");
            cargo
        };
        let locked = install(&["--locked"]).output().context("cannot start cargo")?;
        if locked.status.success() {
            return Ok(());
        }
        // A tool that was just released may lock crates of the same day, which the registry's index here does not list yet.
        let said = String::from_utf8_lossy(&locked.stderr);
        let Some(lacking) = not_carried(&said) else { bail!("cargo install --locked {exact} said: {said}") };
        println!("xtask: the registry has no {lacking} yet, which {package}'s lock file names; taking an earlier one");
        step::run(&mut install(&[]))
    })
}

/// The crate that a lock file names and the registry does not carry, out of what cargo says.
fn not_carried(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("failed to select a version for the requirement `")?;
    let (name, rest) = rest.split_once(' ')?;
    let (version, _) = rest.split_once("(locked to ")?.1.split_once(')')?;
    Some(format!("{name} {version}"))
}

fn version_of(program: &str) -> Option<String> {
    step::answer(Command::new(program).arg("--version").env("PATH", workspace::path_with_tools().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(file: &str, line: &str) -> bool {
        fs::read_to_string(workspace::root().join(file)).unwrap().lines().any(|found| found.starts_with(line))
    }

    #[test]
    fn wasm_bindgen_is_one_version_everywhere() {
        assert!(says("Cargo.toml", &format!("wasm-bindgen = \"={WASM_BINDGEN}\"")));
        assert!(says("Trunk.toml", &format!("wasm_bindgen = \"{WASM_BINDGEN}\"")));
    }

    #[test]
    fn what_cuts_the_app_is_one_version_with_what_marks_the_cuts() {
        // Both are released together, the program one fix ahead.
        assert!(says("Cargo.toml", "wasm_split_helpers = \"=0.2.3\"") && WASM_SPLIT == "0.2.4");
    }

    #[test]
    fn a_crate_that_the_registry_lacks_is_named() {
        let said = "error: failed to select a version for the requirement `webpki-roots = \"^1.0.10\"` (locked to 1.0.11)\n\
            candidate versions found which didn't match: 1.0.10, 1.0.9, ...";
        assert_eq!(not_carried(said).as_deref(), Some("webpki-roots 1.0.11"));
        assert_eq!(not_carried("error: could not compile `ring`"), None);
    }

    #[test]
    fn trunk_finds_the_wasm_opt_that_is_installed() {
        assert!(says("Trunk.toml", &format!("wasm_opt = \"version_{BINARYEN}\"")));
    }
}
