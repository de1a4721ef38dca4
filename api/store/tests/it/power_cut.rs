//! The power goes, again and again: what was acknowledged is there, and nothing is half there.
//!
//! Writers run in a process of their own on a disk that forgets what was not synced
//! (`power_cut.c`). It is killed at a random moment, what the disk would have kept is put together,
//! and the store must open from that and hold exactly what it promised.
//! `COFFER_POWER_CUTS` sets the number of rounds; `COFFER_SEED` repeats a run's random choices.

pub(crate) mod disk;

use std::{
    fs,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    time::Duration,
};

use store::{Options, Store};

use self::disk::Disk;
use super::{
    random::{Random, seed},
    writer::{self, Acknowledged},
};

/// Where the writers of another process work; without it they work for themselves.
const DIR: &str = "COFFER_WRITER_DIR";

/// The process that is killed, or else a test of the writers and their check.
#[test]
fn writers_find_all_that_they_wrote() {
    if let Some(dir) = std::env::var_os(DIR) {
        super::block_on(async {
            let store = super::open(Path::new(&dir));
            writer::write(&store, usize::MAX / 2, say).await;
            // Only a failed write ends the writers: the store has to say so, too.
            say(&format!("failed {}", store.failed().await));
            std::process::exit(0);
        });
    }
    let dir = tempfile::tempdir().expect("a directory");
    super::block_on(async {
        let store = super::open(dir.path());
        writer::write(&store, 50, |_| {}).await;
        let all = Acknowledged { steps: [50; writer::WRITERS], version: 400 };
        let found = writer::check(&store, &all).await;
        assert_eq!(found.steps, all.steps);
    });
}

/// Says a line to the process that watches. It begins on a line of its own, and goes out at once.
fn say(line: &str) {
    let line = format!("\n{line}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("somebody listens");
}

/// Starts writers on a disk; it fails to sync after so many times.
fn start(disk: &Disk, fail_after: Option<u32>) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "power_cut::writers_find_all_that_they_wrote", "--nocapture"])
        .env(DIR, disk.data())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(syncs) = fail_after {
        command.env("CUT_FAIL_AFTER", syncs.to_string());
    }
    disk.watch(&mut command);
    command.spawn().expect("the writers start")
}

/// Lets writers work until they are killed after about `life`, counted from their start or, with `opened`, from the first that they were
/// promised; says what they were promised.
fn run_and_kill(mut writers: Child, life: Duration, opened: bool, acknowledged: &mut Acknowledged) {
    let output = writers.stdout.take().expect("a pipe");
    let (sender, promised) = channel();
    let reader = std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        lines.inspect(|_| _ = sender.send(())).collect::<Vec<String>>()
    });
    if opened {
        // An error means that the writers have ended, which is told below.
        let _ = promised.recv();
    }
    std::thread::sleep(life);
    writers.kill().expect("killed");
    writers.wait().expect("gone");
    for line in reader.join().expect("read") {
        assert!(!line.starts_with("failed"), "{line}");
        acknowledged.read(&line);
    }
}

#[test]
fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let mut random = Random::new(seed("power cut"));
    let rounds = std::env::var("COFFER_POWER_CUTS").ok().and_then(|rounds| rounds.parse().ok());
    let mut disk = Disk::new();
    let mut acknowledged = Acknowledged::default();
    let mut total = 0;
    for round in 0..rounds.unwrap_or(10) {
        if random.one_in(4) {
            total += acknowledged.total();
            (disk, acknowledged) = (Disk::new(), Acknowledged::default());
        }
        let writers = start(&disk, None);
        // Some are killed while they open the store.
        let opened = !random.one_in(4);
        let life = Duration::from_millis(random.below(if opened { 250 } else { 40 }) as u64);
        run_and_kill(writers, life, opened, &mut acknowledged);
        let torn = random.one_in(2);
        disk.forget(&mut random, torn);
        let store = match Store::open(Options::sled(disk.data())) {
            Ok(store) => store,
            Err(error) => panic!("round {round}, torn {torn}: {error}"),
        };
        eprintln!("round {round}, torn {torn}: {} acknowledged", acknowledged.total());
        acknowledged = super::block_on(writer::check(&store, &acknowledged));
    }
    total += acknowledged.total();
    eprintln!("{total} acknowledged steps, none lost");
    assert!(total > 0, "the writers got somewhere");
}

#[test]
fn a_failed_sync_stops_writing_for_good_and_says_so() {
    let mut random = Random::new(seed("failed sync"));
    for _ in 0..3 {
        let disk = Disk::new();
        drop(super::open(&disk.data()));
        // Opening takes some syncs, too.
        let writers = start(&disk, Some(30 + u32::try_from(random.below(60)).expect("small")));
        let output = writers.wait_with_output().expect("the writers end by themselves");
        let output = String::from_utf8(output.stdout).expect("text");
        let mut acknowledged = Acknowledged::default();
        output.lines().for_each(|line| acknowledged.read(line));
        let last = output.lines().last().unwrap_or_default();
        assert!(last.starts_with("failed") && last.contains("Input/output error"), "{last}");
        assert!(acknowledged.total() > 0, "it got somewhere before");
        disk.forget(&mut random, false);
        super::block_on(writer::check(&super::open(&disk.data()), &acknowledged));
    }
}

#[test]
fn a_disk_that_gets_full_within_a_commit_is_waited_for() {
    let mut random = Random::new(seed("full disk"));
    let disk = Disk::new();
    let mut acknowledged = Acknowledged::default();
    for round in 0..3 {
        let mut writers = start(&disk, None);
        let mut lines = BufReader::new(writers.stdout.take().expect("a pipe")).lines();
        let mut take = |least: usize| {
            let mut acks = 0;
            while acks < least {
                let line = lines.next().expect("the writers go on").expect("text");
                assert!(!line.starts_with("failed"), "round {round}: {line}");
                acks += usize::from(line.starts_with("ack"));
                acknowledged.read(&line);
            }
        };
        take(20 + random.below(100));
        let (full, met) = (disk.full(), disk.full().with_extension("met"));
        fs::write(&full, "").expect("written");
        while !met.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(random.below(700) as u64));
        fs::remove_file(&full).expect("removed");
        fs::remove_file(&met).expect("removed");
        take(200);
        writers.kill().expect("killed");
        writers.wait().expect("gone");
        for line in lines.map_while(Result::ok) {
            assert!(!line.starts_with("failed"), "round {round}: {line}");
            acknowledged.read(&line);
        }
        disk.forget(&mut random, true);
        acknowledged = super::block_on(writer::check(&super::open(&disk.data()), &acknowledged));
    }
}
