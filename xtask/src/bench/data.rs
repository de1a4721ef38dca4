//! What both servers hold: records, users, and a file. Made up by a fixed rule, so that every run has the same.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;
use serde_json::{Value, json};

/// Records in the collection.
pub(crate) const RECORDS: usize = 10_000;
/// Different values of the indexed field: [`RECORDS`] / 200 = 50 records have each.
pub(crate) const SHELVES: usize = 200;
/// Users, `user0` and so on: one for each connection that signs in.
pub(crate) const USERS: usize = 64;
/// Their password. The servers are gone when the measuring ends.
pub(crate) const PASSWORD: &str = "grows seven quinces a year";
/// About as much as a small web app's script.
const FILE_BYTES: usize = 200_000;

const SYLLABLES: [&str; 16] =
    ["ba", "con", "der", "el", "fir", "gan", "hol", "in", "ka", "lor", "mi", "nor", "per", "qui", "ta", "ver"];

/// Writes `books.json` for the seeding of both servers and `assets/bench.js` with its page.
pub(crate) fn write(dir: &Path) -> Result<()> {
    let mut random = Random(42);
    let books: Vec<Value> = (0..RECORDS).map(|n| book(n, &mut random)).collect();
    fs::write(dir.join("books.json"), Value::from(books).to_string())?;
    let assets = dir.join("assets");
    fs::create_dir_all(&assets)?;
    fs::write(assets.join("index.html"), "<!doctype html><title>Benchmark</title><script src=bench.js></script>\n")?;
    fs::write(assets.join("bench.js"), script(&mut random)?)?;
    Ok(())
}

fn book(n: usize, random: &mut Random) -> Value {
    json!({
        "title": format!("{} {} {n}", random.name(), random.name()),
        "author": format!("{} {}", random.name(), random.name()),
        "shelf": format!("shelf-{}", n % SHELVES),
        "copies": random.below(12),
        "price": format!("{}.{:02}", 3 + random.below(40), random.below(100)),
        "published": format!("{}-{:02}-{:02}", 1950 + random.below(75), 1 + random.below(12), 1 + random.below(28)),
        "lent": random.below(4) == 0,
    })
}

/// Text that compresses about as well as scripts do.
fn script(random: &mut Random) -> Result<String> {
    let mut script = String::with_capacity(FILE_BYTES + 100);
    while script.len() < FILE_BYTES {
        let (function, argument, other) = (random.name(), random.name(), random.name());
        let (factor, offset) = (random.below(10_000), random.below(100));
        writeln!(script, "function {function}({argument}) {{ return {other}({argument} * {factor}) + {offset}; }}")?;
    }
    script.truncate(FILE_BYTES);
    Ok(script)
}

/// xorshift64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }

    pub(super) fn name(&mut self) -> String {
        (0..2 + self.below(2)).map(|_| SYLLABLES[usize::try_from(self.below(16)).unwrap_or_default()]).collect()
    }
}
