//! Where things lie: the workspace, its target directory, the tools inside it. And `cargo` as every step calls it.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

/// The workspace's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Cargo's target directory: this program was built into it (`<target>/debug/xtask`).
pub(crate) fn target() -> PathBuf {
    let built_here = env::current_exe().ok().and_then(|exe| exe.ancestors().nth(2).map(Path::to_path_buf));
    built_here.unwrap_or_else(|| root().join("target"))
}

/// A program of the release profile, built or not.
pub(crate) fn release(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// Everything that xtask installs, so that `rm -rf target` removes it all.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// Where cargo keeps the sources of dependencies.
pub(crate) fn cargo_home() -> PathBuf {
    let home = || env::home_dir().unwrap_or_default().join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(home, PathBuf::from)
}

/// Cargo's target directory for the web app: other flags, and perhaps another compiler, than the host's.
pub(crate) fn web_target() -> PathBuf {
    target().join("web")
}

/// The built web app.
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// `cargo <args>` in the workspace's root, as the user's own toolchain.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args).current_dir(root()).env("CARGO_TARGET_DIR", target());
    cargo
}

/// `PATH` with the installed tools first.
pub(crate) fn path_with_tools() -> Result<OsString> {
    let own = [tools().join("bin"), tools().join("node/node_modules/.bin")];
    let users = env::var_os("PATH").unwrap_or_default();
    env::join_paths(own.into_iter().chain(env::split_paths(&users)))
        .context("this checkout's path contains a colon, which PATH cannot hold")
}

/// The first program of this name on `PATH`.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Keeps two xtasks from installing or building the web app into each other. Held until dropped.
pub(crate) fn lock() -> Result<File> {
    fs::create_dir_all(tools())?;
    let path = tools().join(".lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        println!("xtask: waiting for another xtask to finish its set-up");
        file.lock()?;
    }
    Ok(file)
}
