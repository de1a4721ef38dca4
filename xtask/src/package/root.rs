//! Bare systems to install packages on: Debian 11, which has the oldest C library that is promised, by debootstrap. A command sees one as its root, with
//! the processes and devices of this machine, in a mount namespace of its own, so that nothing is left mounted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    apt,
    step::{self, step},
    workspace::{self, which},
};

const SUITE: &str = "bullseye";
const MIRROR: &str = "http://deb.debian.org/debian";
/// How long something may take that a system does by itself.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(200);
/// Its arguments: the root, the user, the program and its own.
const ENTER: &str = "root=$1 user=$2; shift 2; mount -t proc proc \"$root/proc\" && mount --rbind /dev \"$root/dev\" \
                     && exec chroot --userspec=\"$user\" \"$root\" \"$@\"";

/// One system.
pub(super) struct Root(PathBuf);

impl Root {
    /// A fresh one, in the place of an earlier one of this name.
    pub(super) fn fresh(name: &str) -> Result<Self> {
        let folder = folder().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        step::run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(base()?).arg(&folder))?;
        Ok(Self(folder))
    }

    /// A file's place on this machine.
    pub(super) fn path(&self, inside: &str) -> PathBuf {
        self.0.join(inside.trim_start_matches('/'))
    }

    /// A command in it, of a user.
    pub(super) fn command(&self, user: &str, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", ENTER, "sh"]).arg(&self.0).arg(user).args(words);
        command
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root");
        command.env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// Runs a command of root's in it, silent where it is done.
    pub(super) fn run(&self, words: &[&str]) -> Result<()> {
        let output = self.command("0:0", words).output().context("cannot start unshare")?;
        if !output.status.success() {
            let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            bail!("`{}` ended with {} there: {said}{errors}", words.join(" "), output.status);
        }
        Ok(())
    }

    /// Boots it, and gives the process that nsenter enters it by.
    pub(super) fn boot(&self) -> Result<Booted> {
        if which("systemd-nspawn").is_none() {
            apt::install(&["systemd-container"], "bare systems that boot")?;
        }
        let mut nspawn = Command::new("systemd-nspawn");
        nspawn.args(["--quiet", "--keep-unit", "--register=no", "--boot", "--directory"]).arg(&self.0);
        let mut process =
            nspawn.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("cannot start systemd-nspawn")?;
        let children = format!("/proc/{0}/task/{0}/children", process.id());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && process.try_wait()?.is_none() {
            let first = fs::read_to_string(&children).unwrap_or_default();
            if let Some(first) = first.split_whitespace().next() {
                let booted = Booted { process, first: first.to_owned() };
                booted.wait_for(
                    "systemctl is-system-running --wait > /dev/null || systemctl is-active --quiet multi-user.target",
                )?;
                return Ok(booted);
            }
            thread::sleep(PAUSE);
        }
        let _ = process.kill();
        let _ = process.wait();
        bail!("systemd-nspawn boots no system here")
    }

    /// Installs packages of the system's own.
    pub(super) fn apt(&self, packages: &[&str]) -> Result<()> {
        if packages.is_empty() {
            return Ok(());
        }
        fs::copy("/etc/resolv.conf", self.path("etc/resolv.conf"))?;
        self.run(&["apt-get", "-qq", "update"])?;
        self.run(&[&["apt-get", "-qq", "install", "-y", "--no-install-recommends"], packages].concat())
    }

    /// Brings a file into its `/tmp`, and says how it is called there.
    pub(super) fn take(&self, file: &Path) -> Result<String> {
        let inside = format!("/tmp/{}", file.file_name().unwrap_or_default().display());
        fs::copy(file, self.path(&inside))?;
        Ok(inside)
    }
}

/// A system that is up, until it is dropped.
pub(super) struct Booted {
    process: Child,
    /// The system's own first process, by its number here.
    first: String,
}

impl Booted {
    /// Runs a script as root in it, and gives what it says.
    pub(super) fn run(&self, script: &str) -> Result<String> {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &self.first, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]);
        nsenter
            .args(["sh", "-ec", script])
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        let output = nsenter.env("DEBIAN_FRONTEND", "noninteractive").output().context("cannot start nsenter")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("`{script}` ended with {} there: {said}{}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(said)
    }

    /// Waits until a script succeeds.
    pub(super) fn wait_for(&self, script: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.run(script) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        let _ = self.run("systemctl poweroff --force --force");
        let _ = self.process.wait();
    }
}

pub(super) fn folder() -> PathBuf {
    workspace::target().join("packages-check")
}

/// The system that others are copied from: made once.
fn base() -> Result<PathBuf> {
    let base = folder().join(SUITE);
    if base.exists() {
        return Ok(base);
    }
    if which("debootstrap").is_none() {
        apt::install(&["debootstrap"], "bare systems to try packages on")?;
    }
    step(&format!("a bare {SUITE}, by debootstrap"), || {
        let part = folder().join("unfinished");
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(folder())?;
        let mut debootstrap = Command::new("debootstrap");
        let output = debootstrap.args(["--variant=minbase", SUITE]).arg(&part).arg(MIRROR).output()?;
        if !output.status.success() {
            bail!("debootstrap said: {}", String::from_utf8_lossy(&output.stdout));
        }
        Ok(fs::rename(&part, &base)?)
    })?;
    Ok(base)
}
