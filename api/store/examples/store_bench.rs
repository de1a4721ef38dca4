//! Measures the store: commits per second, what durability costs, opening, memory and space.
//!
//!     cargo run --release -p coffer-store --example store_bench -- commits | reads | open | space | database URL
//!
//! Works in a directory under `COFFER_BENCH_DIR` or the system's temporary one: put that on the
//! disk in question. The runs without syncs load a few lines of C (compiled with `cc`) that turn
//! `fsync` or `fdatasync` into nothing; only the high-water mark uses the latter.

extern crate coffer_store as store;

#[path = "../../examples/shared/figures.rs"]
mod figures;

use std::{
    env, fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use figures::{resident, used};
use store::{Batch, Expect, Key, Options, Scan, Store};
use tokio::task::JoinSet;
use uuid::Uuid;

// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TIME: Duration = Duration::from_secs(2);
const WRITERS: [u64; 4] = [1, 8, 64, 256];

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let place = env::var_os("COFFER_BENCH_DIR").map_or_else(env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(place)?;
    match arguments[..] {
        ["commits"] => commits(dir.path()),
        ["run", engine, writers] => run(engine, writers.parse()?, &dir.path().join("data")),
        ["reopen", dir] => reopen(Path::new(dir)),
        ["open"] => open(&dir.path().join("data")),
        ["reads"] => reads(&dir.path().join("data")),
        #[cfg(feature = "postgres")]
        ["database", url] => database(url, &dir.path().join("data")),
        ["space"] => space(&dir.path().join("data")),
        _ => bail!("say what to measure: commits, reads, open, space, or database with its URL"),
    }
}

/// A table of commits per second. Each run has a process of its own; of three runs in turn the best
/// counts, so that whatever else the machine does weighs less.
fn commits(dir: &Path) -> Result<()> {
    let no_fsync = nothing(dir, &["fsync", "fdatasync"])?;
    let no_mark = nothing(dir, &["fdatasync"])?;
    let rows = [
        ("coffer", "store", None),
        ("coffer, mark not synced", "store", Some(&no_mark)),
        ("coffer, nothing synced", "store", Some(&no_fsync)),
        ("sled, a flush per write (no sync)", "sled", None),
        ("sled, a flush and a sync per write", "sled-sync", None),
    ];
    let mut best = [[0_u64; WRITERS.len()]; 5];
    for _ in 0..3 {
        for (writers, column) in WRITERS.iter().zip(0..) {
            for ((_, engine, preload), row) in rows.iter().zip(&mut best) {
                let mut command = Command::new(env::current_exe()?);
                command.args(["run", engine, &writers.to_string()]);
                if let Some(preload) = preload {
                    command.env("LD_PRELOAD", preload);
                }
                let output = String::from_utf8(command.output()?.stdout)?;
                let cell: &mut u64 = &mut row[column];
                *cell = output.trim().parse::<u64>()?.max(*cell);
            }
        }
    }
    println!("commits per second; one commit is a record, a count and a change entry");
    println!("{:<36}{:>9}{:>9}{:>9}{:>9}", "writers", 1, 8, 64, 256);
    for ((name, ..), [one, eight, sixty_four, all]) in rows.iter().zip(best) {
        println!("{name:<36}{one:>9}{eight:>9}{sixty_four:>9}{all:>9}");
    }
    Ok(())
}

/// A library in which the named calls do nothing.
fn nothing(dir: &Path, calls: &[&str]) -> Result<std::path::PathBuf> {
    let (source, library) = (dir.join("nothing.c"), dir.join(format!("no-{}.so", calls.join("-"))));
    let code = calls.iter().map(|call| format!("int {call}(int fd) {{ (void)fd; return 0; }}\n"));
    fs::write(&source, code.collect::<String>())?;
    let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status()?;
    ensure!(status.success(), "cc failed");
    Ok(library)
}

fn record(id: u128) -> Key {
    Key::space("records").uuid(Uuid::nil()).uuid(Uuid::from_u128(id))
}

/// Has so many writers commit for a while, over several handles in turn; says how many commits there were.
async fn write(stores: &[Store], writers: u64) -> u64 {
    // Of one process and of several runs over one store.
    let (end, run) = (Instant::now() + TIME, Uuid::from_bytes(base::Entropy::system().bytes()));
    let mut tasks = JoinSet::new();
    for (writer, store) in (0..writers).zip(stores.iter().cycle()) {
        let store = store.clone();
        tasks.spawn(async move {
            let mut n = 0;
            while Instant::now() < end {
                let key = record((u128::from(writer) << 64) + u128::from(n)).uuid(run);
                let batch = Batch::with(|batch| {
                    batch
                        .expect(key.clone(), Expect::Absent)
                        .put(key, vec![b'x'; 300])
                        .add(Key::space("counts").uuid(Uuid::nil()), 1)
                        .append(vec![b'y'; 300])
                });
                store.commit(batch).await.expect("a commit");
                n += 1;
            }
            n
        });
    }
    tasks.join_all().await.into_iter().sum()
}

/// Commits and reads per second over a database, whose URL this is, beside a store in `dir`.
#[cfg(feature = "postgres")]
fn database(url: &str, dir: &Path) -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build()?.block_on(async {
        let options = store::PostgresOptions { create: true, ..store::PostgresOptions::new(url.parse()?) };
        let nodes = [Store::connect(options.clone()).await?, Store::connect(options).await?];
        let disk = [Store::open(Options::sled(dir))?];
        for writers in WRITERS {
            let (disk, one) = (write(&disk, writers).await, write(&nodes[..1], writers).await);
            let two = write(&nodes, 2 * writers).await;
            let [disk, one, two] = [disk, one, two].map(|commits| commits / TIME.as_secs());
            println!("{writers:>4} writers: {disk:>7}/s on disk, {one:>7}/s in the database, {two:>7}/s from two nodes of as many");
        }
        for callers in [1_u64, 64] {
            let (disk, database) = (read(&disk[0], callers).await, read(&nodes[0], callers).await);
            println!("{callers:>4} readers: {disk:>7}/s on disk, {database:>7}/s in the database");
        }
        anyhow::Ok(())
    })
}

