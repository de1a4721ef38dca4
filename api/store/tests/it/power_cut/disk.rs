//! A disk that forgets what was not synced (`power_cut.c`).

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::UNIX_EPOCH,
};

use crate::random::Random;

/// A disk that forgets.
pub(crate) struct Disk {
    /// What programs see.
    live: PathBuf,
    /// What would be left.
    shadow: PathBuf,
    library: PathBuf,
    _dir: tempfile::TempDir,
}

impl Disk {
    pub(crate) fn new() -> Disk {
        let dir = tempfile::tempdir().expect("a directory");
        let library = dir.path().join("power_cut.so");
        let source = dir.path().join("power_cut.c");
        fs::write(&source, include_str!("../power_cut.c")).expect("written");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O2", "-o"]).args([&library, &source]).arg("-ldl");
        assert!(cc.status().expect("cc is there, as rustc needs it").success(), "cc compiles");
        let live = dir.path().join("live");
        fs::create_dir(&live).expect("a directory");
        let live = live.canonicalize().expect("a path");
        Disk { live, shadow: dir.path().join("shadow"), library, _dir: dir }
    }

    /// Where the program's data are to be.
    pub(crate) fn data(&self) -> PathBuf {
        self.live.join("data")
    }

    /// The disk is full while there is this file. Where something met that, there is another with `.met` behind the name.
    pub(crate) fn full(&self) -> PathBuf {
        self.live.with_file_name("full")
    }

    /// Has a program run on it; from now on everything that is not synced is in danger.
    pub(crate) fn watch(&self, command: &mut Command) {
        let _ = fs::remove_dir_all(&self.shadow);
        fs::create_dir_all(self.shadow.join("files")).expect("a directory");
        fs::create_dir_all(self.shadow.join("names")).expect("a directory");
        self.keep_all(&self.live);
        command.env("LD_PRELOAD", &self.library).env("CUT_ROOT", &self.live).env("CUT_SHADOW", &self.shadow);
        command.env("CUT_FULL", self.full());
    }

    /// All that is there counts as synced.
    fn keep_all(&self, dir: &Path) {
        let mut names = String::new();
        for entry in fs::read_dir(dir).expect("a directory") {
            let entry = entry.expect("an entry");
            let (path, id) = (entry.path(), id(&entry.path()));
            if !path.is_dir() && !path.is_file() {
                // Sockets are made anew.
                continue;
            }
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
    pub(crate) fn forget(&self, random: &mut Random, torn: bool) {
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
        // Whatever it was made with: nobody else may look into it, which keys insist on.
        fs::DirBuilder::new().mode(0o700).create(kept).expect("a directory");
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
                let mut options = fs::File::options();
                let copy = options.write(true).create_new(true).mode(0o600).open(kept.join(name)).expect("made");
                copy.write_all_at(&bytes, 0).expect("written");
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
        } else if path.is_file() {
            found.insert(id(&path), fs::read(&path).expect("read"));
        }
    }
}
