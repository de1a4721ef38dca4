//! How many bytes a record takes: on the disk, and under the keys of each space, after records are made and after each was changed once.
//!
//!     cargo run -p coffer --example store_size [-- RECORDS]
//!
//! Records of 60 bytes with one indexed field, by 64 writers at once, so that a commit group has 64; then by a lone writer. The layout
//! decides this, and neither the machine nor the build. `cargo xtask bench store-size` holds the figures to those of 0.1.0.

#[path = "shared/figures.rs"]
mod figures;

use std::{collections::BTreeMap, env, path::Path, sync::Arc};

use anyhow::{Context, Result};
use base::{Clock, Entropy, IdSource};
use coffer::domain::{
    Core, collections,
    journal::Actor,
    keyspace::SPACES,
    records::{self, Sending},
};
use common::{
    access::Caller,
    clean::Manner,
    id::RecordId,
    name::CollectionName,
    reader::Body,
    record::{OneOrMany, Record},
};
use figures::used;
use serde_json::{from_value, json};
use store::{Options, Scan, Store};
use tokio::task::JoinSet;

/// Writers at once.
const TOGETHER: usize = 64;

fn main() -> Result<()> {
    let records = env::args().nth(1).map_or(Ok(40_064), |number| number.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        for (name, together) in [("groups", TOGETHER), ("lone", 1)] {
            let records = if together == 1 { records / 4 } else { records };
            measure(name, together, records).await?;
        }
        Ok(())
    })
}

async fn measure(name: &str, together: usize, records: usize) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let place = dir.path().join("store");
    let store = Store::open(Options::sled(&place))?;
    let clock = Clock::system();
    let ids = IdSource::new(clock.clone(), Entropy::system());
    let admin = Caller::User { id: from_value(json!(ids.next_id()))?, is_admin: true, roles: Vec::new() };
    let core = Arc::new(Core::new(store, clock, ids));
    let fields = json!([{"name": "n", "type": "integer", "indexed": true}, {"name": "text", "type": "text"}]);
    let definition = Body::from_json(json!({"name": "notes", "fields": fields}))
        .map_err(|errors| anyhow::anyhow!("{}", errors.in_words()))?;
    collections::create(&core, &admin, definition).await?;

    let mut made = Vec::with_capacity(records);
    for begin in (0..records).step_by(together) {
        let mut writing = JoinSet::new();
        for n in begin..(begin + together).min(records) {
            let (core, admin) = (Arc::clone(&core), admin.clone());
            writing.spawn(async move { create(&core, &admin, n).await });
        }
        while let Some(id) = writing.join_next().await {
            made.push(id??);
        }
    }
    tell(&core, &place, &format!("{name} created"), records).await?;
    for (i, ids) in made.chunks(together).enumerate() {
        let mut writing = JoinSet::new();
        for (j, id) in ids.iter().copied().enumerate() {
            let (core, admin) = (Arc::clone(&core), admin.clone());
            writing.spawn(async move { update(&core, &admin, id, i * together + j).await });
        }
        while let Some(done) = writing.join_next().await {
            done??;
        }
    }
    tell(&core, &place, &format!("{name} updated"), records).await
}

fn notes() -> Result<CollectionName> {
    "notes".parse().context("a valid name")
}

/// 60 bytes of values.
fn body(n: usize, word: &str) -> Result<Record> {
    Ok(from_value(json!({"n": n, "text": format!("{word} {n:08} the quick brown fox jumps")}))?)
}

async fn create(core: &Core, by: &Caller, n: usize) -> Result<RecordId> {
    let body = OneOrMany::One(body(n, "created")?);
    let made = records::create(core, Actor::local(by), &notes()?, body, Manner::json(by)).await?;
    Ok(made.first().context("one is made")?.id)
}

async fn update(core: &Core, by: &Caller, id: RecordId, n: usize) -> Result<()> {
    let body = body(n + 1, "changed")?;
    let sending = Sending { body: &body, is_partial: true, manner: Manner::json(by) };
    records::update(core, Actor::local(by), &notes()?, id, sending, None).await?;
    Ok(())
}

/// One line for each figure: what, where, bytes a record.
async fn tell(core: &Core, place: &Path, what: &str, records: usize) -> Result<()> {
    let mut by_space: BTreeMap<&str, usize> = BTreeMap::new();
    let snapshot = core.store.snapshot().await?;
    let mut pages = snapshot.pages(Scan::range(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded));
    while let Some(page) = pages.next().await? {
        for (key, entry) in page {
            let space = key.elements().space().unwrap_or_default().to_owned();
            let word = SPACES.iter().find(|(known, _)| *known == space).map_or("other", |(_, word)| *word);
            // The version stands beside each value.
            *by_space.entry(word).or_default() += key.as_bytes().len() + 8 + entry.value.len();
        }
    }
    println!("{what}\ton disk\t{}", used(place)? / records as u64);
    for (word, bytes) in by_space.into_iter().filter(|(_, bytes)| *bytes >= records) {
        println!("{what}\t{word}\t{}", bytes / records);
    }
    Ok(())
}
