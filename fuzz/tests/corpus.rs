//! What is kept in `corpus/`, through every target's function: seeds made by hand, and whatever was ever found. Needs no libFuzzer.

use std::{
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use coffer_fuzz::TARGETS;

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("the folder is there");
    let stem = |path: PathBuf| path.file_stem().expect("it has a name").to_string_lossy().into_owned();
    entries.map(|entry| stem(entry.expect("it can be read").path())).collect()
}

#[test]
fn l9_every_target_has_its_program_and_its_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

#[test]
fn l9_what_is_kept_passes_through_every_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut faults = Vec::new();
    for (name, target) in TARGETS {
        let mut files: Vec<_> = fs::read_dir(corpus.join(name)).expect("the folder is there").flatten().collect();
        files.sort_by_key(fs::DirEntry::path);
        assert!(!files.is_empty(), "{name} has no seeds");
        target(b"");
        for file in files {
            let bytes = fs::read(file.path()).expect("it can be read");
            if catch_unwind(AssertUnwindSafe(|| target(&bytes))).is_err() {
                faults.push(file.path());
            }
        }
    }
    assert!(faults.is_empty(), "these fail; `cargo xtask fuzz TARGET FILE` feeds one alone: {faults:#?}");
}
