//! The web app: is `dist/` what the sources say, and if not, set up what is needed and build it.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use crate::{
    page,
    split::{self, Std},
    step::{self, step},
    tools, wasm, workspace,
};

/// Everything the web app is made of, less folders of tests. `common` and `Cargo.lock` are in it; the server is not.
const INPUTS: [&str; 7] =
    ["web", "common", "Cargo.toml", "Cargo.lock", "Trunk.toml", "xtask/src/split.rs", "xtask/src/page.rs"];

/// The build in one file, for who changes the app.
const ONE_FILE: &str = "dist-one-file";

/// Makes `dist/` current: the app in parts, hashed file names, no inline script.
pub(crate) fn build() -> Result<()> {
    let _one_at_a_time = workspace::lock()?;
    let inputs = fingerprint()?;
    if is_current(&inputs) {
        println!("xtask: web app: nothing changed");
        return Ok(());
    }
    let target = wasm::target()?;
    tools::install()?;
    step("web app", || {
        let std = split::build(&target)?;
        // Told apart from a `dist/` that somebody built by hand from the same sources.
        let page = page::digest(&fs::read(workspace::dist().join("index.html"))?);
        fs::write(stamp(), format!("{inputs} {page} {}", std.word()))?;
        Ok(())
    })
}

/// Whether the app in `dist/` has a standard library without messages for panics.
pub(crate) fn has_immediate_abort() -> bool {
    fs::read_to_string(stamp()).is_ok_and(|stamp| stamp.ends_with(Std::ImmediateAbort.word()))
}

/// Builds the app as `trunk build` does, in one file, and says where it is: what people change it with is tried too.
pub(crate) fn build_in_one_file() -> Result<PathBuf> {
    let _one_at_a_time = workspace::lock()?;
    let (dist, inputs) = (workspace::web_target().join(ONE_FILE), fingerprint()?);
    let stamp = workspace::tools().join("one-file.stamp");
    if dist.join("index.html").is_file() && fs::read_to_string(&stamp).is_ok_and(|found| found == inputs) {
        println!("xtask: web app in one file: nothing changed");
        return Ok(dist);
    }
    let target = wasm::target()?;
    step("web app in one file, by trunk", || {
        let mut trunk = Command::new("trunk");
        trunk
            .args(["build", "--release=false", "--dist"])
            .arg(&dist)
            .current_dir(workspace::root())
            .env("PATH", workspace::path_with_tools()?)
            .env("RUST_BACKTRACE", "0") // of no use in a message about somebody's source
            .env_remove("NO_COLOR") // trunk takes only "true" and "false" and stops at the usual "1"
            .env("CARGO_TARGET_DIR", workspace::web_target());
        target.apply(&mut trunk);
        step::run(&mut trunk)?;
        if !dist.join("index.html").is_file() {
            bail!("trunk wrote no index.html");
        }
        fs::write(&stamp, inputs)?;
        Ok(dist)
    })
}

fn stamp() -> PathBuf {
    workspace::tools().join("web-app.stamp")
}

fn is_current(inputs: &str) -> bool {
    let (Ok(stamp), Ok(page)) = (fs::read_to_string(stamp()), fs::read(workspace::dist().join("index.html"))) else {
        return false;
    };
    stamp.starts_with(&format!("{inputs} {} ", page::digest(&page)))
}

/// One value over names and contents of the inputs and the versions of the tools.
fn fingerprint() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (tools::TRUNK, tools::WASM_BINDGEN, tools::WASM_SPLIT, tools::BINARYEN).hash(&mut hasher);
    wasm::std_source().hash(&mut hasher);
    step::answer(Command::new("rustc").arg("--version")).hash(&mut hasher);
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&workspace::root().join(input), &mut files)?;
    }
    files.sort();
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() != "tests" {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}
