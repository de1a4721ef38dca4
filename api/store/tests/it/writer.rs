//! Eight writers whose work can be checked to the last byte, wherever it was cut off.
//!
//! Each writer commits one step after the other, and every step changes several keys at once: a few
//! records (now and then a large one), a shared counter, a change entry, and the number of the
//! step. Whatever survives must be the work of each writer up to some step: all of it, and
//! nothing of the next.

use std::{collections::BTreeMap, ops::Bound};

use store::{Batch, Expect, Key, Scan, Store, Version, counter, journal};

pub(crate) const WRITERS: usize = 8;

fn int(n: usize) -> i64 {
    i64::try_from(n).expect("small")
}

fn record(writer: usize, slot: usize) -> Key {
    Key::space("records").int(int(writer)).int(int(slot))
}

fn last_step(writer: usize) -> Key {
    Key::space("last").int(int(writer))
}

fn count() -> Key {
    Key::space("counts").text("steps")
}

/// What step `step` of a writer does to its records: slots and new values.
fn changes(writer: usize, step: usize) -> Vec<(usize, Option<Vec<u8>>)> {
    let fill = u8::try_from((step * 7 + writer) % 251).expect("small");
    let size = match step % 16 {
        3 => 30_000,
        11 => 9000,
        n => n * 40,
    };
    let mut changes = vec![(step % 5, Some(vec![fill; size])), ((step + 2) % 5, None)];
    if step % 20 == 7 {
        changes.extend((10..90).map(|slot| (slot, Some(vec![fill; 200]))));
    }
    changes
}

fn batch(writer: usize, step: usize, before: Option<Version>) -> Batch {
    let expect = before.map_or(Expect::Absent, Expect::Version);
    let mut batch = Batch::new();
    batch
        .expect(last_step(writer), expect)
        .put(last_step(writer), step.to_be_bytes().to_vec())
        .add(count(), 1)
        .append(format!("{writer} {step}"));
    for (slot, value) in changes(writer, step) {
        match value {
            Some(value) => batch.put(record(writer, slot), value),
            None => batch.delete(record(writer, slot)),
        };
    }
    batch
}

/// The step that a writer got to, and the version of it.
async fn progress(store: &Store, writer: usize) -> (usize, Option<Version>) {
    let entry = store.get(&last_step(writer)).await.expect("a read");
    entry.map_or((0, None), |entry| {
        let step = usize::from_be_bytes(entry.value.as_ref().try_into().expect("a number"));
        (step, Some(entry.version))
    })
}

/// Works until `steps` are done by each writer, or a commit fails; says what is acknowledged as
/// soon as it is.
pub(crate) async fn write(store: &Store, steps: usize, say: fn(&str)) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let (start, mut before) = progress(&store, writer).await;
            for step in start + 1..=start + steps {
                let Ok(version) = store.commit(batch(writer, step, before)).await else {
                    return;
                };
                before = Some(version);
                say(&format!("ack {writer} {step} {version}"));
            }
        });
    }
    writers.join_all().await;
}

/// Which steps were acknowledged, by writer, with the latest version of all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acknowledged {
    pub steps: [usize; WRITERS],
    pub version: u64,
}

impl Acknowledged {
    /// Takes in a line of a writer's output; others mean nothing.
    pub(crate) fn read(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["ack", writer, step, version] = words[..] {
            let writer: usize = writer.parse().expect("a number");
            self.steps[writer] = step.parse().expect("a number");
            self.version = self.version.max(version.parse().expect("a number"));
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.steps.iter().sum()
    }
}

/// Compares a store with what was acknowledged; returns how far each writer got.
pub(crate) async fn check(store: &Store, acknowledged: &Acknowledged) -> Acknowledged {
    let version = store.snapshot().await.expect("a snapshot").version();
    assert!(version.get() >= acknowledged.version, "versions went backwards");
    let mut found = Acknowledged { version: version.get(), ..Acknowledged::default() };
    for writer in 0..WRITERS {
        let (step, _) = progress(store, writer).await;
        let promised = acknowledged.steps[writer];
        assert!(step >= promised, "writer {writer}: {promised} acknowledged, {step} there");
        assert!(step <= promised + 1, "writer {writer}: {step} there, nobody tried beyond {promised}");
        found.steps[writer] = step;

        let mut due = BTreeMap::new();
        for step in 1..=step {
            for (slot, value) in changes(writer, step) {
                match value {
                    Some(value) => due.insert(record(writer, slot), value),
                    None => due.remove(&record(writer, slot)),
                };
            }
        }
        let prefix = Key::space("records").int(int(writer));
        let records = store.scan(Scan::prefix(&prefix)).await.expect("a scan");
        assert_eq!(records.len(), due.len(), "writer {writer} after step {step}");
        for (key, entry) in records {
            assert!(due[&key] == entry.value, "writer {writer} after step {step}: {key:?}");
        }
    }
    let counted = store.get(&count()).await.expect("a read");
    let counted = counted.map_or(0, |entry| counter(&entry).expect("a counter"));
    assert_eq!(counted, int(found.total()), "the counter counts every step once");

    let (mut steps, mut lines) = ([0; WRITERS], Vec::new());
    for (key, entry) in store.scan(journal::blocks()).await.expect("a scan") {
        let entries = journal::unpack(&entry.value).expect("a block");
        assert_eq!(journal::position(&key), entries.first().map(|first| first.at));
        lines.extend(entries.into_iter().map(|entry| String::from_utf8(entry.bytes.to_vec()).expect("text")));
    }
    for line in lines {
        let (writer, step) = line.split_once(' ').expect("two numbers");
        let writer: usize = writer.parse().expect("a number");
        steps[writer] += 1;
        assert_eq!(step, steps[writer].to_string(), "the journal is in order and whole");
    }
    assert_eq!(steps, found.steps, "every step is in the journal");

    let everything = || Scan::range(Bound::Unbounded, Bound::Unbounded);
    let forward = store.scan(everything()).await.expect("a scan");
    let backward = store.scan(everything().backward()).await.expect("a scan");
    assert!(backward.into_iter().rev().eq(forward), "the same from both ends");
    found
}
