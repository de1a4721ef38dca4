//! What the end-to-end tests drive: a browser, HTTPie and openssl for the commands on the pages, PostgreSQL for the store in a database, and real
//! words to load.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    apt, clients, postgresql, published,
    step::{self, step},
    workspace::{self, which},
};

const HTTPIE: &str = "3.2.4";
const WORDNET: &str = "/usr/share/wordnet";

/// The paths of the tools, as the tests read them from the environment (the contract is in `test.rs`).
pub(crate) fn tools() -> Result<Vec<(&'static str, PathBuf)>> {
    let missing: Vec<&str> = [
        ("chromium", chromium().is_none()),
        ("chromium-driver", chromedriver().is_none()),
        ("wordnet-base", !Path::new(WORDNET).join("data.noun").is_file()),
        ("openssl", which("openssl").is_none()),
        // Its server, which the tests start by themselves; Debian's own of it stays as it is.
        ("postgresql", !Path::new(postgresql::PROGRAMS).is_dir()),
    ]
    .into_iter()
    .filter_map(|(package, is_missing)| is_missing.then_some(package))
    .collect();
    if !missing.is_empty() {
        step(&format!("{}, by apt-get", missing.join(", ")), || apt::install(&missing, "the end-to-end tests"))?;
    }
    Ok(vec![
        ("E2E_CHROMIUM", chromium().context("no chromium on PATH")?),
        ("E2E_CHROMEDRIVER", chromedriver().context("no chromedriver on PATH")?),
        ("E2E_HTTP", httpie()?),
        ("E2E_CLIENTS", clients::install()?),
        ("E2E_CSV", published::fetch()?),
        ("E2E_WORDNET", PathBuf::from(WORDNET)),
    ])
}

fn chromium() -> Option<PathBuf> {
    let named = env::var_os("E2E_CHROMIUM").map(PathBuf::from);
    named.or_else(|| ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(which))
}

fn chromedriver() -> Option<PathBuf> {
    env::var_os("E2E_CHROMEDRIVER").map(PathBuf::from).or_else(|| which("chromedriver"))
}

/// HTTPie's `http`: the user's, or a private one by pip, or Debian's.
fn httpie() -> Result<PathBuf> {
    let venv = workspace::tools().join("httpie");
    let private = venv.join("bin/http");
    let answers = |http: &PathBuf| step::answer(Command::new(http).arg("--version")).is_some();
    if let Some(http) = which("http").filter(answers) {
        return Ok(http);
    }
    if answers(&private) {
        return Ok(private);
    }
    let by_pip = step(&format!("HTTPie {HTTPIE}, by pip"), || {
        if venv.exists() {
            fs::remove_dir_all(&venv)?;
        }
        step::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        step::run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", &format!("httpie=={HTTPIE}")]))
    });
    if by_pip.is_ok() {
        return Ok(private);
    }
    step("HTTPie, by apt-get", || apt::install(&["httpie"], "the tests of the documentation"))?;
    which("http").filter(answers).map_or_else(|| bail!("no http on PATH"), Ok)
}
