//! `cargo xtask package`: what is handed out, in `target/packages/`. The same source makes the same bytes, in whatever folder it lies and whenever it
//! is built: entries are sorted and belong to root, times are those of the commit (`SOURCE_DATE_EPOCH` names another), and paths of this machine are
//! replaced in what is compiled.

mod archive;
mod build;
mod check;
mod content;
mod deb;
mod image;
mod needs;
mod npm;
mod root;
mod sbom;
mod systemd;
#[cfg(test)]
#[cfg(feature = "e2e")]
mod tests;
mod tried;
mod wheel;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread::{self, ScopedJoinHandle},
};

use anyhow::{Context, Result, anyhow, bail};
use flate2::Compression;

use self::content::Content;
use crate::{
    step::{self, step},
    workspace,
};

/// What packages say of Coffer in a line.
const SUMMARY: &str = "An authenticated JSON API, a web app and a terminal app over collections that you define";

/// What one run makes.
pub(crate) struct Release {
    /// As `Cargo.toml` has it.
    version: String,
    /// Seconds since 1970 that all files are of.
    epoch: u64,
    /// How hard files are compressed: less for tests, whose programs are large.
    level: Compression,
}

/// What was asked for.
#[derive(Debug, Default)]
struct Asked {
    from: Option<PathBuf>,
    out: Option<PathBuf>,
    version: Option<String>,
}

/// Makes the packages, or tries them.
pub(crate) fn package(args: &[String]) -> Result<()> {
    if let [only] = args
        && only == "--check"
    {
        return check::check();
    }
    let asked = read(args)?;
    let release = Release {
        version: asked.version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
        epoch: epoch()?,
        level: Compression::best(),
    };
    let programs = match asked.from {
        Some(folder) => folder,
        None => build::programs()?,
    };
    let out = asked.out.unwrap_or_else(|| workspace::target().join("packages"));
    step("packages", || make(&release, &programs, &out))?;
    println!("xtask: {} is written; `sha256sum --check SHA256SUMS` there compares it", out.display());
    Ok(())
}

/// Writes the packages of the programs in a folder.
fn make(release: &Release, programs: &Path, out: &Path) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out)?;
    let sbom = sbom::document(release)?;
    let content = &Content::gather(programs, &out.with_extension("scratch"), &sbom)?;
    let version = &release.version;
    let made = thread::scope(|scope| {
        let parts: [(String, ScopedJoinHandle<'_, Result<Vec<u8>>>); 5] = [
            (format!("coffer-{version}-x86_64-linux.tar.gz"), scope.spawn(|| archive::of_files(release, content))),
            (deb::name(release), scope.spawn(|| deb::of(release, content))),
            (wheel::name(release, content), scope.spawn(|| wheel::of(release, content))),
            (format!("coffer-{version}-npm.tgz"), scope.spawn(|| npm::of(release, content))),
            (format!("coffer-{version}-image.tar.gz"), scope.spawn(|| image::of(release, content))),
        ];
        let done = parts.map(|(name, making)| {
            let made = making.join().map_err(|_| anyhow!("the packing of {name} broke off"))?;
            Ok((name, made?))
        });
        done.into_iter().collect::<Result<Vec<_>>>()
    })?;
    let mut sums = String::new();
    for (name, bytes) in made.into_iter().chain([(format!("coffer-{version}.cdx.json"), sbom)]) {
        println!("{:>10}  {name}", bytes.len());
        let _ = writeln!(sums, "{}  {name}", hex(&sha256(&bytes)));
        write(&out.join(name), &bytes)?;
    }
    write(&out.join("SHA256SUMS"), sums.as_bytes())
}

fn read(args: &[String]) -> Result<Asked> {
    let mut asked = Asked::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} takes a value"));
        match arg.as_str() {
            "--from" => asked.from = Some(value()?.into()),
            "--out" => asked.out = Some(value()?.into()),
            "--version" => asked.version = Some(value()?.clone()),
            _ => bail!("cargo xtask package [--check] [--from FOLDER] [--out FOLDER] [--version VERSION]; not {arg}"),
        }
    }
    Ok(asked)
}

/// When the source was committed, or what `SOURCE_DATE_EPOCH` says.
fn epoch() -> Result<u64> {
    if let Ok(named) = std::env::var("SOURCE_DATE_EPOCH") {
        return named.parse().context("SOURCE_DATE_EPOCH is no number of seconds");
    }
    let committed =
        step::answer(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(workspace::root()));
    let committed = committed.context("there is no commit here to take the time of; set SOURCE_DATE_EPOCH")?;
    committed.parse().context("git says no time")
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

/// In hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
