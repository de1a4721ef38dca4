//! The programs of the packages: optimised, with the web app inside, for C libraries of 2014 and later, and the same bytes wherever they are built.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    size, spa,
    step::{self, step},
    tools, workspace,
};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// The oldest C library that the programs run with.
const GLIBC: &str = "2.17";
/// What stands in the programs in place of this machine's folders.
const SOURCE: &str = "/coffer";
const DEPENDENCIES: &str = "/cargo";

/// Builds both programs, and gives the folder that they are in.
pub(super) fn programs() -> Result<PathBuf> {
    spa::build()?;
    size::check()?;
    let zig = tools::install_zig()?;
    // Of its own: what an ordinary build left has paths of this machine in it.
    let folder = workspace::target().join("packages-build");
    fs::create_dir_all(&folder)?;
    let compiler = compiler(&folder)?;
    let path = env::join_paths([zig].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())));
    step(&format!("programs for {TRIPLE} with glibc {GLIBC} or later"), || {
        let mut cargo = workspace::cargo(&["zigbuild", "--release", "--locked", "--package", "coffer"]);
        cargo
            .args(["--package", "coffer-tui", "--target", &format!("{TRIPLE}.{GLIBC}")])
            .env("PATH", path.context("the path of this checkout has a colon in it")?)
            .env("CARGO_TARGET_DIR", &folder)
            .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
            .env("RUSTC_WRAPPER", compiler)
            .env("CFLAGS", format!("-ffile-prefix-map={}={DEPENDENCIES}", sources().display()))
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        step::run(&mut cargo)
    })?;
    Ok(folder.join(TRIPLE).join("release"))
}

/// A compiler that replaces paths. As flags they would stand in the names of folders that build scripts write to, and so in the programs.
fn compiler(folder: &Path) -> Result<PathBuf> {
    let file = folder.join("rustc");
    let script = format!(
        "#!/bin/sh\nexec \"$@\" --remap-path-prefix='{}'={SOURCE} --remap-path-prefix='{}'={DEPENDENCIES}\n",
        workspace::root().display(),
        sources().display()
    );
    if fs::read_to_string(&file).is_ok_and(|found| found == script) {
        return Ok(file);
    }
    fs::write(&file, script)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    Ok(file)
}

/// Where the sources of dependencies are.
fn sources() -> PathBuf {
    workspace::cargo_home().join("registry/src")
}
