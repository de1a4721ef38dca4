//! The power goes, again and again: what was acknowledged is there, and nothing is half there.
//!
//! Writers run in a process of their own on a disk that forgets what was not synced
//! (`power_cut.c`). It is killed at a random moment, what the disk would have kept is put together,
//! and the store must open from that and hold exactly what it promised.
//! `COFFER_POWER_CUTS` sets the number of rounds; `COFFER_SEED` repeats a run's random choices.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, UNIX_EPOCH};

use store::{Options, Store};

use super::random::{Random, seed};
use super::writer::{self, Acknowledged};

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

/// A disk that forgets, with a store on it.
struct Disk {
    /// What programs see.
    live: PathBuf,
    /// What would be left.
    shadow: PathBuf,
    library: PathBuf,
    _dir: tempfile::TempDir,
}

impl Disk {
    fn new() -> Disk {
        let dir = tempfile::tempdir().expect("a directory");
        let library = dir.path().join("power_cut.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power_cut.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O2", "-o"]).args([&library, &source]).arg("-ldl");
        assert!(cc.status().expect("cc is there, as rustc needs it").success(), "cc compiles");
        let live = dir.path().join("live");
        fs::create_dir(&live).expect("a directory");
        let live = live.canonicalize().expect("a path");
        Disk { live, shadow: dir.path().join("shadow"), library, _dir: dir }
    }

    fn store(&self) -> PathBuf {
        self.live.join("data")
    }

    /// Starts writers; from now on everything that is not synced is in danger.
    fn start(&self, fail_after: Option<u32>) -> Child {
        let _ = fs::remove_dir_all(&self.shadow);
        fs::create_dir_all(self.shadow.join("files")).expect("a directory");
        fs::create_dir_all(self.shadow.join("names")).expect("a directory");
        self.keep_all(&self.live);
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .args(["--exact", "power_cut::writers_find_all_that_they_wrote", "--nocapture"])
            .env(DIR, self.store())
            .env("LD_PRELOAD", &self.library)
            .env("CUT_ROOT", &self.live)
            .env("CUT_SHADOW", &self.shadow)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some(syncs) = fail_after {
            command.env("CUT_FAIL_AFTER", syncs.to_string());
        }
        command.spawn().expect("the writers start")
    }

    /// All that is there counts as synced.
    fn keep_all(&self, dir: &Path) {
        let mut names = String::new();
        for entry in fs::read_dir(dir).expect("a directory") {
            let entry = entry.expect("an entry");
            let (path, id) = (entry.path(), id(&entry.path()));
            let kind = if path.is_dir() { 'd' } else { 'f' };
            let name = entry.file_name();
            writeln!(names, "{kind} {id} {}", name.to_string_lossy()).expect("written");
            if path.is_dir() {
                self.keep_all(&path);
            } else {
                fs::copy(&path, self.shadow.join("files").join(id)).expect("copied");
            }
        }
        fs::write(self.names(dir), names).expect("written");
    }

    /// Where the names of a directory are kept.
    fn names(&self, dir: &Path) -> PathBuf {
        let below = dir.strip_prefix(&self.live).expect("a directory of the disk");
        self.shadow.join("names").join(format!("%{}", below.to_string_lossy().replace('/', "%")))
    }

    /// The power goes: what was not synced is forgotten. If `torn`, some of it made it, block by
    /// block, as a disk may write in any order.
    fn forget(&self, random: &mut Random, torn: bool) {
        let mut written = HashMap::new();
        find_files(&self.live, &mut written);
        let kept = self.live.with_file_name("kept");
        self.put_together(&self.live, &kept, &mut |id, copy| {
            let Some(live) = written.get(id).filter(|_| torn) else { return };
            for at in (0..live.len()).step_by(4096) {
                if random.one_in(3) {
                    let block = &live[at..live.len().min(at + 4096)];
                    copy.write_all_at(block, at as u64).expect("written");
                }
            }
        });
        fs::remove_dir_all(&self.live).expect("removed");
        fs::rename(kept, &self.live).expect("renamed");
    }

    fn put_together(&self, dir: &Path, kept: &Path, tear: &mut impl FnMut(&str, &fs::File)) {
        fs::create_dir(kept).expect("a directory");
        // A directory that was never synced has no entries.
        let names = fs::read_to_string(self.names(dir)).unwrap_or_default();
        for line in names.lines() {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().expect("three words");
            let (kind, id, name) = (word(), word(), word());
            if kind == "d" {
                self.put_together(&dir.join(name), &kept.join(name), tear);
            } else {
                // A file that was never synced is empty.
                let bytes = fs::read(self.shadow.join("files").join(id)).unwrap_or_default();
                fs::write(kept.join(name), bytes).expect("written");
                let copy = fs::File::options().write(true).open(kept.join(name)).expect("opened");
                tear(id, &copy);
            }
        }
    }
}

/// What a file is known by in the shadow: as in `power_cut.c`.
fn id(path: &Path) -> String {
    let metadata = fs::symlink_metadata(path).expect("metadata");
    let born = metadata.created().expect("a birth time").duration_since(UNIX_EPOCH).expect("1970");
    format!("{}-{}-{}", metadata.ino(), born.as_secs(), born.subsec_nanos())
}

fn find_files(dir: &Path, found: &mut HashMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find_files(&path, found);
        } else {
            found.insert(id(&path), fs::read(&path).expect("read"));
        }
    }
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
        let writers = disk.start(None);
        // Some are killed while they open the store.
        let opened = !random.one_in(4);
        let life = Duration::from_millis(random.below(if opened { 250 } else { 40 }) as u64);
        run_and_kill(writers, life, opened, &mut acknowledged);
        let torn = random.one_in(2);
        disk.forget(&mut random, torn);
        let store = match Store::open(Options::sled(disk.store())) {
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
        drop(super::open(&disk.store()));
        // Opening takes some syncs, too.
        let writers = disk.start(Some(30 + u32::try_from(random.below(60)).expect("small")));
        let output = writers.wait_with_output().expect("the writers end by themselves");
        let output = String::from_utf8(output.stdout).expect("text");
        let mut acknowledged = Acknowledged::default();
        output.lines().for_each(|line| acknowledged.read(line));
        let last = output.lines().last().unwrap_or_default();
        assert!(last.starts_with("failed") && last.contains("Input/output error"), "{last}");
        assert!(acknowledged.total() > 0, "it got somewhere before");
        disk.forget(&mut random, false);
        super::block_on(writer::check(&super::open(&disk.store()), &acknowledged));
    }
}
