//! `cargo xtask first-load`: how long a first visit to the web app waits on slow networks (`xtask/first-load.mjs`), on the demo's store.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    e2e, page, size, spa,
    step::{self, step},
    workspace,
};

/// Measures the web app as it is, served by `program`, or by a release that is built first.
pub(crate) fn first_load(program: Option<&String>) -> Result<()> {
    spa::build()?;
    let browser = |name: &str| -> Result<PathBuf> {
        let tools = e2e::tools()?;
        tools.into_iter().find(|(known, _)| *known == name).map(|(_, path)| path).with_context(|| format!("no {name}"))
    };
    let (driver, chromium) = (browser("E2E_CHROMEDRIVER")?, browser("E2E_CHROMIUM")?);
    let program = if let Some(program) = program {
        PathBuf::from(program)
    } else {
        step("server", || {
            step::run(&mut workspace::cargo(&["build", "--release", "--locked", "--package", "coffer"]))
        })?;
        workspace::release("coffer")
    };
    let scratch = workspace::target().join("first-load");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    let files = scratch.join("web");
    fs::create_dir_all(&files)?;
    for file in page::files_of(&workspace::dist())? {
        let copy = files.join(file.file_name().unwrap_or_default());
        fs::copy(&file, &copy)?;
        size::write_brotli(&copy)?;
    }
    let mut server = Server::start(&program, &scratch.join("data"), &files)?;
    let (address, password) = server.said()?;
    step("first visits", || {
        let script = workspace::root().join("xtask/first-load.mjs");
        step::run(Command::new("node").arg(script).arg(driver).arg(chromium).args([&address, "demo", &password]))
    })
}

/// A server, for as long as this is held.
struct Server(Child);

impl Server {
    fn start(program: &Path, data: &Path, web: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--demo", "--listen", "127.0.0.1:0", "--web-csp", "app", "--data"]).arg(data);
        let command = command.arg("--web-dir").arg(web).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok(Self(command.spawn().with_context(|| format!("cannot start {}", program.display()))?))
    }

    /// Its address, and the password of the demo's admin.
    fn said(&mut self) -> Result<(String, String)> {
        let output = self.0.stdout.take().context("no output")?;
        let (mut address, mut password) = (None, None);
        for line in BufReader::new(output).lines() {
            let line = line?;
            address = address.or_else(|| line.strip_prefix("Coffer listens on ").map(str::to_owned));
            password = password.or_else(|| line.split_once("password: ").map(|(_, word)| word.to_owned()));
            if let (Some(address), Some(password)) = (&address, &password) {
                return Ok((address.clone(), password.clone()));
            }
        }
        bail!("the server ended before it listened")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
