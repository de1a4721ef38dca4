//! A file on its way to the server, a piece at a time.

use std::{
    fs::File,
    io::{self, Read, Seek as _, SeekFrom},
    path::Path,
};

use bytes::Bytes;
use common::import::once::FileKey;

const PIECE: usize = 64 * 1024;

/// An open file.
#[derive(Debug)]
pub struct Upload {
    file: File,
    bytes: u64,
}

impl Upload {
    /// Opens a file. A pipe, a device or a folder is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        if std::fs::metadata(path)?.is_file() {
            Self::of(File::open(path)?)
        } else {
            Err(io::Error::other("this is no file"))
        }
    }

    /// A file that is open.
    pub fn of(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { bytes: file.metadata()?.len(), file })
    }

    /// How long it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its first bytes, as many as these or all.
    pub fn head(&self, most: u32) -> io::Result<Vec<u8>> {
        let (mut file, mut head) = (self.file.try_clone()?, Vec::new());
        file.seek(SeekFrom::Start(0))?;
        file.take(most.into()).read_to_end(&mut head)?;
        Ok(head)
    }

    /// A key for what is asked with this file: the same for the same. `after` is when it was imported before, where it is to go in once more.
    pub fn key(&self, asked: &str, after: Option<&str>) -> io::Result<String> {
        let mut file = self.file.try_clone()?;
        let (mut key, mut piece) = (FileKey::new(asked, after), vec![0; PIECE]);
        file.seek(SeekFrom::Start(0))?;
        loop {
            let length = file.read(&mut piece)?;
            if length == 0 {
                break;
            }
            key.update(&piece[..length]);
        }
        Ok(key.finish())
    }

    /// The file, a piece at a time; what is told of each is how long it is. An error of that breaks the request off.
    pub fn into_pieces<F: FnMut(u64) -> io::Result<()>>(mut self, tell: F) -> io::Result<Pieces<F>> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(Pieces { file: self.file, tell })
    }
}

/// What is left of a file.
#[derive(Debug)]
pub struct Pieces<F> {
    file: File,
    tell: F,
}

impl<F: FnMut(u64) -> io::Result<()>> Iterator for Pieces<F> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = vec![0; PIECE];
        match self.file.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some((self.tell)(length as u64).map(|()| piece.into()))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
