//! Random batches, scans, snapshots and reopenings: both engines must do what a plain map does.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use store::{
    Addition, Batch, CommitError, Count, EngineOptions, Entry, Expect, Key, Options, PostgresOptions, Scan, Snapshot,
    Store, Version, counter, counters,
    journal::{self, Appended, Position},
};
use uuid::Uuid;

use super::random::{Random, seed};

/// The oracle: what a store should hold.
#[derive(Debug, Clone, Default)]
struct Model {
    map: BTreeMap<Key, Entry>,
    version: Version,
    /// When the store was opened last.
    opened: Version,
    /// When a space was written to since.
    changed: BTreeMap<String, Version>,
    /// What was appended to the journal and not been compared yet.
    appended: Vec<Appended>,
}

const SPACES: [&str; 4] = ["records", "rec", "index", "counts"];

/// A batch in plain words, so that model and store each do it in their own way.
#[derive(Debug, Default)]
struct Plan {
    expect: Vec<(Key, Expect)>,
    write: Vec<(Key, Option<Bytes>)>,
    /// Written without a new version, which is expected to be this one.
    keep: Vec<(Key, Version, Bytes)>,
    add: Vec<(Key, i64)>,
    /// Under one key: how much, and up to what.
    add_up_to: Vec<[(i64, i64); 2]>,
    append: Vec<Bytes>,
}

impl Plan {
    fn random(random: &mut Random, model: &Model) -> Plan {
        let mut plan = Plan::default();
        for _ in 0..random.below(3) {
            let key = random_key(random);
            let found = model.map.get(&key).map(|entry| entry.version);
            let wrong = random.one_in(6);
            let expect = match found {
                None if wrong => Expect::Present,
                None => Expect::Absent,
                Some(version) if wrong => Expect::Version(Version::new(version.get() - 1)),
                Some(_) if random.one_in(3) => Expect::Present,
                Some(version) => Expect::Version(version),
            };
            plan.expect.push((key, expect));
        }
        for _ in 0..random.below(5) {
            let length = if random.one_in(20) { 20_000 } else { random.below(40) };
            let value = (!random.one_in(3)).then(|| super::bytes(random, length).into());
            plan.write.push((random_key(random), value));
        }
        for _ in 0..random.below(3) {
            let key = random_key(random);
            let is_once =
                plan.write.iter().all(|(known, _)| *known != key) && plan.keep.iter().all(|(known, ..)| *known != key);
            if let Some(entry) = model.map.get(&key).filter(|_| is_once) {
                let version = Version::new(entry.version.get() - u64::from(random.one_in(8)));
                plan.keep.push((key, version, super::bytes(random, 30).into()));
            }
        }
        for _ in 0..random.below(3) {
            let n = i64::try_from(random.below(9)).expect("small") - 4;
            plan.add.push((Key::space("counts").text(["a", "b"][random.below(2)]), n));
        }
        if random.one_in(2) {
            let addition = |random: &mut Random| {
                let n = i64::try_from(random.below(9)).expect("small") - 3;
                (n, i64::try_from(random.below(30)).expect("small"))
            };
            plan.add_up_to.push([addition(random), addition(random)]);
        }
        for _ in 0..random.below(3) {
            plan.append.push(super::bytes(random, 10).into());
        }
        plan
    }

    fn batch(&self) -> Batch {
        let mut batch = Batch::new();
        for (key, expect) in &self.expect {
            batch.expect(key.clone(), *expect);
        }
        for (key, value) in &self.write {
            match value {
                Some(value) => batch.put(key.clone(), value.clone()),
                None => batch.delete(key.clone()),
            };
        }
        for (key, version, value) in &self.keep {
            batch.keep(key.clone(), *version, value.clone());
        }
        for (key, n) in &self.add {
            batch.add(key.clone(), *n);
        }
        for additions in &self.add_up_to {
            batch.add_up_to(bounded(), additions.map(|(by, max)| Addition { by, max }));
        }
        for change in &self.append {
            batch.append(change.clone());
        }
        batch
    }
}

