//! Making a backup, a piece at a time, from a snapshot: whoever wants the next piece asks for it, and writers go on meanwhile.
//! It is written in words, in the order of their keys, and knows nothing of numbers.

mod parts;

use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use store::{Entry, Key, Snapshot};

use self::parts::Parts;
use super::format::{FORMAT, MAGIC, Manifest};
use crate::domain::Result;

/// Bytes that are gathered before they are handed out.
const PIECE: usize = 64 * 1024;

/// A backup in the making.
pub struct Backup<'a> {
    parts: Parts<'a>,
    /// What has been packed and not handed out; `None` after the end.
    packed: Option<GzEncoder<Vec<u8>>>,
    hash: Sha256,
    manifest: Manifest,
}

impl<'a> Backup<'a> {
    /// Begins a backup of everything in `snapshot`, made at `created`.
    pub fn new(snapshot: &'a Snapshot, created: String) -> Self {
        let head = format!("{MAGIC}{FORMAT}\n").into_bytes();
        Self {
            parts: Parts::new(snapshot),
            packed: Some(GzEncoder::new(head, Compression::default())),
            hash: Sha256::new(),
            manifest: Manifest {
                format: FORMAT,
                created,
                coffer: env!("CARGO_PKG_VERSION").to_owned(),
                version: snapshot.version(),
                ..Manifest::default()
            },
        }
    }

    /// The file's next bytes; `None` at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(packed) = &mut self.packed {
            let Some(page) = self.parts.next().await? else { return Ok(Some(self.finish())) };
            for (key, entry) in &page {
                self.manifest.count(key);
                // Writing into memory does not fail.
                let _ = write_entry(packed, key, entry);
                if packed.get_ref().len() >= PIECE {
                    // Packing takes a while; others may want the thread.
                    tokio::task::yield_now().await;
                }
            }
            if packed.get_ref().len() >= PIECE {
                let piece = std::mem::take(packed.get_mut());
                self.hash.update(&piece);
                return Ok(Some(piece.into()));
            }
        }
        Ok(None)
    }

    /// The end of the entries, the manifest and the checksum.
    fn finish(&mut self) -> Bytes {
        let Some(mut packed) = self.packed.take() else { return Bytes::new() };
        let manifest = serde_json::to_vec(&self.manifest).unwrap_or_default();
        let written =
            packed.write_all(&[0; 4]).and_then(|()| packed.write_all(&manifest)).and_then(|()| packed.finish());
        let mut piece = written.unwrap_or_default();
        self.hash.update(&piece);
        piece.extend_from_slice(&self.hash.finalize_reset());
        piece.into()
    }
}

fn write_entry(packed: &mut impl Write, key: &Key, entry: &Entry) -> io::Result<()> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_be_bytes).map_err(io::Error::other);
    packed.write_all(&length(key.as_bytes())?)?;
    packed.write_all(&length(&entry.value)?)?;
    packed.write_all(&entry.version.get().to_be_bytes())?;
    packed.write_all(key.as_bytes())?;
    packed.write_all(&entry.value)
}
