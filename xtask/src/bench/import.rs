//! `cargo xtask bench import`: files of a hundred thousand rows of five columns, as CSV and as JSON lines, sent over HTTP and by `coffer import`, each into an
//! empty store; and ten thousand sales of the last ten items at once. Prints rows per second and the most memory that the server held.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _, copy},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{
    coffer::{Started, serve},
    process::Process,
};
use crate::{step::step, workspace};

const PASSWORD: &str = "seven otters mend a kite";
/// Sales, and the connections that send them.
const SALES: usize = 10_000;
const SELLERS: usize = 64;
const ITEMS: usize = 10;

/// Measures, and fails where not every row came in, or more was sold than there was.
pub(super) fn import(args: &[String]) -> Result<()> {
    let (mut rows, mut program) = (100_000, None);
    for pair in args.chunks(2) {
        match pair {
            [flag, count] if flag == "--rows" => rows = count.parse().context("--rows wants a number")?,
            [flag, path] if flag == "--program" => program = Some(PathBuf::from(path)),
            _ => bail!("cargo xtask bench import [--rows N] [--program PATH]"),
        }
    }
    let program = match program {
        Some(program) => program,
        None => step("build a release", || {
            let built = workspace::cargo(&["build", "--release", "-p", "coffer", "--bin", "coffer"]).status()?;
            if built.success() { Ok(workspace::release("coffer")) } else { bail!("the release does not build") }
        })?,
    };
    let dir = workspace::target().join("bench-import");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;
    let mut lines = Vec::new();
    for (name, kind, line) in [
        ("goods.csv", "text/csv", csv as fn(usize) -> String),
        ("goods.ndjson", "application/x-ndjson", ndjson as fn(usize) -> String),
    ] {
        let file = dir.join(name);
        write(&file, rows, if name.ends_with("csv") { "code,title,price,day,maker\n" } else { "" }, line)?;
        for by_command in [false, true] {
            let way = if by_command { "coffer import" } else { "HTTP" };
            let site = Site::start(&program, &dir.join(format!("{name}-{by_command}")))?;
            let begun = Instant::now();
            step(&format!("{name} by {way}"), || {
                if by_command { site.by_command(&program, &file) } else { site.by_http(&file, kind) }
            })?;
            let seconds = begun.elapsed().as_secs_f64();
            let found = site.ask("GET", "/api/records/goods/?page_size=1", None)?["count"].clone();
            ensure!(found == rows, "{found} of {rows} rows came in from {name} by {way}");
            lines.push(row(&format!("{name} by {way}"), rows, seconds, site.idle, site.process.memory()?.peak));
        }
    }
    let site = Site::start(&program, &dir.join("sales"))?;
    let begun = Instant::now();
    let sold = step("sales of the last items at once", || site.sell())?;
    ensure!(sold == ITEMS, "{sold} of {ITEMS} items were sold");
    lines.push(row("sales at once", SALES, begun.elapsed().as_secs_f64(), site.idle, site.process.memory()?.peak));
    drop(site);
    fs::remove_dir_all(&dir)?;
    println!("\n{:<30}{:>9}{:>9}{:>10}{:>10}{:>10}", "", "rows", "s", "rows/s", "MB idle", "MB peak");
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)] // shown with a few digits
fn row(what: &str, rows: usize, seconds: f64, idle: u64, peak: u64) -> String {
    let [idle, peak] = [idle, peak].map(|bytes| bytes as f64 / 1e6);
    format!("{what:<30}{rows:>9}{seconds:>9.2}{:>10.0}{idle:>10.1}{peak:>10.1}", rows as f64 / seconds)
}

fn csv(n: usize) -> String {
    format!("c{n},\"The title, number {n}\",{}.{:02},2026-01-{:02},maker {}", n % 90, n % 100, 1 + n % 28, n % 7)
}

fn ndjson(n: usize) -> String {
    let price = format!("{}.{:02}", n % 90, n % 100);
    let (title, day) = (format!("The title, number {n}"), format!("2026-01-{:02}", 1 + n % 28));
    json!({"code": format!("c{n}"), "title": title, "price": price, "day": day, "maker": format!("maker {}", n % 7)})
        .to_string()
}

fn write(file: &Path, rows: usize, head: &str, line: fn(usize) -> String) -> Result<()> {
    let mut text = head.to_owned();
    for n in 0..rows {
        writeln!(text, "{}", line(n))?;
    }
    Ok(fs::write(file, text)?)
}

/// A server with a collection for the rows, and its admin's token.
struct Site {
    process: Process,
    address: String,
    token: String,
    /// Bytes that it held before.
    idle: u64,
}

