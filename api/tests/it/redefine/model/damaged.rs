//! Damage while definitions change: a store whose file is damaged is whole all the same, or it is refused.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
    path::Path,
};

use crate::{
    files::copy_dir,
    random::Random,
    support::server::{coffer, said, store_dir},
};

/// Damages copies of a store that is sound.
pub(super) fn assert_whole_or_refused(random: &mut Random, data: &Path) {
    let whole = said(&coffer(&["check"], data));
    for _ in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("data");
        copy_dir(&store_dir(data), &store_dir(&copy));
        let how = damage(random, &store_dir(&copy).join("sled/db"));
        let found = said(&coffer(&["check"], &copy));
        assert!(found == whole || found.starts_with("4: "), "{how}: {found}, and {whole} before");
    }
}

fn damage(random: &mut Random, file: &Path) -> String {
    let length = usize::try_from(fs::metadata(file).unwrap().len()).unwrap();
    let open = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let at = random.below(length);
    match random.below(3) {
        0 => {
            open.set_len(at as u64).unwrap();
            format!("{length} bytes cut at {at}")
        }
        1 => {
            let size = random.below(8192).min(length - at);
            open.write_all_at(&vec![0; size], at as u64).unwrap();
            format!("{length} bytes: {size} zeros at {at}")
        }
        _ => {
            let mut byte = [0];
            open.read_exact_at(&mut byte, at as u64).unwrap();
            byte[0] ^= 1 << random.below(8);
            open.write_all_at(&byte, at as u64).unwrap();
            format!("{length} bytes: a bit at {at}")
        }
    }
}
