//! What the web app's files weigh, and what they may weigh: the one place that says so, for `dist` and for `test`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{step, tools, workspace};

/// What a first visit may download: WebAssembly, JavaScript and CSS together, compressed with brotli as the server sends them, in bytes.
/// At 10 Mbit/s that is a third of a second.
const MAX_DOWNLOAD: u64 = 350_000;

/// Prints each file's size; an error where a visitor would have to download too much.
pub fn weigh() -> Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(workspace::dist())?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.is_file());
    files.sort();
    let mut download = 0;
    let mut is_known = true;
    for file in &files {
        let size = brotli(file);
        let counts = file.extension().is_some_and(|ending| ["wasm", "js", "css"].iter().any(|known| ending == *known));
        if counts {
            is_known &= size.is_some();
            download += size.unwrap_or_default();
        }
        let size = size.map_or_else(String::new, |size| format!(" ({size} with brotli)"));
        let name = file.file_name().unwrap_or_default().display();
        println!("{:>10}  web app: {name}{size}", fs::metadata(file)?.len());
    }
    if !is_known || !tools::has_wasm_opt() {
        println!("xtask: the web app's size was not judged: that takes Node.js, and a build with wasm-opt");
        return Ok(());
    }
    println!("{download:>10}  to download for a first visit, of {MAX_DOWNLOAD} allowed");
    judge(download)
}

fn judge(download: u64) -> Result<()> {
    if download > MAX_DOWNLOAD {
        bail!(
            "the web app has become too large: a first visit downloads {download} bytes, {} more than it may. Take out what it \
             grew by: look at the new dependencies and features of `web` and `common` first, then at code that is made once \
             for each type. If it has to be that large, raise MAX_DOWNLOAD in xtask/src/weight.rs and say why in the commit",
            download - MAX_DOWNLOAD
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
        assert!(judge(MAX_DOWNLOAD).is_ok());
        let refusal = judge(MAX_DOWNLOAD + 1).unwrap_err().to_string();
        assert!(refusal.contains("1 more than it may") && refusal.contains("MAX_DOWNLOAD"), "{refusal}");
    }
}
