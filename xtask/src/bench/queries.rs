//! `cargo xtask bench queries`: Coffer beside `PocketBase`, asked for what indexes serve and what they do not, at several sizes. Prints the tables and writes
//! them into `docs/benchmarks.md`.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{
    chart::{spaced, times},
    coffer,
    data::PASSWORD,
    generator::{Generator, Measured},
    orders::{self, COUNTRIES, KINDS, MAKERS, Order, word},
    page::markdown,
    pocketbase,
    process::Process,
    result::{median, megabytes},
};
use crate::{step::step, workspace};

const WARM_UP: f64 = 0.5;
/// Connections that ask at once.
const CONNECTIONS: usize = 64;
/// At this size what no index serves is held to be as fast.
const SMALL: usize = 10_000;

/// A server that is asked.
pub(super) struct Peer {
    pub(super) process: Process,
    pub(super) address: String,
    /// Of an ordinary user.
    pub(super) access: String,
    /// Of the orders.
    pub(super) ids: Vec<String>,
    /// How long it took to fill it, in arrays of 1,000.
    pub(super) filled: Duration,
    /// Bytes on the disk.
    pub(super) size: u64,
}

/// Who serves a question.
#[derive(Clone, Copy, PartialEq)]
enum Served {
    /// An index of both servers.
    ByIndex,
    /// An index here, and none there.
    ByIndexHere,
    ByNone,
    /// It writes.
    Write,
}

impl Served {
    /// So many times the requests per second of the other are to be reached.
    fn target(self, records: usize) -> Option<f64> {
        match self {
            Self::ByIndex | Self::ByIndexHere => Some(5.0),
            Self::Write => Some(4.0),
            Self::ByNone => (records == SMALL).then_some(1.0),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::ByIndex => "",
            Self::ByIndexHere => " (no index there)",
            Self::ByNone => " (no index)",
            Self::Write => " (durable here)",
        }
    }
}

/// One question in both languages: method, path behind the collection's, body. `{pick}` stands for one of `picks`, else for an id.
struct Question {
    title: &'static str,
    served: Served,
    method: &'static str,
    coffer: &'static str,
    pocketbase: &'static str,
    body: Option<fn() -> [Value; 2]>,
    picks: fn() -> Vec<String>,
}

const fn ask(title: &'static str, served: Served, coffer: &'static str, pocketbase: &'static str) -> Question {
    Question { title, served, method: "GET", coffer, pocketbase, body: None, picks: Vec::new }
}

/// In this order: what writes comes last.
fn questions() -> Vec<Question> {
    let mut all = reads();
    all.extend(writes());
    all
}

fn writes() -> [Question; 2] {
    [
        Question {
            method: "PATCH",
            body: Some(|| [json!({"price": "{n}"}), json!({"price": 12.5})]),
            ..ask("Change one, five indexes", Served::Write, "{pick}/", "/{pick}")
        },
        Question {
            method: "POST",
            body: Some(|| {
                let made = |price: Value| {
                    json!({
                        "title": "Another {n}", "kind": "kind-3", "price": price, "placed": "2024-02-29", "copies": 3,
                        "note": "a short note",
                    })
                };
                [made("12.50".into()), made(12.5.into())]
            }),
            ..ask("Create one, five indexes", Served::Write, "", "")
        },
    ]
}

