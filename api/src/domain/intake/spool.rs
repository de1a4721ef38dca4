//! The folder for files on their way in. What is being received has no name there, so nothing is left of it after a crash; rows that an
//! operation writes are kept under the operation's id until it is over.

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write},
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use common::id::OperationId;
use rustix::fs::{AtFlags, CWD, linkat};

use super::Unreadable;

const GIB: u64 = 1024 * 1024 * 1024;
/// Bytes of one file at most.
const MAX_FILE: u64 = GIB;
/// Bytes of a file that are gathered before they are written.
pub const BUFFER: usize = 64 * 1024;
/// Bytes from one look for room on the disk to the next.
const LOOK: u64 = 1024 * 1024;
/// Bytes of all files that are being received at most.
const MAX_ALL: u64 = 4 * MAX_FILE;

/// The folder.
#[derive(Debug)]
pub struct Spool {
    /// Where it is; `None` where nothing is kept on a disk.
    dir: Option<PathBuf>,
    /// Bytes that are being received.
    held: AtomicU64,
    max_file: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self { dir: None, held: AtomicU64::new(0), max_file: MAX_FILE }
    }
}

impl Spool {
    /// In a folder, which is made when it is needed.
    pub fn in_dir(dir: PathBuf) -> Self {
        Self { dir: Some(dir), ..Self::default() }
    }

    /// Bytes that files under way take.
    pub fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    fn dir(&self) -> io::Result<PathBuf> {
        let dir = self.dir.clone().unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    /// Refuses a file of more bytes than are taken.
    pub fn check(&self, bytes: u64) -> Result<(), Unreadable> {
        if bytes > self.max_file { Err(Unreadable::TooLarge(self.max_file / GIB)) } else { Ok(()) }
    }

    /// Refuses what would take the room that is kept for the store, as `StorageFull`.
    pub fn room_for(&self, bytes: u64) -> io::Result<()> {
        if store::has_room_beside(&self.dir()?, bytes) { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    /// A file without a name, to be filled.
    pub fn receive(self: &Arc<Self>) -> io::Result<Received> {
        let file = io::BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(self.dir()?)?);
        Ok(Received { file, bytes: 0, spool: Arc::clone(self) })
    }

    /// Where the rows of an operation are.
    pub fn rows(&self, operation: OperationId) -> io::Result<PathBuf> {
        Ok(self.dir()?.join(format!("{operation}.rows")))
    }

    /// Where the file of an operation is that is to be taken apart.
    pub fn file(&self, operation: OperationId) -> io::Result<PathBuf> {
        Ok(self.dir()?.join(format!("{operation}.file")))
    }

    /// Where the rows are that an operation left out.
    pub fn rejected(&self, operation: OperationId) -> io::Result<PathBuf> {
        Ok(self.dir()?.join(format!("{operation}.rejected.csv")))
    }

    /// Keeps rows, or a whole file, of an operation under this path, durably.
    pub fn keep(&self, path: &Path, kept: &mut Received) -> io::Result<()> {
        let mut file = kept.rewound()?;
        // What comes before may be there from an attempt that never came to be.
        let _ = fs::remove_file(path);
        if name(&file, path).is_ok() {
            file.sync_all()?;
        } else {
            let mut copy = File::create(path)?;
            io::copy(&mut file, &mut copy)?;
            copy.sync_all()?;
        }
        File::open(self.dir()?)?.sync_all()
    }

    /// Removes what was kept of an operation that is over, but for the rows that it left out.
    pub fn forget(&self, operation: OperationId) {
        for path in [self.rows(operation), self.file(operation)].into_iter().flatten() {
            // Nobody may have kept any.
            let _ = fs::remove_file(path);
        }
    }

    /// Removes the rows that an operation left out.
    pub fn forget_rejected(&self, operation: OperationId) {
        if let Ok(path) = self.rejected(operation) {
            let _ = fs::remove_file(path);
        }
    }

    /// The operations that something is kept of.
    pub fn kept(&self) -> Vec<(OperationId, PathBuf)> {
        let Some(files) = self.dir.as_ref().and_then(|dir| fs::read_dir(dir).ok()) else { return Vec::new() };
        let files = files.filter_map(|file| Some(file.ok()?.path()));
        files.filter_map(|path| Some((path.file_name()?.to_str()?.split('.').next()?.parse().ok()?, path))).collect()
    }
}

/// Gives a file without a name one, where the file system can.
fn name(file: &File, path: &Path) -> io::Result<()> {
    let from = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, from, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// A file that is being received. What it holds is given back with it.
#[derive(Debug)]
pub struct Received {
    file: io::BufWriter<File>,
    bytes: u64,
    spool: Arc<Spool>,
}

impl Received {
    /// More of it.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Unreadable> {
        let more = piece.len() as u64;
        if self.bytes / LOOK != (self.bytes + more) / LOOK {
            self.spool.room_for(LOOK + more)?;
        }
        self.bytes += more;
        let all = self.spool.held.fetch_add(more, Relaxed) + more;
        self.spool.check(self.bytes)?;
        if all > MAX_ALL {
            let gib = MAX_ALL / GIB;
            return Err(Unreadable::whole(format!(
                "All files that come at once may have {gib} GiB. Send it again when others are in."
            )));
        }
        Ok(self.file.write_all(piece)?)
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The file, at its beginning.
    pub fn rewound(&mut self) -> io::Result<File> {
        self.file.flush()?;
        let mut file = self.file.get_ref().try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

impl Write for Received {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        match self.push(piece) {
            Ok(()) => Ok(piece.len()),
            Err(Unreadable::Io(error)) => Err(error),
            Err(Unreadable::File(errors)) => Err(super::complaint(errors.in_words())),
            Err(Unreadable::TooLarge(_)) => Err(io::ErrorKind::FileTooLarge.into()),
            Err(Unreadable::NoMemory) => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.spool.held.fetch_sub(self.bytes, Relaxed);
    }
}
