//! The store in a database: it keeps the same promises, for several processes at once, whatever becomes of connections and of the server.

use std::time::{Duration, Instant};

use store::{
    Addition, Batch, CommitError, DatabaseUrl, Entry, Expect, FillError, Key, OpenError, PostgresOptions, Scan, Store,
    Version,
};
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use super::{
    block_on, concurrency,
    model::{self, Opener},
    postgres_server::Server,
    random::{Random, seed},
    writer,
};

pub(crate) fn options(url: &str, schema: &str) -> PostgresOptions {
    let url: DatabaseUrl = url.parse().expect("a URL");
    PostgresOptions { schema: schema.to_owned(), create: true, ..PostgresOptions::new(url) }
}

/// A database for one test: of a server of its own, or of the one that `E2E_DATABASE_URL` names, where each takes a schema of its own.
struct Database {
    _server: Option<Server>,
    url: String,
    schema: String,
}

impl Database {
    fn new(test: &str) -> Database {
        let server = std::env::var("E2E_DATABASE_URL").is_err().then(Server::start);
        let url = server.as_ref().map_or_else(|| std::env::var("E2E_DATABASE_URL").expect("it is set"), Server::url);
        let schema = format!("{test}_{}", std::process::id());
        Database { _server: server, url, schema }
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn schema(&self) -> &str {
        &self.schema
    }
}

fn of(database: &Database) -> PostgresOptions {
    options(database.url(), database.schema())
}

async fn connect(database: &Database) -> Store {
    Store::connect(of(database)).await.expect("the store opens")
}

/// Somebody who is no node of ours.
pub(crate) async fn stranger(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

#[test]
fn postgres_does_what_a_map_does() {
    let database = Database::new("model");
    let mut random = Random::new(seed("postgres model"));
    block_on(model::run(Opener::Postgres(Box::new(of(&database))), 800, &mut random));
}

#[test]
fn a_database_is_as_strict_with_many_writers_as_a_disk() {
    for (n, test) in (0..3).zip(["two", "ceiling", "moment"]) {
        let database = Database::new(test);
        block_on(async {
            let store = connect(&database).await;
            match n {
                0 => concurrency::two_writers_never_both_win(store).await,
                1 => concurrency::a_ceiling_lets_in_what_there_is_room_for(store).await,
                _ => concurrency::a_scan_is_of_one_moment(store).await,
            }
        });
    }
}

pub(crate) fn record(node: i64, n: i64) -> Key {
    Key::space("records").int(node).int(n)
}

#[test]
fn exactly_the_quota_from_four_nodes() {
    let database = Database::new("quota");
    block_on(async {
        let counts = Key::space("counts").text("owner");
        let mut writers = JoinSet::new();
        for node in 0..4 {
            let store = connect(&database).await;
            for n in 0..64 {
                let (store, counts) = (store.clone(), counts.clone());
                writers.spawn(async move {
                    let batch = Batch::with(|batch| {
                        batch.put(record(node, n), "x").add_up_to(counts, [Addition { by: 1, max: 100 }])
                    });
                    match store.commit(batch).await {
                        Ok(_) => true,
                        Err(CommitError::Full { .. }) => false,
                        Err(error) => panic!("{error}"),
                    }
                });
            }
        }
        let let_in = writers.join_all().await.into_iter().filter(|is_in| *is_in).count();
        assert_eq!(let_in, 100);
        let store = connect(&database).await;
        assert_eq!(store.scan(Scan::prefix(&Key::space("records"))).await.expect("a scan").len(), 100);
    });
}

/// What an answered commit wrote is seen by whatever begins later, on every node; the watermark tells of it.
#[test]
fn another_node_knows_of_a_commit_as_soon_as_it_is_answered() {
    let database = Database::new("watermark");
    block_on(async {
        let (here, there) = (connect(&database).await, connect(&database).await);
        let key = Key::space("sessions").text("a");
        let (entry, at) = there.get_as_of(&key, ["sessions"]).await.expect("a read");
        assert_eq!((entry, at.version, at.changes), (None, Version::ZERO, [Version::ZERO]));
        for n in 0..500_u64 {
            let written = here.commit(Batch::with(|batch| batch.put(key.clone(), n.to_be_bytes().to_vec()))).await;
            let written = written.expect("a commit");
            let seen = there.watermark(["sessions", "users"]).await.expect("a watermark");
            assert_eq!((seen.version, seen.changes), (written, [written, Version::ZERO]));
            let entry = there.get(&key).await.expect("a read").expect("a value");
            assert_eq!(entry, Entry { version: written, value: n.to_be_bytes().to_vec().into() });
            let (entry, at) = there.get_as_of(&key, ["sessions"]).await.expect("a read");
            assert_eq!((entry.map(|entry| entry.version), at.changes), (Some(written), [written]));
            assert_eq!(there.later_than(Version::new(written.get() - 1)).await, written);
        }
    });
}

#[test]
fn sixteen_starts_at_once_make_one_schema() {
    let database = Database::new("starts");
    block_on(async {
        let mut starts = JoinSet::new();
        for _ in 0..16 {
            let options = PostgresOptions { readers: 1, snapshots: 1, ..of(&database) };
            starts.spawn(async move { Store::connect(options).await.expect("the store opens") });
        }
        let stores = starts.join_all().await;
        let key = Key::space("records").text("a");
        stores[3].commit(Batch::with(|batch| batch.put(key.clone(), "x"))).await.expect("a commit");
        for store in stores {
            assert_eq!(store.get(&key).await.expect("a read").map(|entry| entry.version), Some(Version::new(1)));
        }
    });
}

#[test]
fn a_role_without_ddl_serves_and_nothing_is_made_unasked() {
    let database = Database::new("role");
    block_on(async {
        let unasked = PostgresOptions { create: false, ..of(&database) };
        assert!(matches!(Store::connect(unasked.clone()).await, Err(OpenError::Database { .. })));
        Store::create(&unasked).await.expect("made");
        let (schema, role) = (database.schema(), format!("{}_server", database.schema()));
        let grants = format!(
            "create role {role} login; grant usage on schema {schema} to {role}; grant select, insert, update, delete on all tables in \
             schema {schema} to {role}"
        );
        stranger(database.url()).await.batch_execute(&grants).await.expect("granted");
        let url = database.url().replace("postgres@", &format!("{role}@"));
        let store = Store::connect(PostgresOptions { create: false, ..options(&url, schema) }).await.expect("opens");
        let key = Key::space("records").text("a");
        store.commit(Batch::with(|batch| batch.put(key.clone(), "x"))).await.expect("a commit");
        assert!(store.snapshot().await.expect("a snapshot").get(&key).await.expect("a read").is_some());
    });
}

#[test]
fn what_writers_did_step_by_step_is_all_there() {
    let database = Database::new("writer");
    block_on(async {
        let store = connect(&database).await;
        writer::write(&store, 25, |_| {}).await;
        let all = writer::Acknowledged { steps: [25; writer::WRITERS], ..writer::Acknowledged::default() };
        assert_eq!(writer::check(&connect(&database).await, &all).await.total(), 25 * writer::WRITERS);
    });
}

#[test]
fn a_node_that_stands_still_with_the_lock_costs_others_no_more_than_five_seconds() {
    let database = Database::new("still");
    block_on(async {
        let store = connect(&database).await;
        let still = stranger(database.url()).await;
        let held = format!(
            "begin; set local idle_in_transaction_session_timeout = '5s'; select 1 from {}.store where id = 1 for update",
            database.schema()
        );
        still.batch_execute(&held).await.expect("locked");
        let started = Instant::now();
        store.commit(Batch::with(|batch| batch.put(record(0, 0), "x"))).await.expect("a commit");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    });
}

/// What decides is read by statements that begin under the lock: a group that waited for it sees what was committed meanwhile.
#[test]
fn what_decides_is_read_after_the_lock_is_held() {
    let database = Database::new("lock");
    block_on(async {
        let (here, there) = (connect(&database).await, connect(&database).await);
        let key = record(0, 0);
        for n in 0..200_u64 {
            let create = |store: &Store| {
                let (store, key) = (store.clone(), Key::space("unique").int(i64::try_from(n).expect("small")));
                async move {
                    store.commit(Batch::with(|batch| batch.expect(key.clone(), Expect::Absent).put(key, "x"))).await
                }
            };
            let (a, b) = tokio::join!(create(&here), create(&there));
            assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1, "round {n}: {a:?} {b:?}");
            here.commit(Batch::with(|batch| batch.put(key.clone(), n.to_be_bytes().to_vec()))).await.expect("a commit");
        }
    });
}

#[test]
fn a_database_that_lost_commits_is_refused() {
    let (database, dir) = (Database::new("lost"), tempfile::tempdir().expect("a directory"));
    block_on(async {
        let noting = || PostgresOptions { note: Some(dir.path().join("database")), ..of(&database) };
        let store = Store::connect(noting()).await.expect("opens");
        let mut last = Version::ZERO;
        for n in 0..5 {
            last = store.commit(Batch::with(|batch| batch.put(record(0, n), "x"))).await.expect("a commit");
        }
        // As a restored dump would be.
        let schema = database.schema();
        let older = format!("delete from {schema}.commits where first > 2; delete from {schema}.kv where version > 2");
        stranger(database.url()).await.batch_execute(&older).await.expect("older");
        store.watermark([]).await.expect_err("it is behind");
        let failure = store.failed().await;
        assert!(failure.reason.contains("lost commits"), "{failure}");
        assert_eq!(store.commit(Batch::with(|batch| batch.put(record(0, 9), "x"))).await, Err(CommitError::Stopped));
        drop(store);
        let refused = Store::connect(noting()).await.err().expect("refused");
        assert!(
            matches!(refused, OpenError::LostCommits { found, seen } if found == Version::new(2) && seen == last),
            "{refused}"
        );
        // What is accepted is passed over: no version is given out twice, and whatever was kept is read anew.
        let store = Store::connect(PostgresOptions { accept_data_loss: true, ..noting() }).await.expect("opens");
        let now = store.watermark(["records"]).await.expect("a watermark");
        assert!(now.version.get() > 1_000_000_000_000 && now.changes == [now.version], "{now:?}");
        let next = store.commit(Batch::with(|batch| batch.put(record(0, 9), "x"))).await.expect("a commit");
        assert_eq!(next.get(), now.version.get() + 1);
    });
}

#[test]
fn a_store_is_filled_at_once_and_only_while_it_is_empty() {
    let database = Database::new("fill");
    block_on(async {
        let entry = |n: i64| {
            (record(0, n), Entry { version: Version::new(n.cast_unsigned() + 1), value: vec![3; 5000].into() })
        };
        let cut = (0..3000).map(entry).map(Ok).chain([Err("cut off")]);
        let outcome = Store::fill_database(&of(&database), Version::new(5000), cut).await;
        assert!(matches!(outcome, Err(FillError::Entries("cut off"))));
        let whole = || (0..3000).map(entry).map(Ok::<_, &str>);
        Store::fill_database(&of(&database), Version::new(5000), whole()).await.expect("filled");
        let again = Store::fill_database(&of(&database), Version::new(5000), whole()).await;
        assert!(matches!(again, Err(FillError::NotEmpty)));
        let store = connect(&database).await;
        let snapshot = store.snapshot().await.expect("a snapshot");
        assert_eq!((snapshot.version(), snapshot.last_change("records")), (Version::new(5000), Version::new(5000)));
        let found = store.scan(Scan::prefix(&Key::space("records"))).await.expect("a scan");
        assert!(found.into_iter().eq((0..3000).map(entry)), "byte for byte, version for version");
        assert!(snapshot.estimate(&Scan::prefix(&Key::space("records"))) > 2000, "PostgreSQL was asked to look at it");
        let next = store.commit(Batch::with(|batch| batch.put(record(1, 0), "x"))).await.expect("a commit");
        assert_eq!(next, Version::new(5001));
    });
}
