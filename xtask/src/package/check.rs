//! `cargo xtask package --check`, as root: each package is installed on a bare system of its own, serves, is upgraded over an older one, removed and
//! installed again, and the data is there each time. And the packages are built a second time in another folder, to the same bytes.
//!
//! The older package holds the same programs; what becomes of stores of earlier programs is tried by the tests over `api/tests/fixtures`.

use std::{
    env,
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use flate2::Compression;

use super::{
    Release, build, epoch, make,
    root::{self, Root},
    systemd,
    tried::Server,
};
use crate::{
    step::{self, step},
    workspace,
};

/// Comes before every version that is handed out.
const OLDER: &str = "0.1.0-older";
const DATA: &str = "/var/lib/coffer";

/// How a package is used by who has nothing else.
struct Way {
    name: &'static str,
    /// The end of the file's name.
    file: &'static str,
    /// What it needs of the system.
    needs: &'static [&'static str],
    install: fn(&Root, &str) -> Result<()>,
    program: &'static str,
    remove: fn(&Root) -> Result<()>,
}

const WAYS: [Way; 4] = [
    Way {
        name: "tar.gz",
        file: "linux.tar.gz",
        needs: &[],
        install: |root, file| {
            root.run(&["tar", "-xf", file, "--strip-components=1", "-C", "/usr/local"])?;
            make_user(root)
        },
        program: "/usr/local/bin/coffer",
        remove: |root| root.run(&["sh", "-c", "rm /usr/local/bin/coffer /usr/local/bin/coffer-tui"]),
    },
    Way {
        name: "deb",
        file: ".deb",
        needs: &[],
        install: |root, file| root.run(&["dpkg", "--install", file]),
        program: "/usr/bin/coffer",
        remove: |root| root.run(&["dpkg", "--remove", "coffer"]),
    },
    Way {
        name: "wheel",
        file: ".whl",
        needs: &["python3-venv"],
        install: |root, file| {
            root.run(&["python3", "-m", "venv", "/opt/coffer"])?;
            root.run(&["/opt/coffer/bin/pip", "install", "--no-index", "--upgrade", file])?;
            make_user(root)
        },
        program: "/opt/coffer/bin/coffer",
        remove: |root| root.run(&["/opt/coffer/bin/pip", "uninstall", "--yes", "coffer"]),
    },
    Way {
        name: "npm",
        file: "npm.tgz",
        needs: &["npm"],
        install: |root, file| {
            root.run(&["npm", "install", "--global", "--offline", "--no-audit", "--no-fund", file])?;
            make_user(root)
        },
        program: "/usr/local/bin/coffer",
        remove: |root| root.run(&["npm", "uninstall", "--global", "coffer"]),
    },
];

/// Tries everything.
pub(super) fn check() -> Result<()> {
    if step::answer(Command::new("id").arg("-u")).as_deref() != Some("0") {
        bail!("`cargo xtask package --check` makes systems of its own to install packages on, and needs root for it");
    }
    let programs = build::programs()?;
    let (newer, older) = (workspace::target().join("packages"), root::folder().join("older"));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let newer_release = Release { version, epoch: epoch()?, level: Compression::best() };
    let older_release = Release { version: OLDER.to_owned(), epoch: 0, level: Compression::fast() };
    step("packages", || make(&newer_release, &programs, &newer))?;
    step("older packages", || make(&older_release, &programs, &older))?;
    for way in &WAYS {
        let seconds = step(&format!("the {} on a bare system", way.name), || try_way(way, &older, &newer))?;
        println!("xtask: {}: {seconds:.1} s from the beginning of the installation to the first record", way.name);
    }
    step("the .deb under systemd", || systemd::try_deb(&find(&older, ".deb")?, &find(&newer, ".deb")?))?;
    step("the context of an image", || try_image(&newer))?;
    step("the same bytes from another folder", || build_again(&newer, newer_release.epoch))?;
    println!("xtask: all packages do what they are for");
    Ok(())
}

/// Gives the seconds from the beginning of the installation to the first record.
fn try_way(way: &Way, older: &Path, newer: &Path) -> Result<f32> {
    let root = Root::fresh(way.name)?;
    root.apt(way.needs)?;
    let (older, newer) = (root.take(&find(older, way.file)?)?, root.take(&find(newer, way.file)?)?);
    let start = |is_new| {
        let words = [way.program, "serve", "--data", DATA, "--listen", "127.0.0.1:0"];
        Server::start(&mut root.command("coffer:coffer", &words), is_new)
    };
    let with_server = |what: &str, work: &dyn Fn(&Server) -> Result<()>| {
        let server = start(false)?;
        work(&server).and_then(|()| server.stop()).with_context(|| what.to_owned())
    };
    let started = Instant::now();
    (way.install)(&root, &newer)?;
    let server = start(true)?;
    server.client.make_first_record()?;
    let seconds = started.elapsed().as_secs_f32();
    server.client.expect_web_app()?;
    server.stop()?;
    root.run(&[&format!("{}-tui", way.program), "--version"])?;

    let expect_kept = |server: &Server| server.client.expect_record();
    (way.remove)(&root)?;
    if root.path(way.program).exists() {
        bail!("{} is still there", way.program);
    }
    (way.install)(&root, &older)?;
    with_server("after it was removed and the older one installed", &expect_kept)?;
    (way.install)(&root, &newer)?;
    with_server("after the upgrade", &expect_kept)?;
    if way.name == "deb" {
        purge(&root)?;
    }
    Ok(seconds)
}

