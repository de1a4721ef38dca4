//! What becomes of commits when connections are cut and the server is killed: what writers of two nodes were told is compared with what is there.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use store::{Batch, CommitError, Entry, Expect, Key, ReadFault, Scan, Store, Version, counters, journal};
use tokio::task::JoinSet;

use super::{
    block_on,
    postgres::{options, record, stranger},
    postgres_server::Server,
    random::{Random, seed},
};

/// Two nodes write; what both were told is compared with what is there.
struct Oracle {
    nodes: Vec<Store>,
    /// Of each writer: what was tried, and the answer.
    answers: Vec<Vec<(i64, Result<Version, CommitError>)>>,
}

impl Oracle {
    /// Has writers of all nodes create records, each with a counter and an entry of the journal, until `stop`.
    async fn write(nodes: Vec<Store>, stop: Arc<AtomicBool>) -> Oracle {
        let mut writers = JoinSet::new();
        for writer in 0..nodes.len() * 8 {
            let (store, stop) = (nodes[writer % nodes.len()].clone(), Arc::clone(&stop));
            writers.spawn(async move {
                let (writer, mut answers) = (i64::try_from(writer).expect("small"), Vec::new());
                for n in 0.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    let key = record(writer, n);
                    let mut batch = Batch::new();
                    batch.expect(key.clone(), Expect::Absent).put(key, vec![7; 100]).add(Key::space("counts"), 1);
                    batch.append(format!("{writer} {n}"));
                    answers.push((n, store.commit(batch).await));
                }
                (writer, answers)
            });
        }
        let mut answers: Vec<_> = writers.join_all().await;
        answers.sort_by_key(|(writer, _)| *writer);
        Oracle { nodes, answers: answers.into_iter().map(|(_, answers)| answers).collect() }
    }

    /// Compares; gives how many were acknowledged, and how many outcomes were not known.
    async fn check(&self) -> (usize, usize) {
        let store = &self.nodes[0];
        let found: BTreeMap<Key, Entry> =
            store.scan(Scan::prefix(&Key::space("records"))).await.expect("a scan").into_iter().collect();
        let (mut acknowledged, mut unknown) = (0, 0);
        for (writer, answers) in (0..).zip(&self.answers) {
            for (n, answer) in answers {
                let found = found.get(&record(writer, *n)).map(|entry| entry.version);
                match answer {
                    Ok(version) => {
                        acknowledged += 1;
                        assert_eq!(found, Some(*version), "an acknowledged record, {writer} {n}");
                    }
                    Err(CommitError::Unavailable { unknown: true }) => unknown += 1,
                    Err(error) => assert_eq!(found, None, "{writer} {n} was refused: {error}"),
                }
            }
        }
        let count = store.get(&Key::space("counts")).await.expect("a read").expect("a counter");
        assert_eq!(counters(&count), Some([i64::try_from(found.len()).expect("few")]), "each counts once");
        let (mut versions, mut lines) = (Vec::new(), 0);
        for (_, entry) in store.scan(journal::blocks()).await.expect("a scan") {
            for appended in journal::unpack(&entry.value).expect("a block") {
                let line = String::from_utf8(appended.bytes.to_vec()).expect("text");
                let (writer, n) = line.split_once(' ').expect("two numbers");
                let key = record(writer.parse().expect("a number"), n.parse().expect("a number"));
                assert_eq!(found.get(&key).map(|entry| entry.version), Some(appended.at.version), "{line}");
                versions.push(appended.at.version);
                lines += 1;
            }
        }
        assert_eq!(lines, found.len(), "each is in the journal once");
        assert!(versions.windows(2).all(|two| two[0].get() + 1 == two[1].get()), "versions rise by one");
        (acknowledged, unknown)
    }
}

#[test]
fn every_commit_is_in_once_or_not_at_all_however_often_connections_are_cut() {
    let server = Server::start();
    block_on(async {
        let node = || async { Store::connect(options(&server.url(), "coffer")).await.expect("opens") };
        let (nodes, stop) = (vec![node().await, node().await], Arc::new(AtomicBool::new(false)));
        let writing = tokio::spawn(Oracle::write(nodes, Arc::clone(&stop)));
        let stranger = stranger(&server.url()).await;
        let mut random = Random::new(seed("cuts"));
        let (started, mut cuts) = (Instant::now(), 0);
        while started.elapsed() < Duration::from_secs(6) {
            tokio::time::sleep(Duration::from_millis(20 + random.below(60) as u64)).await;
            let text = "select count(*) filter (where pg_terminate_backend(pid)) from (select pid from pg_stat_activity where \
                        application_name = 'coffer' order by random() limit 3) s";
            cuts += stranger.query_one(text, &[]).await.expect("cut").get::<_, i64>(0);
        }
        stop.store(true, Relaxed);
        let oracle = writing.await.expect("written");
        let (acknowledged, unknown) = oracle.check().await;
        eprintln!("{cuts} cuts, {acknowledged} acknowledged, {unknown} unknown");
        assert!(cuts > 20 && acknowledged > 200, "{cuts} cuts, {acknowledged} acknowledged");
    });
}

#[test]
fn every_commit_is_in_once_or_not_at_all_when_the_server_is_killed() {
    let mut server = Server::start();
    block_on(async {
        let node = |url: String| async move { Store::connect(options(&url, "coffer")).await.expect("opens") };
        let (nodes, stop) =
            (vec![node(server.url()).await, node(server.url()).await], Arc::new(AtomicBool::new(false)));
        let watched = nodes[0].clone();
        let writing = tokio::spawn(Oracle::write(nodes, Arc::clone(&stop)));
        for _ in 0..3 {
            let before = watched.watermark([]).await.expect("a watermark").version;
            watched.later_than(Version::new(before.get() + 100)).await;
            server.kill();
            let unavailable = watched.get(&Key::space("counts")).await.expect_err("it is away");
            assert_eq!(unavailable.fault, ReadFault::Unavailable);
            let unavailable = watched.watermark([]).await.expect_err("it is away");
            assert_eq!(unavailable.fault, ReadFault::Unavailable);
            server.restart();
            server.wait();
            // Both come back by themselves.
            watched.later_than(Version::new(before.get() + 1000)).await;
        }
        stop.store(true, Relaxed);
        let (acknowledged, unknown) = writing.await.expect("written").check().await;
        eprintln!("3 kills, {acknowledged} acknowledged, {unknown} unknown");
        assert!(acknowledged > 1000, "{acknowledged} acknowledged");
    });
}