/// Has so many callers read one entry after another; says how many reads there were in a second.
#[cfg(feature = "postgres")]
async fn read(store: &Store, callers: u64) -> u64 {
    let keys = store.scan(Scan::prefix(&Key::space("records")).limit(512)).await.expect("a scan");
    let keys: std::sync::Arc<[Key]> = keys.into_iter().map(|(key, _)| key).collect();
    let end = Instant::now() + TIME;
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (store, keys) = (store.clone(), std::sync::Arc::clone(&keys));
        tasks.spawn(async move {
            let mut n = 0;
            for key in keys.iter().cycle() {
                if Instant::now() > end {
                    break;
                }
                store.get(key).await.expect("a read").expect("a value");
                n += 1;
            }
            n
        });
    }
    tasks.join_all().await.into_iter().sum::<u64>() / TIME.as_secs()
}

fn run(engine: &str, writers: u64, dir: &Path) -> Result<()> {
    let done = AtomicU64::new(0);
    if engine == "store" {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let store = Store::open(Options::sled(dir))?;
        let total = runtime.block_on(write(&[store], writers));
        println!("{}", total / TIME.as_secs());
        return Ok(());
    }
    let db = sled::Config::new().path(dir).segment_size(8 << 20).cache_capacity(64 << 20).open()?;
    let file = fs::File::options().write(true).open(dir.join("db"))?;
    let end = Instant::now() + TIME;
    thread::scope(|scope| {
        for writer in 0..writers {
            let (db, file, done) = (&db, &file, &done);
            scope.spawn(move || {
                for n in 0.. {
                    if Instant::now() > end {
                        break;
                    }
                    let mut batch = sled::Batch::default();
                    batch.insert(&(u128::from(writer) << 64 | n).to_be_bytes(), vec![b'x'; 300]);
                    batch.insert(b"count", &n.to_be_bytes());
                    batch.insert(&(1 << 127 | u128::from(writer) << 64 | n).to_be_bytes(), vec![b'y'; 300]);
                    db.apply_batch(batch).and_then(|()| db.flush()).expect("a write");
                    if engine == "sled-sync" {
                        file.sync_all().expect("a sync");
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{}", done.into_inner() / TIME.as_secs());
    Ok(())
}

/// How long one reader waits for a value while nobody writes, 64 write, or large batches are written.
fn reads(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store = Store::open(Options::sled(dir))?;
    runtime.block_on(async {
        let filled = Batch::with(|batch| (0..1000).fold(batch, |batch, n| batch.put(record(n), vec![b'x'; 300])));
        store.commit(filled).await?;
        for (name, writers, records) in [("nobody", 0, 0), ("64 writers", 64, 1), ("batches of 1,000", 2, 1000)] {
            let mut tasks = JoinSet::new();
            for writer in 1..=writers {
                let store = store.clone();
                tasks.spawn(async move {
                    for n in 0.. {
                        let batch = Batch::with(|batch| {
                            (0..records).fold(batch, |batch, record_n| {
                                let id = (writer << 64) + n * records + record_n;
                                batch.put(record(id), vec![b'x'; 300]).append(vec![b'y'; 300])
                            })
                        });
                        store.commit(batch).await.expect("a commit");
                    }
                });
            }
            let end = Instant::now() + TIME;
            let (mut gets, mut scans) = (Vec::new(), Vec::new());
            while Instant::now() < end {
                let started = Instant::now();
                store.get(&record(gets.len() as u128 % 1000)).await?;
                gets.push(started.elapsed());
                let started = Instant::now();
                store.scan(Scan::prefix(&Key::space("records")).limit(20)).await?;
                scans.push(started.elapsed());
                tokio::task::yield_now().await;
            }
            tasks.shutdown().await;
            for (what, mut times) in [("a value", gets), ("20 records", scans)] {
                times.sort();
                let at = |part: usize| times[(times.len() - 1) * part / 1000];
                let (half, most, nearly, all) = (at(500), at(990), at(999), at(1000));
                println!("{name}: {what} p50 {half:.1?} p99 {most:.1?} p99.9 {nearly:.1?} longest {all:.1?}");
            }
        }
        anyhow::Ok(())
    })
}

/// Fills a store with a million small records, then opens it anew.
fn open(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let count: u128 = env::var("COFFER_BENCH_RECORDS").map_or(Ok(1_000_000), |n| n.parse())?;
    let started = Instant::now();
    let store = Store::open(Options::sled(dir))?;
    runtime.block_on(async {
        for chunk in 0..count / 1000 {
            let batch =
                Batch::with(|batch| (0..1000).fold(batch, |batch, n| batch.put(id(chunk * 1000 + n), vec![b'x'; 150])));
            store.commit(batch).await?;
        }
        anyhow::Ok(())
    })?;
    println!("filled with {count} records in {:.1?}, {} MB resident", started.elapsed(), resident()?);
    drop(store);
    println!("on disk: {} MB", used(dir)? >> 20);
    for _ in 0..2 {
        // A process of its own, so that memory is that of serving, not of filling.
        Command::new(env::current_exe()?).arg("reopen").arg(dir).status()?;
    }
    Ok(())
}

/// Ids as they are made by time, with some randomness at the end.
fn id(n: u128) -> Key {
    record((n << 64) | (n * 0x9e37_79b9_7f4a_7c15 % (1 << 60)))
}

/// As a server does it: opened on a thread for blocking work, read on all the others.
fn reopen(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let started = Instant::now();
        let options = Options::sled(dir);
        let store = tokio::task::spawn_blocking(|| Store::open(options)).await??;
        println!("opened in {:.2?}, {} MB resident", started.elapsed(), resident()?);
        for skip in [0, 10_000, 999_000] {
            let started = Instant::now();
            let scan = Scan::prefix(&Key::space("records")).skip(skip).limit(20);
            let found = store.scan(scan).await?;
            println!("{} records after {skip}: {:.1?}", found.len(), started.elapsed());
        }
        let mut tasks = JoinSet::new();
        for task in 0..16 {
            let store = store.clone();
            tasks.spawn(async move {
                for n in 0..20_000 {
                    let at = n * 7919 + task;
                    store.get(&id(at % 1_000_000)).await.expect("a read");
                    if n % 100 == 0 {
                        let batch = Batch::with(|batch| batch.put(id(at % 1_000_000), vec![b'y'; 150]));
                        store.commit(batch).await.expect("a commit");
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        tasks.join_all().await;
        println!("{} MB resident after 320,000 reads and 3,200 commits", resident()?);
        Ok(())
    })
}

/// Overwrites 2,000 records of 1 KB a hundred times.
fn space(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store = Store::open(Options::sled(dir))?;
    runtime.block_on(async {
        for round in 0..100_u8 {
            let mut tasks = JoinSet::new();
            for n in 0..2000 {
                let store = store.clone();
                tasks.spawn(
                    async move { store.commit(Batch::with(|batch| batch.put(record(n), vec![round; 1024]))).await },
                );
            }
            while let Some(outcome) = tasks.join_next().await {
                outcome??;
            }
            if round % 20 == 19 {
                println!("after {} rounds: {} KB on disk", round + 1, used(dir)? >> 10);
            }
        }
        anyhow::Ok(())
    })?;
    drop(store);
    let store = Store::open(Options::sled(dir))?;
    println!("opened anew: {} KB on disk for 2,000 KB of records", used(dir)? >> 10);
    drop(store);
    Ok(())
}
