//! The package for pip (PEP 427, 600 and 770): the programs as scripts, which pip puts beside `python`.

use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zip::{DateTime, ZipWriter, write::SimpleFileOptions};

use super::{
    Release, SUMMARY,
    content::{Content, File},
    sha256,
};

/// The file's name.
pub(super) fn name(release: &Release, content: &Content) -> String {
    format!("coffer-{}-{}.whl", version(&release.version), tag(content))
}

/// The version as Python orders versions (PEP 440).
fn version(version: &str) -> String {
    let Some((release, stage)) = version.split_once('-') else { return version.to_owned() };
    let (stage, number) = stage.split_once('.').unwrap_or((stage, "0"));
    let stage = match stage {
        "alpha" => "a",
        "beta" => "b",
        "rc" => "rc",
        _ => ".dev",
    };
    format!("{release}{stage}{number}")
}

/// Any Python 3; and the systems, by the C library that the programs need.
fn tag(content: &Content) -> String {
    let systems = match content.needs.glibc {
        // Static programs need none, so they run with any, on Alpine too.
        None => "manylinux_2_5_x86_64.manylinux1_x86_64.musllinux_1_1_x86_64".to_owned(),
        // The second is the older name of the same, which is all that pip of 2019 knows.
        Some(version) if version <= (2, 17) => "manylinux_2_17_x86_64.manylinux2014_x86_64".to_owned(),
        Some((major, minor)) => format!("manylinux_{major}_{minor}_x86_64"),
    };
    format!("py3-none-{systems}")
}

/// The file.
pub(super) fn of(release: &Release, content: &Content) -> Result<Vec<u8>> {
    let version = version(&release.version);
    let (data, info) = (format!("coffer-{version}.data"), format!("coffer-{version}.dist-info"));
    let mut files = Vec::new();
    for file in content.as_installed() {
        let path = match (file.path.strip_prefix("bin/"), file.path.strip_prefix("share/doc/coffer/")) {
            (Some(program), _) => format!("{data}/scripts/{program}"),
            (_, Some("coffer.cdx.json")) => format!("{info}/sboms/coffer.cdx.json"),
            (_, Some(document)) if !document.contains('/') => format!("{info}/licenses/{document}"),
            // `coffer init` writes them.
            (_, Some(_)) => continue,
            _ => format!("{data}/data/{}", file.path),
        };
        files.push(File { path, ..file });
    }
    let licences = "License-File: LICENSE-APACHE\nLicense-File: LICENSE-MIT\nLicense-File: NOTICE\n";
    files.push(File::new(
        format!("{info}/METADATA"),
        format!(
            "Metadata-Version: 2.4\nName: coffer\nVersion: {version}\nSummary: {SUMMARY}\nLicense-Expression: MIT OR Apache-2.0\n\
             {licences}\n`coffer serve` starts the server, and `coffer-tui` the terminal app.\n"
        ),
    ));
    let mut wheel = "Wheel-Version: 1.0\nGenerator: cargo xtask package\nRoot-Is-Purelib: false\n".to_owned();
    let tag = tag(content);
    let (python, systems) = tag.rsplit_once('-').unwrap_or_default();
    for system in systems.split('.') {
        let _ = writeln!(wheel, "Tag: {python}-{system}");
    }
    files.push(File::new(format!("{info}/WHEEL"), wheel));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    // The list of all files comes last, as PEP 427 recommends.
    let mut record = String::new();
    for file in &files {
        let digest = URL_SAFE_NO_PAD.encode(sha256(&file.bytes));
        let _ = writeln!(record, "{},sha256={digest},{}", file.path, file.bytes.len());
    }
    let name = format!("{info}/RECORD");
    let _ = writeln!(record, "{name},,");
    files.push(File::new(name, record));
    zipped(release, &files)
}

fn zipped(release: &Release, files: &[File]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let options = SimpleFileOptions::default()
            .compression_level(Some(release.level.level().into()))
            // 1980, the first that the format knows: pip gives files the time at which it unpacks them.
            .last_modified_time(DateTime::default())
            .unix_permissions(file.mode);
        zip.start_file(&file.path, options)?;
        zip.write_all(&file.bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_python() {
        for (ours, theirs) in
            [("0.2.0", "0.2.0"), ("0.2.0-dev", "0.2.0.dev0"), ("1.0.0-rc.1", "1.0.0rc1"), ("1.0.0-beta.2", "1.0.0b2")]
        {
            assert_eq!(version(ours), theirs);
        }
    }
}
