//! Debian's packages, for what neither cargo nor pip carries. Only as root, or with a sudo that asks nothing.

use std::process::Command;

use anyhow::{Result, bail};

use crate::step;
use crate::workspace::which;

/// Installs packages, or says what to type.
pub fn install(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    if which("apt-get").is_none() {
        bail!("this needs {list} (Debian's package names); install them and try again");
    }
    let root = step::answer(Command::new("id").arg("-u")).as_deref() == Some("0");
    if !root && step::answer(Command::new("sudo").args(["-n", "true"])).is_none() {
        bail!("not root here; run `sudo apt-get install --no-install-recommends {list}` and try again");
    }
    let apt = |args: &[&str]| {
        let mut command = Command::new(if root { "env" } else { "sudo" });
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]).args(args);
        step::run(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}
