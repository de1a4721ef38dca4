//! Coffer under measurement: as it is handed out, with its defaults, filled through its own API.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{
    data::{PASSWORD, USERS},
    generator::Generator,
    process::{Process, Resident},
    workload::Site,
};
use crate::workspace;

const BOOKS: &str = "/api/records/books/";
const STARTS: usize = 5;

/// A server that has just said where it listens.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) address: String,
    /// For the first admin, where there is none yet.
    pub(super) setup_code: Option<String>,
}

/// Starts on empty stores: milliseconds from the start of the process to the first `/readyz` of 200, and what it then holds in memory.
pub(crate) fn starts(generator: &Generator, dir: &Path) -> Result<Vec<(f64, Resident)>> {
    let mut starts = Vec::with_capacity(STARTS);
    for n in 0..STARTS {
        let begun = Instant::now();
        let started = serve(&workspace::release("coffer"), &dir.join(format!("empty-{n}")), None, true)?;
        generator.wait_for(&started.address, "/readyz", Duration::from_secs(10))?;
        starts.push((begun.elapsed().as_secs_f64() * 1000.0, started.process.memory()?));
    }
    Ok(starts)
}

/// Fills a store and starts a server over it.
pub(crate) fn start(generator: &Generator, dir: &Path) -> Result<Site> {
    let program = workspace::release("coffer");
    let (data, web) = (dir.join("coffer"), dir.join("assets"));
    // The very bytes that the reference serves.
    fs::copy(dir.join("reference/static/bench.js.br"), web.join("bench.js.br")).context("WhiteNoise made no brotli")?;
    let (access, ids) = fill(generator, serve(&program, &data, Some(&web), true)?, &dir.join("books.json"))?;
    // Anew, so that the memory it holds is not that of the filling.
    let Started { process, address, .. } = serve(&program, &data, Some(&web), false)?;
    generator.wait_for(&address, "/readyz", Duration::from_secs(10))?;
    Ok(Site { process, address, books: BOOKS, file: "/bench.js", access, ids })
}

/// `empty`: the store is, so the server prints a link to set it up.
pub(super) fn serve(program: &Path, data: &Path, web: Option<&Path>, empty: bool) -> Result<Started> {
    let mut command = Command::new(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--access-lifetime", "2h"]);
    // One caller asks for everything here.
    command.args(["--rate-limit", "off", "--data"]).arg(data);
    if let Some(web) = web {
        command.arg("--web-dir").arg(web);
    }
    // The log is written as always, and goes nowhere.
    let mut process = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::null()))?;
    let mut said = BufReader::new(process.child().stdout.take().context("no stdout")?).lines();
    let (mut address, mut setup_code) = (None, None);
    // The link comes after the address.
    while address.is_none() || (empty && setup_code.is_none()) {
        let Some(line) = said.next() else { break };
        let line = line?;
        let place = line.split_once("http://").map(|(_, place)| place.trim_end());
        match place.and_then(|place| place.split_once("/setup?code=")) {
            Some((_, code)) => setup_code = Some(code.to_owned()),
            None => address = address.or_else(|| place.map(str::to_owned)),
        }
    }
    Ok(Started { process, address: address.context("coffer did not say where it listens")?, setup_code })
}

/// Makes users, collection and records. Gives an access token and the records' ids.
fn fill(generator: &Generator, server: Started, books: &Path) -> Result<(String, Vec<String>)> {
    let Started { process, address, setup_code } = server;
    let admin = json!({"username": "admin", "password": PASSWORD, "code": setup_code});
    generator.post(&address, "/api/setup/", "", &admin)?;
    let sign_in = |username: &str| -> Result<String> {
        let tokens =
            generator.post(&address, "/api/token/", "", &json!({"username": username, "password": PASSWORD}))?;
        Ok(tokens["access"].as_str().context("no access token")?.to_owned())
    };
    let token = sign_in("admin")?;
    for n in 0..USERS {
        let user = json!({"username": format!("user{n}"), "password": PASSWORD});
        generator.post(&address, "/api/users/", &token, &user)?;
    }
    let anyone = json!(["signed_in"]);
    generator.post(
        &address,
        "/api/collections/",
        &token,
        &json!({
            "name": "books",
            "fields": [
                {"name": "title", "type": "text", "required": true, "max_length": 200},
                {"name": "author", "type": "text", "required": true, "max_length": 100},
                {"name": "shelf", "type": "text", "required": true, "max_length": 20, "indexed": true},
                {"name": "copies", "type": "integer", "required": true, "min": 0},
                {"name": "price", "type": "decimal", "required": true, "places": 2},
                {"name": "published", "type": "date", "required": true},
                {"name": "lent", "type": "boolean"},
            ],
            "access": {"list": anyone, "view": anyone, "create": anyone, "update": anyone, "delete": anyone},
        }),
    )?;
    let owner = sign_in("user0")?;
    let books: Vec<Value> = serde_json::from_str(&fs::read_to_string(books)?)?;
    let mut ids = Vec::with_capacity(books.len());
    for some in books.chunks(1000) {
        let made = generator.post(&address, BOOKS, &owner, &some.into())?;
        let made = made.as_array().context("no array of records came back")?;
        ids.extend(made.iter().filter_map(|book| Some(book["id"].as_str()?.to_owned())));
    }
    drop(process);
    Ok((owner, ids))
}