fn reads() -> Vec<Question> {
    let kinds = || (0..KINDS).map(|n| format!("kind-{n}")).collect();
    let prices = || (0..1_000).map(|n| format!("{n}.5")).collect();
    let words = || (0..5_000).map(word).collect();
    let countries = || (0..COUNTRIES).map(|n| format!("country-{n}")).collect();
    vec![
        ask("Get one", Served::ByIndex, "{pick}/", "/{pick}"),
        ask("List 20 with the total", Served::ByIndex, "", "?perPage=20"),
        Question {
            picks: prices,
            ..ask(
                "A range, 20 with the total",
                Served::ByIndex,
                "?price__gt={pick}",
                "?perPage=20&filter=price%3E{pick}",
            )
        },
        Question {
            picks: prices,
            ..ask(
                "A range, ordered by the same field",
                Served::ByIndex,
                "?price__lt={pick}&ordering=-price",
                "?perPage=20&filter=price%3C{pick}&sort=-price",
            )
        },
        Question {
            picks: prices,
            ..ask(
                "A range, ordered by another field with an index",
                Served::ByIndex,
                "?price__lt={pick}&ordering=-placed",
                "?perPage=20&filter=price%3C{pick}&sort=-placed",
            )
        },
        ask("A range that nothing is in", Served::ByIndex, "?price__gt=5000", "?perPage=20&filter=price%3E5000"),
        Question {
            picks: kinds,
            ..ask(
                "One kind, ordered by price",
                Served::ByIndex,
                "?kind={pick}&ordering=-price",
                "?perPage=20&filter=kind%3D%22{pick}%22&sort=-price",
            )
        },
        ask(
            "Three kinds, ordered by price",
            Served::ByIndex,
            "?kind__in=kind-1,kind-2,kind-3&ordering=-price",
            "?perPage=20&filter=kind%3D%22kind-1%22%7C%7Ckind%3D%22kind-2%22%7C%7Ckind%3D%22kind-3%22&sort=-price",
        ),
        Question {
            picks: countries,
            ..ask(
                "Two references on: of one country",
                Served::ByIndex,
                "?maker__country__name={pick}",
                "?perPage=20&filter=maker.country.name%3D%22{pick}%22",
            )
        },
        Question {
            picks: words,
            ..ask(
                "Two words in a text of 470 characters",
                Served::ByIndexHere,
                "?search=bababus+{pick}",
                "?perPage=20&filter=note~%22bababus%22%26%26note~%22{pick}%22",
            )
        },
        ask(
            "Counts and sums by month",
            Served::ByNone,
            "aggregate/?group_by=placed__month&count=*&sum=price",
            "MONTHS?perPage=100",
        ),
        Question {
            picks: prices,
            ..ask(
                "A text within a text",
                Served::ByNone,
                "?title__icontains={pick}",
                "?perPage=20&filter=title~%22{pick}%22",
            )
        },
    ]
}

impl Question {
    fn job(&self, peer: &Peer, is_coffer: bool) -> Value {
        let (base, path, prefix) = match is_coffer {
            true => ("/api/records/orders/", self.coffer, "Bearer "),
            false if self.pocketbase.starts_with("MONTHS") => {
                ("/api/collections/months/records", &self.pocketbase["MONTHS".len()..], "")
            }
            false => ("/api/collections/orders/records", self.pocketbase, ""),
        };
        let body = self.body.map(|body| body()[usize::from(!is_coffer)].to_string()).unwrap_or_default();
        let headers = [format!("authorization: {prefix}{}", peer.access), "content-type: application/json".to_owned()];
        let headers = if body.is_empty() { &headers[..1] } else { &headers };
        let picks = (self.picks)();
        let picks = if picks.is_empty() { peer.ids.clone() } else { picks };
        let request = json!({
            "address": peer.address, "method": self.method, "path": format!("{base}{path}"), "headers": headers, "body": body,
        });
        json!({"foreground": {"request": request, "picks": picks, "connections": CONNECTIONS}})
    }
}

/// What came of one size.
struct Size {
    records: usize,
    rows: Vec<(Question, [Vec<Measured>; 2])>,
    filled: Vec<Duration>,
    disk: Vec<u64>,
    idle: Vec<u64>,
    peak: Vec<u64>,
}

impl Size {
    fn of(row: &[Vec<Measured>; 2], server: usize, what: impl Fn(&Measured) -> f64) -> f64 {
        median(row[server].iter().map(what))
    }

    fn ratio(row: &[Vec<Measured>; 2]) -> f64 {
        Self::of(row, 0, |one| one.per_second) / Self::of(row, 1, |one| one.per_second)
    }
}