impl Site {
    fn start(program: &Path, data: &Path) -> Result<Self> {
        let Started { process, address, setup_code } = serve(program, data, None, true)?;
        let mut site = Self { process, address, token: String::new(), idle: 0 };
        let admin = json!({"username": "ada", "password": PASSWORD, "code": setup_code});
        site.ask("POST", "/api/setup/", Some(&admin))?;
        let tokens = site.ask("POST", "/api/token/", Some(&json!({"username": "ada", "password": PASSWORD})))?;
        tokens["access"].as_str().context("no access token")?.clone_into(&mut site.token);
        let fields = json!([
            {"name": "code", "type": "text", "unique": true}, {"name": "title", "type": "text"},
            {"name": "price", "type": "decimal", "places": 2}, {"name": "day", "type": "date"}, {"name": "maker", "type": "text"},
        ]);
        site.ask("POST", "/api/collections/", Some(&json!({"name": "goods", "fields": fields})))?;
        site.idle = site.process.memory()?.now;
        Ok(site)
    }

    fn head(&self, method: &str, path: &str, kind: &str, length: u64) -> String {
        let bearer =
            if self.token.is_empty() { String::new() } else { format!("authorization: Bearer {}\r\n", self.token) };
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{bearer}content-type: {kind}\r\ncontent-length: {length}\r\n\r\n",
            self.address
        )
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut line = TcpStream::connect(&self.address)?;
        line.write_all(self.head(method, path, "application/json", body.len() as u64).as_bytes())?;
        line.write_all(body.as_bytes())?;
        let (status, answer) = answer(&mut BufReader::new(line))?;
        ensure!((200..300).contains(&status), "{method} {path} was answered with {status}: {answer}");
        Ok(answer)
    }

    fn by_http(&self, file: &Path, kind: &str) -> Result<()> {
        let mut file = File::open(file)?;
        let mut line = TcpStream::connect(&self.address)?;
        let head = self.head("POST", "/api/records/goods/import/", kind, file.metadata()?.len());
        line.write_all(head.as_bytes())?;
        copy(&mut file, &mut line)?;
        let (status, begun) = answer(&mut BufReader::new(line))?;
        ensure!(matches!(status, 200 | 202), "the import was answered with {status}: {begun}");
        let path = format!("/api/operations/{}/", begun["operation"].as_str().context("it is no operation")?);
        loop {
            let now = self.ask("GET", &path, None)?;
            match now["state"].as_str() {
                Some("done") => return Ok(()),
                Some("running" | "waiting") => thread::sleep(Duration::from_millis(50)),
                _ => bail!("the import ended as {now}"),
            }
        }
    }

    fn by_command(&self, program: &Path, file: &Path) -> Result<()> {
        let mut command = Command::new(program);
        command.arg("import").arg(file).args(["--to", "goods", "--user", "ada", "--password-stdin", "--server"]);
        let mut child =
            command.arg(format!("http://{}", self.address)).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        child.stdin.take().context("no stdin")?.write_all(PASSWORD.as_bytes())?;
        ensure!(child.wait()?.success(), "coffer import failed");
        Ok(())
    }

    /// Sells what there is of one good, over many connections at once. Gives how many were sold.
    fn sell(&self) -> Result<usize> {
        let fields = json!([{"name": "stock", "type": "integer", "min": 0}]);
        self.ask("POST", "/api/collections/", Some(&json!({"name": "shelf", "fields": fields})))?;
        let good = self.ask("POST", "/api/records/shelf/", Some(&json!({"stock": ITEMS})))?;
        let path = format!("/api/records/shelf/{}/", good["id"].as_str().context("it has no id")?);
        let sale = json!({"stock": {"$add": -1}}).to_string();
        let request = self.head("PATCH", &path, "application/json", sale.len() as u64) + &sale;
        let (left, sold) = (AtomicUsize::new(SALES), AtomicUsize::new(0));
        let seller = || -> Result<()> {
            let mut line = BufReader::new(TcpStream::connect(&self.address)?);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                line.get_mut().write_all(request.as_bytes())?;
                let (status, told) = answer(&mut line)?;
                ensure!(matches!(status, 200 | 400), "a sale was answered with {status}: {told}");
                sold.fetch_add(usize::from(status == 200), Ordering::Relaxed);
            }
            Ok(())
        };
        thread::scope(|scope| {
            let sellers: Vec<_> = (0..SELLERS).map(|_| scope.spawn(seller)).collect();
            for seller in sellers {
                seller.join().map_err(|_| anyhow::anyhow!("a seller failed"))??;
            }
            Ok(sold.load(Ordering::Relaxed))
        })
    }
}

/// Reads an answer with a length; its status and JSON.
fn answer(line: &mut BufReader<TcpStream>) -> Result<(u16, Value)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(line.read_line(&mut head)? > 0, "the server hung up");
    }
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    line.read_exact(&mut body)?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