impl Model {
    fn commit(&mut self, plan: &Plan) -> Result<Version, CommitError> {
        for (key, expect) in &plan.expect {
            let found = self.map.get(key).map(|entry| entry.version);
            let holds = match expect {
                Expect::Absent => found.is_none(),
                Expect::Present => found.is_some(),
                Expect::Version(version) => found == Some(*version),
            };
            if !holds {
                return Err(CommitError::Conflict { key: key.clone() });
            }
        }
        for (key, version, _) in &plan.keep {
            if self.map.get(key).map(|entry| entry.version) != Some(*version) {
                return Err(CommitError::Conflict { key: key.clone() });
            }
        }
        for additions in &plan.add_up_to {
            let found = self.map.get(&bounded()).map_or([0; 2], |entry| counters(entry).expect("two counters"));
            if additions.iter().zip(found).any(|((by, max), found)| *by > 0 && found + by > *max) {
                let additions = additions.map(|(by, max)| Addition { by, max });
                return Err(CommitError::Full { key: bounded(), found: found.into(), additions: additions.into() });
            }
        }
        if plan.write.is_empty()
            && plan.keep.is_empty()
            && plan.add.is_empty()
            && plan.add_up_to.is_empty()
            && plan.append.is_empty()
        {
            return Ok(self.version);
        }
        self.version = Version::new(self.version.get() + 1);
        let version = self.version;
        for (key, value) in &plan.write {
            match value.clone() {
                Some(value) => self.map.insert(key.clone(), Entry { version, value }),
                None => self.map.remove(key),
            };
        }
        for (key, version, value) in &plan.keep {
            self.map.insert(key.clone(), Entry { version: *version, value: value.clone() });
        }
        for (key, n) in &plan.add {
            let before = self.map.get(key).map_or(0, |entry| counter(entry).expect("a counter"));
            let value = Bytes::copy_from_slice(&(before + n).to_be_bytes());
            self.map.insert(key.clone(), Entry { version, value });
        }
        for additions in &plan.add_up_to {
            let found = self.map.get(&bounded()).map_or([0; 2], |entry| counters(entry).expect("two counters"));
            let sums = [0, 1].map(|i| (found[i] + additions[i].0).to_be_bytes());
            self.map.insert(bounded(), Entry { version, value: Bytes::from(sums.concat()) });
        }
        let bounded = plan.add_up_to.iter().map(|_| bounded());
        let kept = plan.keep.iter().map(|(key, ..)| key);
        let written =
            plan.write.iter().map(|(key, _)| key).chain(kept).chain(plan.add.iter().map(|(key, _)| key)).cloned();
        for key in written.chain(bounded) {
            self.changed.insert(key.elements().space().expect("a space").to_owned(), version);
        }
        for (place, bytes) in (0..).zip(plan.append.clone()) {
            self.appended.push(Appended { at: Position { version, place }, bytes });
        }
        Ok(version)
    }

    fn range(
        &self,
        from: &Bound<Key>,
        to: &Bound<Key>,
        backward: bool,
        skip: usize,
        limit: usize,
    ) -> Vec<(Key, Entry)> {
        let above = |key: &Key| match from {
            Bound::Included(from) => key >= from,
            Bound::Excluded(from) => key > from,
            Bound::Unbounded => true,
        };
        let below = |key: &Key| match to {
            Bound::Included(to) => key <= to,
            Bound::Excluded(to) => key < to,
            Bound::Unbounded => true,
        };
        let mut found: Vec<_> = self.map.clone().into_iter().collect();
        found.retain(|(key, _)| above(key) && below(key));
        if backward {
            found.reverse();
        }
        found.into_iter().skip(skip).take(limit).collect()
    }
}

/// The key of the counters that have a ceiling.
fn bounded() -> Key {
    Key::space("counts").text("bounded")
}

/// Few enough keys that batches meet, with every type of element.
fn random_key(random: &mut Random) -> Key {
    let number = random.below(12);
    let space = Key::space(SPACES[random.below(3)]);
    match random.below(5) {
        0 => space.text(["", "a", "a\0", "a\0b", "b"][number % 5]),
        1 => space.int(i64::try_from(number).expect("small") - 6),
        2 => space.uuid(Uuid::from_u128(number as u128)),
        3 => space.text("a").bool(number.is_multiple_of(2)),
        _ => space.text("many").int(i64::try_from(random.below(600)).expect("small")),
    }
}

fn random_bound(random: &mut Random) -> Bound<Key> {
    match random.below(5) {
        0 => Bound::Unbounded,
        1 | 2 => Bound::Included(random_key(random)),
        _ => Bound::Excluded(random_key(random)),
    }
}

/// Which entries share a block depends on which batches met; that they are all there, and in order, does not.
async fn take_over_blocks(store: &Store, model: &mut Model) {
    let snapshot = store.snapshot().await.expect("a snapshot");
    let due = std::mem::take(&mut model.appended);
    let Some(first) = due.first() else { return };
    let mut blocks = journal::blocks_from(&snapshot, first.at).await.expect("the journal");
    let mut found = Vec::new();
    while let Some(block) = blocks.next().await.expect("a block") {
        let entry = snapshot.get(&block.key).await.expect("a read").expect("a block");
        model.map.insert(block.key, entry);
        found.extend(block.entries.into_iter().filter(|entry| entry.at >= first.at));
    }
    assert_eq!(found, due);
}