struct Settings {
    sizes: Vec<usize>,
    rounds: usize,
    seconds: f64,
    program: Option<PathBuf>,
    /// `PocketBase` is asked too.
    with_peer: bool,
}

impl Settings {
    fn parse(args: &[String]) -> Result<Self> {
        let mut settings =
            Self { sizes: vec![SMALL, 100_000], rounds: 3, seconds: 2.0, program: None, with_peer: true };
        for pair in args.chunks(2) {
            match pair {
                [flag, sizes] if flag == "--records" => {
                    let sizes = sizes.split(',').map(|size| size.parse().context("--records wants numbers"));
                    settings.sizes = sizes.collect::<Result<_>>()?;
                }
                [flag, rounds] if flag == "--rounds" => {
                    settings.rounds = rounds.parse().context("--rounds wants a number")?;
                }
                [flag, seconds] if flag == "--seconds" => {
                    settings.seconds = seconds.parse().context("--seconds wants a number")?;
                }
                [flag, path] if flag == "--program" => settings.program = Some(path.into()),
                [flag, none] if flag == "--peer" && none == "none" => settings.with_peer = false,
                _ => bail!(
                    "cargo xtask bench queries [--records N,N] [--rounds N] [--seconds S] [--program PATH of a release] [--peer none]"
                ),
            }
        }
        ensure!(settings.rounds > 0 && settings.seconds > 0.0, "nothing to measure in no time");
        Ok(settings)
    }
}

/// Measures, prints, and writes the page.
pub(super) fn queries(args: &[String]) -> Result<()> {
    let settings = Settings::parse(args)?;
    let _one_at_a_time = workspace::lock()?;
    let program = settings.program.clone().unwrap_or_else(|| workspace::release("coffer"));
    if settings.program.is_none() || !workspace::release("examples/load").exists() {
        step("server and load generator", super::build)?;
    }
    let other = settings.with_peer.then(pocketbase::install).transpose()?;
    let generator = Generator::new();
    let mut sizes = Vec::new();
    for &records in &settings.sizes {
        let dir = workspace::target().join("bench-queries");
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        let orders = orders::orders(records);
        let start = || start(&generator, &program, &dir, &orders);
        let coffer = step("Coffer: orders", start)?;
        let mut peers = vec![coffer];
        if let Some(other) = &other {
            peers.push(step("PocketBase: orders", || pocketbase::start(&generator, other, &dir, &orders))?);
        }
        sizes.push(size(&generator, &settings, records, &peers)?);
        fs::remove_dir_all(&dir)?;
    }
    let page = page(&sizes, &settings);
    println!("\n{page}");
    super::page::write_queries(&page)?;
    let errors: usize =
        sizes.iter().flat_map(|size| &size.rows).flat_map(|(_, row)| row.iter().flatten()).map(|one| one.errors).sum();
    ensure!(errors == 0, "{errors} answers were no success; the first of each question is told above");
    Ok(())
}

fn size(generator: &Generator, settings: &Settings, records: usize, peers: &[Peer]) -> Result<Size> {
    let memory = || peers.iter().map(|peer| peer.process.memory()).collect::<Result<Vec<_>>>();
    let idle = memory()?.iter().map(|memory| memory.now).collect();
    let mut rows = Vec::new();
    for question in questions() {
        let mut row = [Vec::new(), Vec::new()];
        step(&format!("{records}: {}", question.title), || {
            for _ in 0..settings.rounds {
                for (server, peer) in peers.iter().enumerate() {
                    let job = question.job(peer, server == 0);
                    peer.process.wait_until_idle()?;
                    let one = generator.load(&peer.process, &job, WARM_UP, settings.seconds)?;
                    println!("  {:<10} {one}", ["Coffer", "PocketBase"][server]);
                    if one.errors > 0 {
                        println!("  {} errors {:?}: {}", one.errors, one.statuses, one.first_error);
                    }
                    row[server].push(one);
                }
            }
            Ok(())
        })?;
        rows.push((question, row));
    }
    let peak = memory()?.iter().map(|memory| memory.peak).collect();
    let (filled, disk) = peers.iter().map(|peer| (peer.filled, peer.size)).unzip();
    Ok(Size { records, rows, filled, disk, idle, peak })
}

