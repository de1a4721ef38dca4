//! Files are damaged at random: the store is whole all the same, or it is refused; it never opens
//! with less than it had. `COFFER_DAMAGES` sets the number of cases, `COFFER_SEED` repeats a run.

use std::{
    fs::{self, OpenOptions},
    ops::Bound,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use store::{Entry, Key, OpenError, Options, Scan, Store};

use super::{
    random::{Random, seed},
    writer::{self, Acknowledged},
};

/// Enough to fill several segments: damage in the middle of the log is the kind that sled skips.
const STEPS: usize = 300;

/// Damages one file of a store in one way, and says how.
fn damage(random: &mut Random, store: &Path) -> String {
    let mut files = Vec::new();
    find_files(store, &mut files);
    files.sort();
    // Nearly all bytes are in the database file.
    let db = store.join("sled/db");
    let file = if random.one_in(4) { &files[random.below(files.len())] } else { &db };
    let length = usize::try_from(fs::metadata(file).expect("there").len()).expect("small");
    let name = file.strip_prefix(store).expect("below").display();
    if length == 0 {
        return format!("{name} is empty anyway");
    }
    let open = OpenOptions::new().read(true).write(true).open(file).expect("opened");
    let at = random.below(length);
    match random.below(4) {
        0 => {
            open.set_len(at as u64).expect("cut");
            format!("{name} of {length} bytes cut at {at}")
        }
        1 => {
            let size = random.below(8192).min(length - at);
            open.write_all_at(&vec![0; size], at as u64).expect("written");
            format!("{name} of {length} bytes: {size} zeros at {at}")
        }
        2 => {
            let size = random.below(8192).min(length - at);
            open.write_all_at(&super::bytes(random, size), at as u64).expect("written");
            format!("{name} of {length} bytes: {size} of noise at {at}")
        }
        _ => {
            let mut byte = [0];
            open.read_exact_at(&mut byte, at as u64).expect("read");
            byte[0] ^= 1 << random.below(8);
            open.write_all_at(&byte, at as u64).expect("written");
            format!("{name} of {length} bytes: a bit at {at}")
        }
    }
}

/// Entries that one flipped bit may cost: sled keeps no more than these on a page.
const MISSING: usize = 32;

fn everything() -> Scan {
    Scan::range(Bound::Unbounded, Bound::Unbounded)
}

/// All that can be read of a damaged store; nothing if nothing can be.
fn salvage(store: &Path, dir: &Path) -> Vec<(Key, Entry)> {
    let to = dir.join("salvaged");
    let _ = fs::remove_dir_all(&to);
    match Store::salvage(store, &to) {
        Ok(_) => super::block_on(super::open(&to).scan(everything())).expect("a scan"),
        Err(error) => {
            assert!(matches!(error, OpenError::Damaged { .. } | OpenError::TooNew { .. }), "{error}");
            Vec::new()
        }
    }
}

/// Everything in a store's files except for who has the lock.
fn contents(store: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    find_files(store, &mut files);
    files.sort();
    files.retain(|file| !file.ends_with("lock"));
    files.into_iter().map(|file| (file.clone(), fs::read(file).expect("read"))).collect()
}

fn find_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { find_files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn a_damaged_store_is_whole_or_refused() {
    let mut random = Random::new(seed("damage"));
    let cases = std::env::var("COFFER_DAMAGES").ok().and_then(|cases| cases.parse().ok());
    let dir = tempfile::tempdir().expect("a directory");
    let original = dir.path().join("original");
    super::block_on(async { writer::write(&super::open(&original), STEPS, |_| {}).await });
    let all = Acknowledged { steps: [STEPS; writer::WRITERS], version: 0 };
    let entries = super::block_on(super::open(&original).scan(everything())).expect("a scan");
    let (mut whole, mut refused, mut bits, mut gone) = (0, 0, 0, 0);
    for case in 0..cases.unwrap_or(200) {
        if case == cases.unwrap_or(200) / 2 {
            // From now on a snapshot of sled's covers what was written.
            drop(super::open(&original));
        }
        let store = dir.path().join("damaged");
        let _ = fs::remove_dir_all(&store);
        super::files::copy_dir(&original, &store);
        let how = damage(&mut random, &store);
        let before = contents(&store);
        match Store::open(Options::sled(&store)) {
            Ok(store) => {
                let found = super::block_on(writer::check(&store, &all));
                assert_eq!(found.steps, all.steps, "{how}");
                whole += 1;
            }
            Err(error @ (OpenError::Damaged { .. } | OpenError::TooNew { .. })) => {
                assert!(!error.to_string().contains('\n'), "one line: {error}");
                assert!(contents(&store) == before, "{how}: refused, and yet changed");
                refused += 1;
                let is_bit = how.contains(": a bit at ");
                if !is_bit && case % 32 > 0 {
                    continue;
                }
                let salvaged = salvage(&store, dir.path());
                assert!(contents(&store) == before, "{how}: salvaged, and changed");
                if is_bit {
                    let missing = entries.iter().filter(|entry| !salvaged.contains(entry)).count();
                    let wrong = salvaged.iter().filter(|entry| !entries.contains(entry)).count();
                    assert!(
                        missing <= MISSING && wrong == 0,
                        "{how}: {missing} entries are missing, {wrong} are wrong"
                    );
                    bits += 1;
                    gone += missing;
                }
            }
            Err(error) => panic!("{how}: {error}"),
        }
    }
    eprintln!("damage: {whole} whole all the same, {refused} refused");
    eprintln!("{bits} of these for one bit: {gone} entries could not be salvaged");
    assert!(whole > 0 && refused > 0, "some damage matters and some does not");
}
