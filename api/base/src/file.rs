//! Files that an operator names on a command line or in a setting. They are read whole and up to a size, and what is no file (a directory,
//! a device, a socket, a pipe that nobody writes into) is an error that says so, and never a start that hangs.

use std::{
    fs::{self, File, FileType, Metadata},
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use thiserror::Error;

/// What is read of a file at most.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes.
    pub bytes: u64,
    /// How long it may take to come out of a pipe, such as the shell's `<(command)`. One that nobody writes into never ends.
    pub patience: Duration,
}

impl Bounds {
    /// Bytes at most, within five seconds.
    pub const fn bytes(bytes: u64) -> Self {
        Self { bytes, patience: Duration::from_secs(5) }
    }
}

/// Why a named file cannot be read. One sentence each, which begins with its path.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum FileError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is {what}, and a file is needed", path.display())]
    Kind { path: PathBuf, what: &'static str },
    #[error("{} is a pipe, and not all of it has come within {} seconds", path.display(), patience.as_secs())]
    Slow { path: PathBuf, patience: Duration },
    #[error("{} has more than {} KiB", path.display(), most / 1024)]
    Large { path: PathBuf, most: u64 },
}

/// What a file holds, and what the system says of it.
pub struct Named {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Its kind, size and rights.
    pub metadata: Metadata,
}

/// Reads a file, or what comes out of a pipe, up to `most` bytes. No copies are left behind in memory on the way.
pub fn read(path: &Path, most: u64) -> Result<Named, FileError> {
    let named = with(path, Bounds::bytes(most), move |file| {
        let metadata = file.metadata()?;
        let room = if metadata.is_file() { metadata.len().min(most) } else { most };
        let mut bytes = Vec::with_capacity(usize::try_from(room + 1).unwrap_or_default());
        file.take(most + 1).read_to_end(&mut bytes)?;
        Ok(Named { bytes, metadata })
    })?;
    if named.bytes.len() as u64 > most { Err(FileError::Large { path: path.to_owned(), most }) } else { Ok(named) }
}

/// Has `read` read a file as long as it takes, or what comes out of a pipe in time.
pub fn with<T: Send + 'static>(
    path: &Path,
    bounds: Bounds,
    read: impl FnOnce(File) -> io::Result<T> + Send + 'static,
) -> Result<T, FileError> {
    let path = path.to_owned();
    let failed = |source| FileError::Io { path: path.clone(), source };
    let metadata = fs::metadata(&path).map_err(failed)?;
    let kind = metadata.file_type();
    if let Some(what) = unfit(kind) {
        return Err(FileError::Kind { path, what });
    }
    if metadata.is_file() {
        if metadata.len() > bounds.bytes {
            return Err(FileError::Large { path, most: bounds.bytes });
        }
        return File::open(&path).and_then(read).map_err(failed);
    }
    let (sender, receiver) = mpsc::channel();
    let opened = path.clone();
    // Opening a pipe waits too. The thread ends with the process.
    thread::spawn(move || {
        // Nobody listens any more where it came too late.
        let _ = sender.send(File::open(opened).and_then(read));
    });
    match receiver.recv_timeout(bounds.patience) {
        Ok(read) => read.map_err(failed),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Err(FileError::Slow { path, patience: bounds.patience })
        }
    }
}

/// Opens a file that is read from several places, which a pipe is not.
pub fn open(path: &Path) -> Result<File, FileError> {
    let kind = fs::metadata(path).map_err(|source| FileError::Io { path: path.to_owned(), source })?.file_type();
    let what = if kind.is_fifo() { Some("a pipe") } else { unfit(kind) };
    match what {
        Some(what) => Err(FileError::Kind { path: path.to_owned(), what }),
        None => File::open(path).map_err(|source| FileError::Io { path: path.to_owned(), source }),
    }
}

/// What is neither a file nor a pipe, in words.
fn unfit(kind: FileType) -> Option<&'static str> {
    [
        (kind.is_dir(), "a directory"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
    ]
    .into_iter()
    .find_map(|(is_it, what)| is_it.then_some(what))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn told(path: &Path) -> String {
        read(path, 4096).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn files_and_pipes_are_read_and_the_rest_is_named() {
        let dir = std::env::temp_dir().join(format!("coffer-file-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let [file, large, pipe, silent, socket] =
            ["file", "large", "pipe", "silent", "socket"].map(|name| dir.join(name));
        fs::write(&file, "text").unwrap();
        File::create(&large).unwrap().set_len(8 << 30).unwrap();
        for pipe in [&pipe, &silent] {
            assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }
        let _listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(read(&file, 4).unwrap().bytes, b"text");
        assert!(read(&file, 3).is_err_and(|error| error.to_string().ends_with("has more than 0 KiB")));
        let written = pipe.clone();
        let writer = thread::spawn(move || fs::write(written, "through").unwrap());
        assert_eq!(read(&pipe, 4096).unwrap().bytes, b"through");
        writer.join().unwrap();
        for (path, words) in [
            (large.as_path(), "has more than 4 KiB"),
            (&silent, "is a pipe, and not all of it has come within 5 seconds"),
            (&socket, "is a socket, and a file is needed"),
            (&dir, "is a directory, and a file is needed"),
            (Path::new("/dev/zero"), "is a device, and a file is needed"),
            (Path::new("/dev/null"), "is a device, and a file is needed"),
            (Path::new("/nonexistent"), "No such file"),
        ] {
            assert!(told(path).contains(words), "{}: {}", path.display(), told(path));
        }
        assert!(open(&silent).is_err_and(|error| error.to_string().contains("is a pipe")) && open(&file).is_ok());
        fs::remove_dir_all(&dir).unwrap();
    }
}
