//! The index of words under random changes: packed now and then, it finds what a look at all texts finds, and everything fits together.
//! `WORDS_SEED` tries others.

use std::{collections::BTreeMap, env};

use base::{Clock, Entropy, IdSource};
use coffer::domain::{
    Core, check, collections,
    journal::Actor,
    keyspace,
    operations::Runner,
    records::{self, Sending},
};
use common::{
    access::Caller,
    clean::Manner,
    id::RecordId,
    query::{ListQuery, Query as _},
    reader::Body,
    record::OneOrMany,
};
use serde_json::{Value, json};
use store::{Batch, Options, Scan, Store};

use crate::planner::Random;

const WORDS: [&str; 10] = ["gold", "golden", "été", "ete", "moon", "moons", "sun", "東京都", "sea", "wolf"];

struct Site {
    core: Core,
    admin: Caller,
    texts: BTreeMap<RecordId, String>,
}

fn text(random: &mut Random) -> String {
    (0..random.below(6)).map(|_| *random.pick(&WORDS)).collect::<Vec<_>>().join(" ")
}

impl Site {
    async fn new(ids: &str, searchable: bool) -> Self {
        let store = Store::open(Options::memory()).unwrap();
        let clock = Clock::system();
        let source = IdSource::new(clock.clone(), Entropy::system());
        let id = serde_json::from_value(json!(source.next_id())).unwrap();
        let admin = Caller::User { id, is_admin: true, roles: Vec::new() };
        let core = Core::new(store, clock, source);
        let fields = json!([{"name": "text", "type": "text", "searchable": searchable}]);
        let definition = Body::from_json(json!({"name": "posts", "ids": ids, "fields": fields})).unwrap();
        collections::create(&core, &admin, definition).await.unwrap();
        Self { core, admin, texts: BTreeMap::new() }
    }

    async fn create(&mut self, random: &mut Random, count: usize) {
        let texts: Vec<String> = (0..count).map(|_| text(random)).collect();
        let bodies = texts.iter().map(|text| serde_json::from_value(json!({"text": text})).unwrap()).collect();
        let name = "posts".parse().unwrap();
        let by = Actor::local(&self.admin);
        let made = records::create(&self.core, by, &name, OneOrMany::Many(bodies), Manner::json(&self.admin)).await;
        self.texts.extend(made.unwrap().iter().map(|sent| sent.id).zip(texts));
    }

    fn some(&self, random: &mut Random) -> Option<RecordId> {
        self.texts.keys().nth(random.below(self.texts.len().max(1))).copied()
    }

    async fn change(&mut self, random: &mut Random) {
        let Some(id) = self.some(random) else { return };
        let text = text(random);
        let body = serde_json::from_value(json!({"text": text})).unwrap();
        let sent = Sending { body: &body, is_partial: true, manner: Manner::json(&self.admin) };
        let name = "posts".parse().unwrap();
        records::update(&self.core, Actor::local(&self.admin), &name, id, sent, None).await.unwrap();
        self.texts.insert(id, text);
    }

    async fn delete(&mut self, random: &mut Random) {
        let Some(id) = self.some(random) else { return };
        records::delete(&self.core, &self.admin, &"posts".parse().unwrap(), id, None).await.unwrap();
        self.texts.remove(&id);
    }