/// Fills a store and starts a server over it.
fn start(generator: &Generator, program: &Path, dir: &Path, orders: &[Order]) -> Result<Peer> {
    let data = dir.join("coffer");
    let server = coffer::serve(program, &data, None, true)?;
    let (address, code) = (server.address.clone(), server.setup_code.clone());
    generator.post(&address, "/api/setup/", "", &json!({"username": "admin", "password": PASSWORD, "code": code}))?;
    let sign_in = |address: &str, username: &str| -> Result<String> {
        let tokens =
            generator.post(address, "/api/token/", "", &json!({"username": username, "password": PASSWORD}))?;
        Ok(tokens["access"].as_str().context("no access token")?.to_owned())
    };
    let token = sign_in(&address, "admin")?;
    generator.post(&address, "/api/users/", &token, &json!({"username": "user", "password": PASSWORD}))?;
    let anyone = json!(["signed_in"]);
    let access = json!({"list": anyone, "view": anyone, "create": anyone, "update": anyone, "delete": anyone});
    let define = |name: &str, fields: Value, indexes: Value| {
        let definition = json!({"name": name, "fields": fields, "indexes": indexes, "access": access});
        generator.post(&address, "/api/collections/", &token, &definition)
    };
    define("countries", json!([{"name": "name", "type": "text", "unique": true}]), json!([]))?;
    let country = json!({"name": "country", "type": "reference", "collection": "countries", "on_delete": "restrict"});
    define("makers", json!([{"name": "name", "type": "text"}, country]), json!([]))?;
    define(
        "orders",
        json!([
            {"name": "title", "type": "text", "max_length": 200},
            {"name": "kind", "type": "text"},
            {"name": "price", "type": "decimal", "places": 2, "indexed": true},
            {"name": "placed", "type": "date", "indexed": true},
            {"name": "copies", "type": "integer", "indexed": true},
            {"name": "maker", "type": "reference", "collection": "makers", "on_delete": "restrict"},
            {"name": "note", "type": "text", "searchable": true},
        ]),
        json!([{"fields": ["kind", "-price"]}]),
    )?;
    let user = sign_in(&address, "user")?;
    let create = |collection: &str, bodies: Vec<Value>| -> Result<Vec<String>> {
        let made = generator.post(&address, &format!("/api/records/{collection}/"), &user, &bodies.into())?;
        let made = made.as_array().context("no array came back")?;
        Ok(made.iter().filter_map(|one| Some(one["id"].as_str()?.to_owned())).collect())
    };
    let begun = Instant::now();
    let countries = create("countries", (0..COUNTRIES).map(|n| json!({"name": format!("country-{n}")})).collect())?;
    let makers = (0..MAKERS).map(|n| json!({"name": format!("maker-{n}"), "country": countries[n % COUNTRIES]}));
    let makers = create("makers", makers.collect())?;
    let mut ids = Vec::with_capacity(orders.len());
    for some in orders.chunks(1000) {
        ids.extend(create("orders", some.iter().map(|order| order.json(&makers)).collect())?);
    }
    let filled = begun.elapsed();
    drop(server);
    // Anew, so that the memory it holds is not that of the filling.
    let server = coffer::serve(program, &data, None, false)?;
    generator.wait_for(&server.address, "/readyz", Duration::from_mins(1))?;
    let access = sign_in(&server.address, "user")?;
    Ok(Peer { process: server.process, address: server.address, access, ids, filled, size: pocketbase::disk(&data)? })
}

