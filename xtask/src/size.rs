//! The size of the web app's files, and the largest it may have: the one place that says so, for `dist` and for `test`.

use std::{fs, path::Path, process::Command};

use anyhow::{Result, bail};

use crate::{page, spa, step, tools, workspace};

/// The largest sizes of the WebAssembly of each part, compressed with brotli as the server sends it, in bytes: how its file's name begins, with std as
/// it comes, and with std built for immediate abort. A first visit waits for the first part alone: 200,000 bytes are a second at 1.6 Mbit/s. The
/// others are fetched while the first page is being looked at.
const PARTS: [(&str, u64, u64); 11] = [
    ("coffer", 300_000, 285_000),
    ("accounts", 58_000, 54_000),
    ("editor", 84_000, 78_000),
    ("record", 36_000, 34_000),
    ("live", 30_000, 28_000),
    ("many", 75_000, 65_000),
    ("dashboard", 73_000, 68_000),
    // With a reader of TOML, for files of migrations.
    ("server", 130_000, 120_000),
    ("views", 70_000, 65_000),
    ("explorer", 35_000, 33_000),
    // What several of the later parts share, each of them.
    ("chunk", 26_000, 24_000),
];

/// Prints each file's size; an error where a visitor would have to download too much.
pub(crate) fn check() -> Result<()> {
    let mut files = page::files_of(&workspace::dist())?;
    files.sort();
    let (mut first, mut sizes) = (0, Vec::new());
    for file in &files {
        let size = brotli(file);
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file.extension().is_some_and(|ending| ending == "wasm") {
            sizes.extend(size.map(|size| (name.clone(), size)));
        }
        if !is_later(&name) {
            first += size.unwrap_or_default();
        }
        let size = size.map_or_else(String::new, |size| format!(" ({size} with brotli)"));
        println!("{:>10}  web app: {name}{size}", fs::metadata(file)?.len());
    }
    if sizes.is_empty() || !tools::has_wasm_opt() {
        println!("xtask: the web app's size was not checked: that takes Node.js, and a build with wasm-opt");
        return Ok(());
    }
    let is_small = spa::has_immediate_abort();
    let std = if is_small { "std built for immediate abort" } else { "std as it comes" };
    println!("{first:>10}  to download for a first page, with {std}");
    check_parts(&sizes, is_small)
}

/// The budget of a file of WebAssembly.
fn budget(name: &str, is_small: bool) -> Option<u64> {
    let (part, _) = name.split_once(['-', '_'])?;
    let (_, ordinary, small) = PARTS.iter().find(|(known, ..)| *known == part)?;
    Some(if is_small { *small } else { *ordinary })
}

fn is_later(name: &str) -> bool {
    PARTS[1..].iter().any(|(part, ..)| name.starts_with(part))
}

fn check_parts(sizes: &[(String, u64)], is_small: bool) -> Result<()> {
    for (name, size) in sizes {
        let Some(budget) = budget(name, is_small) else {
            bail!("{name} is a part without a budget: give it one in PARTS in xtask/src/size.rs");
        };
        if *size > budget {
            bail!(
                "the web app has become too large: {name} is {size} bytes with brotli, {} more than it may be. Take out what it \
                 grew by: look at the new dependencies and features of `web` and `common` first, then at code that is made once \
                 for each type. What the first page does not need belongs into a later part (web/src/later.rs). If it has to be that large, raise its \
                 budget in PARTS in xtask/src/size.rs and say why in the commit",
                size - budget
            );
        }
    }
    Ok(())
}

/// Writes the compressed form beside a file, as `coffer serve --web-dir` takes it.
pub(crate) fn write_brotli(file: &Path) -> Result<()> {
    let script = "const fs = require('fs'), file = process.argv[1];
        fs.writeFileSync(file + '.br', require('zlib').brotliCompressSync(fs.readFileSync(file)))";
    step::run(Command::new("node").args(["-e", script]).arg(file))
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
    fn a_part_that_is_too_large_is_refused_with_what_to_do() {
        let part = |name: &str, size| vec![(name.to_owned(), size)];
        assert!(check_parts(&part("coffer-c0.wasm", 300_000), false).is_ok());
        let refusal = check_parts(&part("coffer-c0.wasm", 300_001), false).unwrap_err().to_string();
        assert!(refusal.contains("1 more than it may") && refusal.contains("PARTS"), "{refusal}");
        assert!(check_parts(&part("coffer-c0.wasm", 285_001), true).is_err());
        assert!(check_parts(&part("chunk_4-c0.wasm", 26_001), false).is_err());
        let unknown = check_parts(&part("reports-c0.wasm", 1), false).unwrap_err().to_string();
        assert!(unknown.contains("without a budget"), "{unknown}");
    }
}
