//! What Coffer is compared with: Django REST Framework as a careful team deploys it, in a virtual environment of its own. The project is in
//! `xtask/reference`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{
    data::{PASSWORD, RECORDS, USERS},
    generator::Generator,
    process::{self, Process},
    workload::Site,
};
use crate::{
    apt,
    step::{self, step},
    workspace,
};

fn project() -> PathBuf {
    workspace::root().join("xtask/reference")
}

/// The pinned packages, a line each.
pub(crate) fn requirements() -> Result<String> {
    Ok(fs::read_to_string(project().join("requirements.txt"))?)
}

/// The interpreter with the pinned packages, installed if need be.
pub(crate) fn install() -> Result<PathBuf> {
    let venv = workspace::tools().join("reference");
    let (python, stamp) = (venv.join("bin/python"), venv.join("requirements.txt"));
    let wanted = requirements()?;
    let works = step::answer(Command::new(&python).args(["-c", "import django, gunicorn"])).is_some();
    if works && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    step("reference: Django and what goes with it, by pip", || {
        let make = || {
            if venv.exists() {
                fs::remove_dir_all(&venv)?;
            }
            step::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))
        };
        if make().is_err() {
            apt::install(&["python3-venv"], "the benchmarks of the reference")?;
            make()?;
        }
        let list = project().join("requirements.txt");
        step::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--no-deps", "-r"]).arg(list))
    })?;
    fs::write(stamp, wanted)?;
    Ok(python)
}

/// Fills a database and starts Gunicorn over it.
pub(crate) fn start(generator: &Generator, python: &Path, dir: &Path) -> Result<Site> {
    let data = dir.join("reference");
    fs::create_dir_all(&data)?;
    let command = |args: &[&str]| {
        let mut command = Command::new(python);
        command.args(args).current_dir(project());
        command.env("REFERENCE_DATA", &data).env("REFERENCE_ASSETS", dir.join("assets"));
        command.env("PYTHONDONTWRITEBYTECODE", "1"); // no __pycache__ in the sources
        command
    };
    let books = dir.join("books.json");
    let mut seed = command(&["seed.py", &books.to_string_lossy(), &USERS.to_string(), PASSWORD]);
    let access = step::answer(seed.stderr(Stdio::inherit())).context("the reference's database could not be filled")?;
    let address = process::free_address()?;
    let mut gunicorn = command(&["-m", "gunicorn", "--workers", "2", "--threads", "4", "--worker-class", "gthread"]);
    // Connections stay open between requests as long as Coffer keeps them.
    gunicorn.args(["--keep-alive", "75", "--bind", &address, "--log-level", "error", "--no-control-socket", "app"]);
    let process = Process::start(&mut gunicorn)?;
    generator.wait_for(&address, "/readyz", Duration::from_mins(1))?;
    let ids = (1..=RECORDS).map(|id| id.to_string()).collect();
    Ok(Site { process, address, books: "/api/books/", file: "/static/bench.js", access, ids })
}
