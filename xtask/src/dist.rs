//! `cargo xtask dist`: the release binaries, the web app inside, and what they weigh.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::step::{self, step};
use crate::{spa, workspace};

/// Unlike `run`, fails without a web app: what is handed out is whole.
pub fn dist() -> Result<()> {
    spa::build()?;
    step("binaries", || {
        step::run(&mut workspace::cargo(&[
            "build",
            "--release",
            "--locked",
            "--package",
            "coffer",
            "--package",
            "coffer-tui",
        ]))
    })?;
    let out = workspace::target().join("dist");
    fs::create_dir_all(&out)?;
    for name in ["coffer", "coffer-tui"] {
        let size = fs::copy(workspace::target().join("release").join(name), out.join(name))?;
        println!("{size:>10}  {name}");
    }
    let mut parts: Vec<_> = fs::read_dir(workspace::dist())?.flatten().map(|entry| entry.path()).collect();
    parts.sort();
    for part in parts.iter().filter(|part| part.is_file()) {
        let name = part.file_name().unwrap_or_default().display();
        println!("{:>10}  web app: {name}{}", fs::metadata(part)?.len(), brotli(part));
    }
    Ok(())
}

/// The compressed size, if Node.js, which carries brotli, is here to tell.
fn brotli(part: &std::path::Path) -> String {
    let script = "console.log(require('zlib').brotliCompressSync(require('fs').readFileSync(process.argv[1])).length)";
    let size = step::answer(Command::new("node").args(["-e", script]).arg(part));
    size.map_or_else(String::new, |size| format!(" ({size} with brotli)"))
}
