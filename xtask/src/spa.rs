//! The web app: is `dist/` what the sources say, and if not, set up what is needed and build it.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::step::{self, step};
use crate::{tools, wasm, workspace};

/// Everything the web app is made of, less folders of tests. `common` and `Cargo.lock` are in it; the server is not.
const INPUTS: [&str; 5] = ["web", "common", "Cargo.toml", "Cargo.lock", "Trunk.toml"];

/// Makes `dist/` current: hashed file names, no inline script.
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
        let mut trunk = Command::new("trunk");
        trunk
            .arg("build")
            .current_dir(workspace::root())
            .env("PATH", workspace::path_with_tools()?)
            .env("RUST_BACKTRACE", "0") // of no use in a message about somebody's source
            .env_remove("NO_COLOR") // trunk takes only "true" and "false" and stops at the usual "1"
            .env("CARGO_TARGET_DIR", workspace::web_target());
        if tools::has_wasm_opt() {
            trunk.arg("--release"); // which here only means: run wasm-opt; the cargo profile is Trunk.toml's
        }
        target.apply(&mut trunk);
        step::run(&mut trunk)?;
        if !workspace::dist().join("index.html").is_file() {
            bail!("trunk wrote no dist/index.html");
        }
        // Told apart from a `dist/` that somebody built by hand from the same sources.
        fs::write(stamp(), format!("{inputs} {}", digest(&fs::read(workspace::dist().join("index.html"))?)))?;
        Ok(())
    })
}

fn stamp() -> PathBuf {
    workspace::tools().join("web-app.stamp")
}

fn is_current(inputs: &str) -> bool {
    let (Ok(stamp), Ok(page)) = (fs::read_to_string(stamp()), fs::read(workspace::dist().join("index.html"))) else {
        return false;
    };
    stamp == format!("{inputs} {}", digest(&page))
}

/// One value over names and contents of the inputs and the versions of the tools.
fn fingerprint() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (tools::TRUNK, tools::WASM_BINDGEN, tools::BINARYEN).hash(&mut hasher);
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

fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
