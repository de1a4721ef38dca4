//! A PostgreSQL from Debian in a folder of its own, reached by a socket in it. Debian's own one, if it runs, stays as it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    apt,
    step::{self, step},
};

/// Where Debian keeps its programs, by version.
pub(crate) const PROGRAMS: &str = "/usr/lib/postgresql";

/// The programs of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(PROGRAMS).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    versions.max_by_key(number).map(|version| version.join("bin"))
}

/// One of its programs, as a user that it agrees to run as: it refuses root.
fn program(path: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if step::answer(Command::new("id").arg("-u")).as_deref() == Some("0") {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    // An interrupt ends it in order.
    command.args(["--pdeathsig", "INT", "--"]).arg(path).env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    command
}

/// Where one in this folder is reached.
pub(crate) fn url(dir: &Path) -> String {
    format!("postgres://postgres@/postgres?host={}", dir.join("postgres").display())
}

/// Starts one, over what is in the folder or over nothing, and waits until it takes connections.
pub(crate) fn start(dir: &Path) -> Result<Child> {
    if programs().is_none() {
        step("postgresql, by apt-get", || apt::install(&["postgresql"], "several servers over one database"))?;
    }
    let programs = programs().context("PostgreSQL is not where Debian puts it")?;
    let (own, data) = (dir.join("postgres"), dir.join("postgres/data"));
    fs::create_dir_all(&own)?;
    if step::answer(Command::new("id").arg("-u")).as_deref() == Some("0") {
        step::run(Command::new("chown").arg("postgres:postgres").arg(&own))?;
    }
    if !data.join("PG_VERSION").exists() {
        let mut init = program(&programs.join("initdb"));
        init.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--data-checksums", "-D"]);
        step("a new database", || step::run(init.arg(&data)))?;
    }
    let mut server = program(&programs.join("postgres"));
    server.arg("-D").arg(&data).arg("-k").arg(&own).args(["-c", "listen_addresses=", "-c", "max_connections=300"]);
    let mut server = server.spawn().context("PostgreSQL does not start")?;
    for _ in 0..300 {
        let mut asked = program(&programs.join("pg_isready"));
        if asked.arg("--quiet").arg("--host").arg(&own).status()?.success() {
            return Ok(server);
        }
        if let Some(status) = server.try_wait()? {
            bail!("PostgreSQL ended: {status}");
        }
        sleep(Duration::from_millis(100));
    }
    let _ = server.kill();
    bail!("PostgreSQL takes no connections")
}