fn page(sizes: &[Size], settings: &Settings) -> String {
    let mut page = format!(
        "\n## Queries, beside PocketBase\n\nCoffer beside PocketBase {} over the same orders, {CONNECTIONS} connections, the two asked in turns. Written by `cargo xtask bench queries`.\n\
         {} rounds of {} s for each figure, the median of them; \"times\" is Coffer's requests per second over PocketBase's. Coffer syncs each group of commits to the disk before it answers; PocketBase \
         writes its log in WAL mode with `synchronous=NORMAL`, and syncs at checkpoints alone. An order has seven fields, five indexes of one or two fields, and refers to one of {MAKERS} makers, who refer to \
         {COUNTRIES} countries. Here its note has an index of words besides, which PocketBase has not.\n",
        pocketbase::VERSION,
        settings.rounds,
        settings.seconds,
    );
    for size in sizes {
        let _ = writeln!(page, "\n### {} orders\n", spaced(count(size.records)));
        let head = ["", "times", "to reach", "requests/s", "p99 ms", "CPU µs", "requests/s", "p99 ms", "CPU µs"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for (question, row) in &size.rows {
            let ratio = Size::ratio(row);
            let target = question.served.target(size.records).filter(|_| size.filled.len() > 1);
            let mut cells = vec![format!("{}{}", question.title, question.served.words()), times(ratio)];
            cells.push(target.map_or_else(String::new, |target| {
                format!("{target} × {}", if ratio >= target { "reached" } else { "**missed**" })
            }));
            for server in 0..2 {
                let is_answered = Size::of(row, server, |one| one.per_second) > 0.0;
                if !is_answered {
                    let word = if row[server].is_empty() { "not asked" } else { "none in time" };
                    cells.extend([word, "", ""].map(str::to_owned));
                    continue;
                }
                cells.push(spaced(Size::of(row, server, |one| one.per_second)));
                cells.push(format!("{:.2}", Size::of(row, server, |one| one.p99_us / 1000.0)));
                cells.push(spaced(Size::of(row, server, Measured::cpu_us)));
            }
            rows.push(cells);
        }
        page += &markdown(&rows);
        page.push('\n');
        for (server, name) in ["Coffer", "PocketBase"].iter().enumerate().take(size.filled.len()) {
            let [disk, idle, peak] = [&size.disk, &size.idle, &size.peak].map(|of| megabytes(of[server]));
            let _ = writeln!(
                page,
                "{name} was filled in arrays of 1,000 in {:.1} s, has {disk:.0} MB on the disk, in memory {idle:.0} MB before the first request and {peak:.0} MB at most.",
                size.filled[server].as_secs_f64(),
            );
        }
    }
    if let [first, .., last] = sizes {
        let _ = writeln!(
            page,
            "\n### What a question costs as the collection grows\n\nCoffer's processor time for one, at {} over {} orders. To reach: at most 2 × where an index serves it.\n",
            spaced(count(last.records)),
            spaced(count(first.records)),
        );
        let mut rows = vec![["", "times", ""].map(str::to_owned).to_vec()];
        for ((question, small), (_, large)) in first.rows.iter().zip(&last.rows) {
            let ratio = Size::of(large, 0, Measured::cpu_us) / Size::of(small, 0, Measured::cpu_us);
            let word = match question.served {
                Served::ByNone => "no index",
                _ if !ratio.is_finite() => "none in time",
                _ if ratio <= 2.0 => "reached",
                _ => "**missed**",
            };
            rows.push(vec![question.title.to_owned(), times(ratio), word.to_owned()]);
        }
        page += &markdown(&rows);
    }
    page
}

#[allow(clippy::cast_precision_loss)] // Records are far fewer than 2^52.
fn count(records: usize) -> f64 {
    records as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_a_list_of_numbers() {
        let parse = |text: &str| Settings::parse(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parse("--records 10,2000 --rounds 1").unwrap().sizes, [10, 2000]);
        assert!(parse("--records many").is_err());
        assert!(parse("--rounds 0").is_err());
        assert!(parse("--else 1").is_err());
    }

    #[test]
    fn words_of_notes_differ() {
        let words: std::collections::BTreeSet<String> = (0..5_000).map(word).collect();
        assert_eq!(words.len(), 5_000);
    }
}