async fn compare_scan(random: &mut Random, store: &Snapshot, model: &Model) {
    let (from, to) = (random_bound(random), random_bound(random));
    let backward = random.one_in(2);
    let skip = if random.one_in(2) { 0 } else { random.below(700) };
    let limit = if random.one_in(3) { usize::MAX } else { random.below(300) };
    let mut scan = Scan::range(from.clone(), to.clone()).skip(skip).limit(limit);
    if backward {
        scan = scan.backward();
    }
    let count = store.count(&scan).await.expect("a count");
    assert_eq!(count, Count::Exact(model.range(&from, &to, false, 0, usize::MAX).len()), "{from:?} {to:?}");
    let found = store.scan(scan).await.expect("a scan");
    let expected = model.range(&from, &to, backward, skip, limit);
    assert_eq!(found.len(), expected.len(), "{from:?} {to:?} {backward} {skip} {limit}");
    assert!(found == expected, "{from:?} {to:?} {backward} {skip} {limit}");
}

async fn compare_everything(store: &Snapshot, model: &Model) {
    let all = store.scan(Scan::range(Bound::Unbounded, Bound::Unbounded)).await.expect("a scan");
    assert!(all.into_iter().eq(model.map.clone()), "the whole store equals the model");
    assert_eq!(store.version(), model.version);
    compare_changes(store, model);
}

fn compare_changes(store: &Snapshot, model: &Model) {
    for space in SPACES {
        assert_eq!(store.last_change(space), *model.changed.get(space).unwrap_or(&model.opened), "{space}");
    }
}

/// What is compared with the model.
pub(crate) enum Opener {
    Local(Options),
    Postgres(Box<PostgresOptions>),
}

impl Opener {
    async fn open(&self) -> Store {
        let opened = match self {
            Opener::Local(options) => Store::open(options.clone()),
            Opener::Postgres(options) => Store::connect((**options).clone()).await,
        };
        opened.expect("opens")
    }
}

pub(crate) async fn run(opener: Opener, steps: usize, random: &mut Random) {
    let reopens = !matches!(&opener, Opener::Local(options) if matches!(options.engine, EngineOptions::Memory));
    // A database keeps the last change of each space over all who open it.
    let forgets_changes = matches!(opener, Opener::Local(_));
    let mut store = opener.open().await;
    let mut model = Model::default();
    let mut held: Vec<(Snapshot, Model)> = Vec::new();
    for step in 0..steps {
        match random.below(12) {
            0 => compare_scan(random, &store.snapshot().await.expect("a snapshot"), &model).await,
            1 => {
                let key = random_key(random);
                assert_eq!(store.get(&key).await.expect("a read"), model.map.get(&key).cloned());
                compare_changes(&store.snapshot().await.expect("a snapshot"), &model);
            }
            2 if random.one_in(4) && held.len() < 8 => {
                held.push((store.snapshot().await.expect("a snapshot"), model.clone()));
            }
            3 if !held.is_empty() => {
                let at = random.below(held.len());
                let (snapshot, then) = &held[at];
                compare_scan(random, snapshot, then).await;
                let key = random_key(random);
                assert_eq!(snapshot.get(&key).await.expect("a read"), then.map.get(&key).cloned());
                if random.one_in(3) {
                    compare_everything(snapshot, then).await;
                    held.swap_remove(at);
                }
            }
            4 if reopens && random.one_in(40) => {
                held.clear();
                store.close().await;
                drop(store);
                store = opener.open().await;
                if forgets_changes {
                    model.opened = model.version;
                    model.changed.clear();
                }
                compare_everything(&store.snapshot().await.expect("a snapshot"), &model).await;
            }
            _ => {
                // Several at once make groups in which one batch meets another.
                let plans: Vec<_> = (0..=random.below(6)).map(|_| Plan::random(random, &model)).collect();
                let commits = plans.iter().map(|plan| store.commit(plan.batch()));
                let outcomes = futures_util::future::join_all(commits).await;
                for (plan, outcome) in plans.iter().zip(outcomes) {
                    assert_eq!(outcome, model.commit(plan), "step {step}: {plan:?}");
                }
                take_over_blocks(&store, &mut model).await;
            }
        }
    }
    compare_everything(&store.snapshot().await.expect("a snapshot"), &model).await;
}

#[test]
fn memory_does_what_a_map_does() {
    let mut random = Random::new(seed("memory model"));
    super::block_on(run(Opener::Local(Options::memory()), 4000, &mut random));
}

#[test]
fn sled_does_what_a_map_does() {
    let mut random = Random::new(seed("sled model"));
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(run(Opener::Local(Options::sled(dir.path().join("data"))), 2500, &mut random));
}
