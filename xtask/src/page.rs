//! The page of a release's web app, and the files beside it: what trunk makes of `web/index.html` for a build in one file.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{split::Parts, workspace};

/// The line of the page that trunk replaces by the app.
const APP: &str = "<link data-trunk rel=\"rust\"";

/// Writes `dist/`: the page, its styles, its script and its icon under names with a hash, and the parts of the app.
pub(crate) fn write(parts: &Parts) -> Result<()> {
    let web = workspace::root().join("web");
    let page = fs::read_to_string(web.join("index.html"))?;
    let dist = workspace::dist();
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::create_dir_all(&dist)?;
    let mut lines = Vec::new();
    for line in page.lines() {
        if !line.contains("data-trunk") {
            lines.push(line.to_owned());
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.contains(APP) {
            // Both scripts and the WebAssembly are asked for at once, in place of one after the other.
            for script in [&parts.glue, &parts.link] {
                lines.push(format!("{indent}<link rel=\"modulepreload\" href=\"/{script}\">"));
            }
            let wasm = &parts.wasm;
            let as_fetch = "as=\"fetch\" type=\"application/wasm\" crossorigin";
            lines.push(format!("{indent}<link rel=\"preload\" href=\"/{wasm}\" {as_fetch}>"));
            continue;
        }
        lines.push(beside(line, &web, &dist)?);
    }
    for (name, bytes) in &parts.files {
        fs::write(dist.join(name), bytes)?;
    }
    // Last, since a folder with its page is taken for a whole app.
    fs::write(dist.join("index.html"), lines.join("\n") + "\n")
        .with_context(|| format!("cannot write {}", dist.display()))
}

/// Copies the file that a line names, and gives the line with the copy's name.
fn beside(line: &str, web: &Path, dist: &Path) -> Result<String> {
    let (attribute, file) = ["href", "src"]
        .into_iter()
        .find_map(|attribute| {
            let (_, rest) = line.split_once(&format!("{attribute}=\""))?;
            Some((attribute, rest.split_once('"')?.0))
        })
        .with_context(|| format!("web/index.html has a line for trunk that names no file: {line}"))?;
    let bytes = fs::read(web.join(file)).with_context(|| format!("web/index.html names {file}"))?;
    let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
    let name = format!("{stem}-{}.{ending}", digest(&bytes));
    fs::write(dist.join(&name), bytes)?;
    let line = line.replace("data-trunk ", "").replace("rel=\"css\"", "rel=\"stylesheet\"");
    Ok(line.replace(&format!("{attribute}=\"{file}\""), &format!("{attribute}=\"/{name}\"")))
}

/// The files in a folder.
pub(crate) fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.is_file());
    Ok(files)
}

/// A hash for a name, in sixteen digits. The first is a letter, by which the server knows it from a date or a number.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("c{:015x}", hasher.finish() >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_in_a_name_begins_with_a_letter() {
        for text in ["", "a", "Coffer"] {
            let hash = digest(text.as_bytes());
            assert!(hash.len() == 16 && hash.starts_with(|c: char| c.is_ascii_alphabetic()), "{hash}");
        }
    }
}
