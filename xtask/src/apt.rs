//! Debian's packages, for what neither cargo nor pip carries. Only as root, or with a sudo that asks nothing, and never where
//! [`REFUSE`] is set.

use std::{env, process::Command};

use anyhow::{Result, bail};

use crate::{step, workspace::which};

/// Set to anything, this keeps xtask from installing system packages: what needs them fails and names them.
pub(crate) const REFUSE: &str = "XTASK_NO_APT";

/// Says which packages are installed and why, and installs them; or says what to type.
pub(crate) fn install(packages: &[&str], why: &str) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("sudo apt-get install --no-install-recommends {list}");
    if env::var_os(REFUSE).is_some() {
        bail!("{why} need the system packages {list}, and {REFUSE} is set; run `{by_hand}`, or unset {REFUSE}");
    }
    if which("apt-get").is_none() {
        bail!("{why} need {list} (Debian's package names); install them and try again");
    }
    let root = step::answer(Command::new("id").arg("-u")).as_deref() == Some("0");
    if !root && step::answer(Command::new("sudo").args(["-n", "true"])).is_none() {
        bail!("{why} need {list}, and installing them takes root; run `{by_hand}` and try again");
    }
    println!("xtask: {why} need the system packages {list}; apt-get installs them now ({REFUSE}=1 refuses that)");
    let apt = |args: &[&str]| {
        let mut command = Command::new(if root { "env" } else { "sudo" });
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]).args(args);
        step::run(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}
