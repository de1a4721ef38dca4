//! The package for Debian and what comes from it (`deb(5)`, `deb-control(5)`). Its scripts make the user, and start, restart and stop the service.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use ar::{Builder, Header};

use super::{
    Release, SUMMARY,
    archive::{gzip, packed},
    content::{Content, File},
    hex,
};

const ARCHITECTURE: &str = "amd64";
const SETTINGS: &str = "coffer.env";
const SCRIPTS: [(&str, &str); 3] = [
    ("postinst", include_str!("deb/postinst")),
    ("prerm", include_str!("deb/prerm")),
    ("postrm", include_str!("deb/postrm")),
];

/// The file's name.
pub(super) fn name(release: &Release) -> String {
    format!("coffer_{}_{ARCHITECTURE}.deb", version(release))
}

/// A tilde sorts before the end, so that `0.2.0~dev` is before `0.2.0`.
fn version(release: &Release) -> String {
    release.version.replacen('-', "~", 1)
}

/// The file.
pub(super) fn of(release: &Release, content: &Content) -> Result<Vec<u8>> {
    let files = files(content)?;
    let (mut sums, mut bytes) = (String::new(), 0);
    for file in &files {
        use md5::Digest as _;
        let _ = writeln!(sums, "{}  {}", hex(&md5::Md5::digest(&file.bytes)), file.path);
        bytes += file.bytes.len();
    }
    let mut about = vec![
        File::new("control", control(release, content, bytes)),
        File::new("conffiles", conffiles(&files)),
        File::new("md5sums", sums),
    ];
    about.extend(SCRIPTS.map(|(name, script)| File::new(name, script).with_mode(0o755)));
    let mut deb = Builder::new(Vec::new());
    let parts = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", packed(release, about)?),
        ("data.tar.gz", packed(release, files)?),
    ];
    for (name, bytes) in parts {
        let mut header = Header::new(name.into(), bytes.len() as u64);
        header.set_mode(0o100_644);
        header.set_mtime(release.epoch);
        deb.append(&header, bytes.as_slice())?;
    }
    Ok(deb.into_inner()?)
}

fn control(release: &Release, content: &Content, bytes: usize) -> String {
    let mut depends = vec!["init-system-helpers (>= 1.54)".to_owned(), "passwd".to_owned()];
    if let Some((major, minor)) = content.needs.glibc {
        depends.insert(0, format!("libc6 (>= {major}.{minor})"));
    }
    if content.needs.libraries.contains("libgcc_s.so.1") {
        depends.push("libgcc-s1".to_owned());
    }
    format!(
        "Package: coffer\nVersion: {}\nArchitecture: {ARCHITECTURE}\nMaintainer: The Coffer developers <coffer@coffer.invalid>\n\
         Installed-Size: {}\nDepends: {}\nRecommends: ca-certificates\nSection: database\nPriority: optional\n\
         Description: {SUMMARY}\n One server over a store of its own: records with history, access rules, live events,\n \
         import and export. Clients of Django REST Framework and SimpleJWT carry over.\n",
        version(release),
        bytes.div_ceil(1024),
        depends.join(", "),
    )
}

/// Where everything lies.
fn files(content: &Content) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for file in content.as_installed() {
        let path = match file.path.strip_prefix("share/doc/coffer/etc/") {
            None => format!("usr/{}", file.path.replace("/zsh/site-functions/", "/zsh/vendor-completions/")),
            Some(file) if is_setting(file) => format!("etc/coffer/{file}"),
            Some(unit) if is_unit(unit) => format!("usr/lib/systemd/system/{unit}"),
            Some(example) => format!("usr/share/doc/coffer/examples/{example}"),
        };
        let file = File { path, ..file };
        files.push(if file.path.ends_with(SETTINGS) {
            // It may come to hold secrets; systemd reads it as root.
            file.with_mode(0o600)
        } else if is_unit(&file.path) {
            let unit = String::from_utf8(file.bytes).context("a unit file is text")?;
            File { bytes: unit.replace("/usr/local/bin/", "/usr/bin/").into_bytes(), ..file }
        } else if file.path.starts_with("usr/share/man/") {
            File { path: format!("{}.gz", file.path), bytes: gzip(&file.bytes)?, ..file }
        } else {
            file
        });
    }
    files.push(File::new("usr/share/doc/coffer/copyright", include_str!("deb/copyright")));
    Ok(files)
}

/// What an admin changes, or puts into another program's folder, as docs/deployment.md has it.
fn is_setting(name: &str) -> bool {
    name == SETTINGS || [".conf", ".sh", ".yml"].iter().any(|kind| name.ends_with(kind)) || name == "Caddyfile"
}

/// An upgrade asks before it writes over one of these that was changed.
fn conffiles(files: &[File]) -> String {
    let kept = files.iter().filter(|file| file.path.starts_with("etc/"));
    kept.fold(String::new(), |text, file| text + "/" + &file.path + "\n")
}

fn is_unit(name: &str) -> bool {
    [".service", ".socket", ".timer"].iter().any(|kind| name.ends_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_before_the_release_sorts_before_it() {
        let of =
            |text: &str| version(&Release { version: text.to_owned(), epoch: 0, level: flate2::Compression::fast() });
        assert_eq!([of("0.2.0-dev"), of("0.2.0-rc.1"), of("0.2.0")], ["0.2.0~dev", "0.2.0~rc.1", "0.2.0"]);
    }
}
