//! A file on its way to the server, a piece at a time.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use indicatif::ProgressBar;
use sha2::{Digest as _, Sha256};

const PIECE: usize = 64 * 1024;

/// An open file.
pub(super) struct Upload {
    file: File,
    bytes: u64,
}

impl Upload {
    /// Opens a file; standard input is kept in one first.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = if super::is_stdin(path) {
            let mut kept = tempfile::tempfile()?;
            io::copy(&mut io::stdin().lock(), &mut kept)?;
            kept
        } else {
            File::open(path)?
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { bytes: file.metadata()?.len(), file })
    }

    /// How long it is.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A key for what is asked with this file: the same for the same.
    pub(super) fn key(&self, asked: &str) -> io::Result<String> {
        let mut file = self.file.try_clone()?;
        let (mut digest, mut piece) = (Sha256::new_with_prefix(asked), vec![0; PIECE]);
        digest.update([0]);
        loop {
            let length = file.read(&mut piece)?;
            if length == 0 {
                break;
            }
            digest.update(&piece[..length]);
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(format!("file-{}", URL_SAFE_NO_PAD.encode(digest.finalize())))
    }

    /// The file, a piece at a time.
    pub(super) fn into_pieces(mut self, bar: ProgressBar) -> io::Result<Pieces> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(Pieces { file: self.file, bar })
    }
}

/// What is left of a file.
pub(super) struct Pieces {
    file: File,
    bar: ProgressBar,
}

impl Iterator for Pieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = vec![0; PIECE];
        match self.file.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                self.bar.inc(length as u64);
                Some(Ok(piece.into()))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
