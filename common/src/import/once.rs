//! A file is to go in once, however often it is sent: the key that it is sent under is made of what it is.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The header that marks a request that may come twice and is to be done once.
pub const KEY: &str = "idempotency-key";
/// The header that marks an answer that was given before: nothing was done now.
pub const REPLAYED: &str = "idempotency-replayed";

/// The key of a file in the making: the same for the same file where the same is asked.
#[derive(Debug, Clone)]
pub struct FileKey(Sha256);

impl FileKey {
    /// For what is asked with the file; `after` is when it was imported before, where it is to go in once more.
    pub fn new(asked: &str, after: Option<&str>) -> Self {
        let mut digest = Sha256::new_with_prefix(asked);
        digest.update([0]);
        if let Some(after) = after {
            digest.update(after);
            digest.update([0]);
        }
        Self(digest)
    }

    /// The next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The key.
    pub fn finish(self) -> String {
        self.0.finalize().iter().fold("file-".to_owned(), |mut key, byte| {
            let _ = write!(key, "{byte:02x}");
            key
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(asked: &str, after: Option<&str>, pieces: &[&[u8]]) -> String {
        let mut key = FileKey::new(asked, after);
        for piece in pieces {
            key.update(piece);
        }
        key.finish()
    }

    #[test]
    fn the_same_file_has_the_same_key_where_the_same_is_asked() {
        let first = key("/api/records/words/import/", None, &[b"word\n", b"a\n"]);
        assert!(first.starts_with("file-") && first.len() == 69, "{first}");
        assert_eq!(first, key("/api/records/words/import/", None, &[b"word\na\n"]));
        for other in [
            key("/api/records/words/import/?key=word", None, &[b"word\na\n"]),
            key("/api/records/words/import/", Some("2026-11-29T08:00:00Z"), &[b"word\na\n"]),
            key("/api/records/words/import/", None, &[b"word\nb\n"]),
        ] {
            assert_ne!(first, other);
        }
    }
}