/// What apt's purge takes away, and a removal leaves.
fn purge(root: &Root) -> Result<()> {
    root.run(&["sh", "-c", "echo COFFER_LOG=json >> /etc/coffer/coffer.env"])?;
    root.run(&["dpkg", "--remove", "coffer"])?;
    root.run(&["sh", "-c", "grep -q json /etc/coffer/coffer.env && test -d /var/lib/coffer/store && id coffer"])?;
    root.run(&["dpkg", "--purge", "coffer"])?;
    root.run(&["sh", "-c", "! test -e /var/lib/coffer && ! test -e /etc/coffer && ! id coffer"])
}

fn make_user(root: &Root) -> Result<()> {
    let words =
        "id coffer > /dev/null 2>&1 || useradd --system --home-dir /var/lib/coffer --shell /usr/sbin/nologin coffer
                 mkdir -p /var/lib/coffer && chown coffer:coffer /var/lib/coffer && chmod 700 /var/lib/coffer";
    root.run(&["sh", "-c", words])
}

/// Does what the context's Dockerfile says, over a bare system in place of the image that it begins with: a registry may not be reached.
fn try_image(packages: &Path) -> Result<()> {
    let root = Root::fresh("image")?;
    let context = root.path("context");
    fs::create_dir(&context)?;
    step::run(Command::new("tar").arg("-xf").arg(find(packages, "image.tar.gz")?).arg("-C").arg(&context))?;
    let dockerfile = fs::read_to_string(context.join("Dockerfile"))?;
    let (mut entry, mut variables, mut user) = (Vec::new(), Vec::new(), String::new());
    for line in dockerfile.lines() {
        let (instruction, rest) = line.split_once(' ').unwrap_or_default();
        match instruction {
            "COPY" => {
                let words: Vec<&str> = rest.split(' ').filter(|word| !word.starts_with("--")).collect();
                let [from, to] = words[..] else { bail!("{line}") };
                let (from, to) = (context.join(from), root.path(to));
                fs::create_dir_all(to.parent().context("a path")?)?;
                step::run(Command::new("cp").arg("-a").arg(&from).arg(&to))?;
                if rest.contains("--chown=65532:65532") {
                    chown(&to, Some(65_532), Some(65_532))?;
                }
            }
            "ENTRYPOINT" | "CMD" => entry.extend(serde_json::from_str::<Vec<String>>(rest)?),
            "ENV" => variables.extend(rest.split(' ').filter_map(|variable| variable.split_once('='))),
            "USER" => rest.clone_into(&mut user),
            _ => {}
        }
    }
    fs::remove_dir_all(&context)?;
    let words: Vec<&str> = entry.iter().map(String::as_str).collect();
    let mut command = root.command(&user, &words);
    command.envs(variables).env("COFFER_LISTEN", "127.0.0.1:0");
    let server = Server::start(&mut command, true)?;
    server.client.make_first_record()?;
    server.client.expect_web_app()?;
    server.stop()
}

/// Builds everything from a copy of the source in another folder, and compares.
fn build_again(packages: &Path, epoch: u64) -> Result<()> {
    let folder = root::folder().join("another");
    let listed = step::answer(Command::new("git").args(["ls-files", "--cached"]).current_dir(workspace::root()));
    for file in listed.context("git lists no files")?.lines() {
        let (from, to) = (workspace::root().join(file), folder.join(file));
        DirBuilder::new().recursive(true).mode(0o755).create(to.parent().context("a path")?)?;
        // What is the same keeps its time, so that an interrupted build goes on.
        let bytes = fs::read(&from)?;
        if !fs::read(&to).is_ok_and(|found| found == bytes) {
            fs::write(&to, bytes)?;
        }
    }
    // The tools are no part of what is built.
    let tools = folder.join("target/tools");
    if !tools.exists() {
        fs::create_dir_all(folder.join("target"))?;
        std::os::unix::fs::symlink(workspace::tools(), &tools)?;
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--quiet", "--locked", "--package", "xtask", "--", "package"]).current_dir(&folder);
    step::run(cargo.env("SOURCE_DATE_EPOCH", epoch.to_string()).env_remove("CARGO_TARGET_DIR"))?;
    let sums = |packages: &Path| fs::read_to_string(packages.join("SHA256SUMS"));
    let (first, second) = (sums(packages)?, sums(&folder.join("target/packages"))?);
    if first != second {
        bail!("the packages differ:\n{first}\n{second}");
    }
    Ok(())
}

/// The package whose name ends so.
fn find(packages: &Path, end: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(packages)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(end) {
            return Ok(path);
        }
    }
    bail!("{} has no …{end}", packages.display())
}