    async fn found(&self, search: &str) -> Vec<RecordId> {
        let pairs = [("search", search), ("page_size", "1000")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let query = ListQuery::from_pairs(pairs.to_vec()).unwrap();
        let listed = records::list(&self.core, &self.admin, &"posts".parse().unwrap(), &query, None).await.unwrap();
        let bytes = listed.results.into_whole().unwrap();
        let rows: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        rows.iter().map(|row| row["id"].to_string().trim_matches('"').parse().unwrap()).collect()
    }

    async fn is_right(&self, told: &str) {
        for search in ["gold", "golden moon", "été", "ete", "東京", "sun wolf", "nothing", "moon moons sea"] {
            let has = |text: &str, sought: &str| text.split(' ').any(|word| word.starts_with(sought));
            let wanted: Vec<RecordId> = self
                .texts
                .iter()
                .filter(|(_, text)| search.split(' ').all(|sought| has(text, sought)))
                .map(|(id, _)| *id)
                .collect();
            let mut found = self.found(search).await;
            found.sort_unstable();
            assert_eq!(found, wanted, "{told}: {search}");
        }
        let report = check::check(&self.core.store, &mut |_| {}).await.unwrap();
        assert!(report.is_sound(), "{told}: {:#?}", report.findings);
    }
}

#[tokio::test]
async fn a_packed_index_finds_what_an_unpacked_one_finds() {
    let seed = env::var("WORDS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(77);
    println!("WORDS_SEED={seed}");
    let mut random = Random(seed);
    for ids in ["uuid", "integer"] {
        let mut site = Site::new(ids, true).await;
        for round in 0..12 {
            for _ in 0..=random.below(3) {
                let count = 1 + random.below(60);
                site.create(&mut random, count).await;
            }
            for _ in 0..random.below(30) {
                if random.chance(60) { site.change(&mut random).await } else { site.delete(&mut random).await }
            }
            site.is_right(&format!("{ids} {round}")).await;
            if random.chance(60) {
                Runner::new(&site.core).sweep().await.unwrap();
                site.is_right(&format!("{ids} {round} packed")).await;
            }
        }
        // All of it goes: packing leaves nothing.
        while !site.texts.is_empty() {
            site.delete(&mut random).await;
        }
        site.is_right("nothing is left").await;
        Runner::new(&site.core).sweep().await.unwrap();
        let left = site.core.store.scan(Scan::prefix(&store::Key::space("i"))).await.unwrap();
        assert!(left.is_empty(), "{} entries are left", left.len());
    }
}

#[tokio::test]
async fn one_by_one_and_together_words_take_blocks_and_what_is_wrong_in_them_is_told_and_repaired() {
    let mut random = Random(5);
    let mut site = Site::new("uuid", true).await;
    for _ in 0..120 {
        site.create(&mut random, 1).await;
    }
    let keys = async |site: &Site| site.core.store.scan(Scan::prefix(&store::Key::space("i"))).await.unwrap();
    let before = keys(&site).await.len();
    Runner::new(&site.core).sweep().await.unwrap();
    let after = keys(&site).await;
    assert!(before > 300 && after.len() < 20, "{before} entries became {}", after.len());
    site.is_right("packed").await;
    // A block that is gone, one that cannot be read, one that says too much, an entry of nobody.
    let (block, value) = after.into_iter().max_by_key(|(_, entry)| entry.value.len()).unwrap();
    let mut more = value.value.to_vec();
    more.extend([1, 0x11]);
    let stranger = RecordId::from_uuid(uuid::Uuid::from_u128(9));
    let index = keyspace::index(keyspace::collection_of(&block).unwrap(), keyspace::index_of(&block).unwrap());
    for (what, key, value) in [
        ("gone", block.clone(), None),
        ("torn", block.clone(), Some(vec![0xff; 3])),
        ("says too much", block.clone(), Some(more)),
        ("of nobody", keyspace::with_id(index.clone().text("zebra"), stranger), Some(vec![0x11])),
    ] {
        let batch = Batch::with(|batch| match &value {
            Some(value) => batch.put(key.clone(), value.clone()),
            None => batch.delete(key.clone()),
        });
        site.core.store.commit(batch).await.unwrap();
        let report = check::check(&site.core.store, &mut |_| {}).await.unwrap();
        assert!(!report.is_sound(), "{what}");
        let repaired = check::repair(&site.core.store, &mut |_| {}).await.unwrap();
        assert!(repaired.may_be_repaired(), "{what}: {:?}", repaired.findings);
        site.is_right(&format!("{what}, repaired")).await;
        Runner::new(&site.core).sweep().await.unwrap();
        site.is_right(&format!("{what}, repaired and packed")).await;
    }
}
