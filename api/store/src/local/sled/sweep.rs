//! Having sled move pages out of segments that are nearly empty, so that the segments can be used again. It moves one page whenever a
//! page is written as a whole, and so hardly any where little is written. Here a page of no use is written again and again.
//!
//! What is to be moved, sled decides as it opens the database and goes on to new segments.

use std::fs;

use ::sled::Db;

use super::{Sled, read_error};
use crate::ReadError;

/// The tree with the page of no use; sled keeps trees apart. It is removed in the end.
const TREE: &str = "sweep";

/// The page is written as a whole every tenth time.
const WRITES_FOR_A_PAGE: u64 = 12;

/// Bytes of a snapshot for a page, or less.
const BYTES_OF_A_PAGE: u64 = 14;

/// Written to go on to new segments, so often that it makes some.
const FILLER: usize = 64 << 10;
const NEW_SEGMENTS: usize = 3;

/// How often it is asked whether to go on.
const TOGETHER: u64 = 1000;

impl Sled {
    /// Moves what can be moved, while others read and write. `is_over` says that nobody wants it any more.
    pub(in crate::local) fn sweep(&self, is_over: impl Fn() -> bool) -> Result<(), ReadError> {
        let pages = self.snapshot_bytes() / BYTES_OF_A_PAGE;
        self.with_db(|db| {
            let swept = self.write_page(db, pages * WRITES_FOR_A_PAGE, is_over);
            db.drop_tree(TREE).and_then(|_| db.flush()).map_err(read_error)?;
            swept.map_err(read_error)
        })
    }

    fn write_page(&self, db: &Db, writes: u64, is_over: impl Fn() -> bool) -> Result<(), ::sled::Error> {
        let tree = db.open_tree(TREE)?;
        for n in 0..NEW_SEGMENTS * self.segment / FILLER {
            tree.insert("filler", vec![1; FILLER])?;
            if n % 8 == 0 {
                db.flush()?;
            }
        }
        tree.remove("filler")?;
        for n in 0..writes {
            tree.insert("page", &n.to_be_bytes())?;
            if n % TOGETHER == 0 {
                db.flush()?;
                if is_over() || self.room().free < self.reserve_bytes / 8 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// What sled wrote about all pages when it opened the database.
    fn snapshot_bytes(&self) -> u64 {
        let files = fs::read_dir(self.dir.join("sled")).into_iter().flatten().flatten();
        let snapshots = files.filter(|file| file.file_name().to_string_lossy().starts_with("snap."));
        snapshots.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
    }
}
