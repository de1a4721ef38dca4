//! The files beside the database: the lock, the format, and what makes their creation durable.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
};

use rustix::fs::{FlockOperation, flock};

/// More than this of a file is not read ahead: it might not fit into memory.
const READ_AHEAD: u64 = 4 << 30;

/// Room that opening a database needs in any case.
const OPENING: u64 = 2 << 20;

/// What holes take at most while a database is opened, since they are made again as fast as they are filled.
const HOLES_AT_ONCE: u64 = 16 << 20;

/// The store's directory is taken as long as this lives. The system lets go of it when the process
/// ends, however it ends.
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A process that this one is just starting has a copy of the file until it is its own program; the lock ends now all the same.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

impl Lock {
    /// Takes the lock, or says which process has it.
    pub(super) fn take(path: &Path) -> io::Result<Result<Lock, Option<u32>>> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(error.into());
            }
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            return Ok(Err(holder.trim().parse().ok()));
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Ok(Lock { file }))
    }
}

/// Files that opening a database makes, and some to spare.
const FILES: u64 = 8;

/// What the file system of a directory still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Space {
    pub bytes: u64,
    pub files: u64,
}

impl Space {
    /// Of a directory. A file system that does not say how large it is, such as one in memory alone, and one that makes files as needed, say that they have
    /// none at all; then there is no end.
    pub(super) fn of(dir: &Path) -> Self {
        let Ok(disk) = rustix::fs::statvfs(dir) else { return Self { bytes: u64::MAX, files: u64::MAX } };
        let bytes = if disk.f_blocks > 0 { disk.f_bavail.saturating_mul(disk.f_frsize) } else { u64::MAX };
        Self { bytes, files: if disk.f_files > 0 { disk.f_favail } else { u64::MAX } }
    }

    /// Whether it takes the files that opening a database makes.
    pub(super) fn takes_files(self) -> bool {
        self.files >= FILES
    }
}

/// Bytes that are free on the disk of a directory; `None` where it does not say.
pub fn free_bytes(dir: &Path) -> Option<u64> {
    Some(Space::of(dir).bytes).filter(|bytes| *bytes < u64::MAX)
}

/// How many bytes the disk of a directory has; `None` where it does not say.
pub fn size_bytes(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_blocks.saturating_mul(disk.f_frsize)).filter(|bytes| *bytes > 0)
}

/// What all files below a directory take on the disk, holes left out. A file that goes meanwhile takes nothing.
pub fn disk_bytes(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                // In units of 512 bytes, whatever the file system's are (stat(2)).
                Ok(metadata) => bytes += metadata.blocks() * 512,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(bytes)
}

/// The room on the disk that sled takes as it opens the database in a directory: it fills the holes in the file with zeros before
/// they can be made again, and writes what it has read into a new snapshot before it removes the old one.
pub(super) fn needed_to_open(sled_dir: &Path) -> io::Result<u64> {
    let database = fs::metadata(sled_dir.join("db"))?;
    let holes = database.len().saturating_sub(database.blocks() * 512);
    let mut snapshots = 0;
    for entry in fs::read_dir(sled_dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            snapshots += entry.metadata()?.len();
        }
    }
    Ok(holes.min(HOLES_AT_ONCE) + 2 * snapshots + OPENING)
}

/// The process that has locked a file, as far as the system tells.
pub(super) fn lock_holder(path: &Path) -> Option<u32> {
    let inode = fs::metadata(path).ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // 1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[_, "FLOCK", _, "WRITE", pid, file, ..] = fields.as_slice() else { return None };
        (file.rsplit(':').next() == Some(&inode)).then(|| pid.parse().ok()).flatten()
    })
}

/// What was decided when the store was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// How keys and values are written.
    pub number: u32,
    /// sled's segment size in bytes, fixed for the life of a database.
    pub segment: usize,
}

impl Format {
    /// Reads the file; `None` if it is not there, `InvalidData` if it makes no sense.
    pub(super) fn read(path: &Path) -> io::Result<Option<Format>> {
        // A byte that is not UTF-8 is `InvalidData` as well.
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<usize>().ok());
        let number = field("coffer store ").and_then(|number| u32::try_from(number).ok());
        let segment = field("segment ").unwrap_or(0);
        match number {
            Some(number) => Ok(Some(Format { number, segment })),
            None => Err(io::Error::new(io::ErrorKind::InvalidData, "not a format file")),
        }
    }

    /// Writes the file whole or not at all.
    pub(super) fn write(self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        write!(file, "coffer store {}\nsegment {}\n", self.number, self.segment)?;
        file.sync_all()?;
        fs::rename(&new, path)
    }
}

/// Makes a directory that only its owner can enter, with its parents.
pub(super) fn make_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Makes the files of a directory and their names durable.
pub(super) fn sync_files(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            sync(&entry.path())?;
        }
    }
    sync(dir)
}

/// Has the system read a file while others begin to use it. As a whole and in order it comes from a disk in half the time that the
/// thousands of pieces take in which an opening asks for it; if it is in memory already, that costs nothing.
pub(super) fn read_ahead(path: PathBuf) {
    let read = move || {
        let file = File::open(path)?;
        let length = file.metadata()?.len().min(READ_AHEAD);
        for at in (0..length).step_by(1 << 20) {
            #[cfg(not(target_vendor = "apple"))]
            rustix::fs::fadvise(&file, at, std::num::NonZeroU64::new(1 << 20), rustix::fs::Advice::WillNeed)?;
        }
        io::Result::Ok(())
    };
    // Without it everything is read all the same.
    let _ = thread::Builder::new().name("read-ahead".to_owned()).spawn(read);
}

/// Makes a file, or the names in a directory, durable.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
