//! The package for npm: the programs as its `bin`, which npm links to where programs are looked for.

use anyhow::Result;
use serde_json::json;

use super::{
    Release, SUMMARY,
    archive::packed,
    content::{Content, File},
};

/// The file.
pub(super) fn of(release: &Release, content: &Content) -> Result<Vec<u8>> {
    let mut manifest = json!({
        "name": "coffer",
        "version": release.version,
        "description": SUMMARY,
        "license": "MIT OR Apache-2.0",
        "os": ["linux"],
        "cpu": ["x64"],
        "bin": {"coffer": "bin/coffer", "coffer-tui": "bin/coffer-tui"},
        "man": content.manual.iter().map(|(name, _)| format!("share/man/man1/{name}")).collect::<Vec<_>>(),
    });
    if content.needs.glibc.is_some() {
        manifest["libc"] = json!(["glibc"]);
    }
    let mut files = content.as_installed();
    files.retain(|file| !file.path.starts_with("share/doc/coffer/etc/"));
    files.push(File::new("package.json", format!("{manifest:#}\n")));
    files.push(File::new(
        "README.md",
        format!("# Coffer\n\n{SUMMARY}.\n\n`npx coffer serve` starts the server, `npx coffer-tui` the terminal app.\n"),
    ));
    packed(release, files.into_iter().map(|file| File { path: format!("package/{}", file.path), ..file }).collect())
}
