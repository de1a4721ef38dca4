//! The size of the web app's files, and the largest it may have: the one place that says so, for `dist` and for `test`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{step, tools, workspace};

/// The largest size of the WebAssembly, compressed with brotli as the server sends it, in bytes: a third of a second at 10 Mbit/s. The rest of a
/// first visit is small beside it and grows with what people see. The app is one file: what pages need that a first visit does not show is in it too,
/// and will leave it when the app is split.
const MAX_WASM: u64 = 400_000;

/// Prints each file's size; an error where a visitor would have to download too much.
pub(crate) fn check() -> Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(workspace::dist())?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    let (mut download, mut wasm) = (0, None);
    for file in &files {
        let size = brotli(file);
        download += size.unwrap_or_default();
        if file.extension().is_some_and(|ending| ending == "wasm") {
            wasm = size;
        }
        let size = size.map_or_else(String::new, |size| format!(" ({size} with brotli)"));
        let name = file.file_name().unwrap_or_default().display();
        println!("{:>10}  web app: {name}{size}", fs::metadata(file)?.len());
    }
    let Some(wasm) = wasm.filter(|_| tools::has_wasm_opt()) else {
        println!("xtask: the web app's size was not checked: that takes Node.js, and a build with wasm-opt");
        return Ok(());
    };
    println!("{download:>10}  to download for a first visit, {wasm} of it WebAssembly, which may be {MAX_WASM}");
    check_wasm(wasm)
}

fn check_wasm(wasm: u64) -> Result<()> {
    if wasm > MAX_WASM {
        bail!(
            "the web app has become too large: its WebAssembly is {wasm} bytes with brotli, {} more than it may be. Take out what it \
             grew by: look at the new dependencies and features of `web` and `common` first, then at code that is made once \
             for each type. If it has to be that large, raise MAX_WASM in xtask/src/size.rs and say why in the commit",
            wasm - MAX_WASM
        );
    }
    Ok(())
}

/// The compressed size, if Node.js, which carries brotli, is here to tell. The server's own library comes to within half a percent.
fn brotli(file: &Path) -> Option<u64> {
    let script = "console.log(require('zlib').brotliCompressSync(require('fs').readFileSync(process.argv[1])).length)";
    step::answer(Command::new("node").args(["-e", script]).arg(file))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_app_that_is_too_large_is_refused_with_what_to_do() {
        assert!(check_wasm(MAX_WASM).is_ok());
        let refusal = check_wasm(MAX_WASM + 1).unwrap_err().to_string();
        assert!(refusal.contains("1 more than it may") && refusal.contains("MAX_WASM"), "{refusal}");
    }
}
