//! Giving space back to the system. sled writes its log in segments of one size, uses those again that hold nothing any more, and
//! never makes the file smaller but at its end. As it opens, it zeroes the segments that hold nothing; from then on a hole in the file
//! is as good as the zeros.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Zeroed segments that are left as they are, the first ones: sled takes those next, so a hole there would be filled at once.
/// It also keeps away from what sled may be writing.
const LEFT: usize = 4;

/// Bytes that are compared at once.
const CHUNK: usize = 64 << 10;

/// Segments that hold nothing and take room on the disk all the same, by where they begin: what is written next goes there.
#[derive(Debug, Default)]
pub(super) struct FreeSegments {
    segment: u64,
    begins: VecDeque<u64>,
}

impl FreeSegments {
    /// Bytes in the segments that have not been written to since. sled takes the first one first.
    pub(super) fn bytes(&mut self, file: &File) -> u64 {
        while let Some(begin) = self.begins.front() {
            let mut header = [0; 32];
            if file.read_exact_at(&mut header, *begin).is_ok() && header == [0; 32] {
                break;
            }
            self.begins.pop_front();
        }
        self.bytes_at_first()
    }

    /// The same without looking again.
    pub(super) fn bytes_at_first(&self) -> u64 {
        self.begins.len() as u64 * self.segment
    }
}

/// Makes holes of the segments of a database file that are all zero, and says which could not be. To be called after sled has opened
/// the file and before anything is written. Where the file system has no holes, nothing changes.
pub(super) fn give_back(file: &File, segment: usize) -> io::Result<FreeSegments> {
    let length = file.metadata()?.len();
    let segment = segment as u64;
    let mut free = FreeSegments { segment, begins: VecDeque::new() };
    let (mut buffer, mut left) = (vec![0; CHUNK], 0);
    let mut takes_holes = true;
    for begin in (0..length / segment).map(|n| n * segment) {
        let is_hole = is_hole(file, begin, segment);
        if !is_hole && !is_zero(file, begin, segment, &mut buffer)? {
            continue;
        }
        left += 1;
        if is_hole {
            continue;
        }
        if left > LEFT && takes_holes {
            takes_holes = make_hole(file, begin, segment)?;
        }
        if left <= LEFT || !takes_holes {
            free.begins.push_back(begin);
        }
    }
    Ok(free)
}

/// Whether nothing of a segment takes room. Where that cannot be told, it does.
fn is_hole(file: &File, begin: u64, length: u64) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(begin)) {
        Ok(data) => return data >= begin + length,
        // There is nothing but holes from here on.
        Err(rustix::io::Errno::NXIO) => return true,
        Err(_) => {}
    }
    let _ = (file, begin, length);
    false
}

fn is_zero(file: &File, begin: u64, length: u64, buffer: &mut [u8]) -> io::Result<bool> {
    for at in (begin..begin + length).step_by(buffer.len()) {
        let count = buffer.len().min(usize::try_from(begin + length - at).unwrap_or(usize::MAX));
        file.read_exact_at(&mut buffer[..count], at)?;
        if buffer[..count].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// False if the file system has no holes.
fn make_hole(file: &File, begin: u64, length: u64) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::FallocateFlags;
        match rustix::fs::fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, begin, length) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = (file, begin, length);
        Ok(false)
    }
}

/// Makes holes again while sled opens a file: it fills all of them with zeros, one after the other, and the disk may not have the room.
pub(super) struct Holes {
    stop: Arc<AtomicBool>,
    making: Option<JoinHandle<()>>,
}

impl Holes {
    /// Begins, if the file has any. Ends with the value.
    pub(super) fn keep(path: &Path, segment: usize) -> Holes {
        let stop = Arc::new(AtomicBool::new(false));
        let segment = segment as u64;
        let found = File::options().read(true).write(true).open(path).and_then(|file| {
            let segments = file.metadata()?.len() / segment;
            let all = (0..segments).map(|n| n * segment).filter(|begin| is_hole(&file, *begin, segment));
            // Of the segments that hold nothing sled takes the first one for what it writes, and it writes less than that many as it
            // opens the file. In the others nobody writes anything but zeros.
            let holes: Vec<u64> = all.skip(2 * LEFT).collect();
            Ok((file, holes))
        });
        let making = found.ok().filter(|(_, holes)| !holes.is_empty()).and_then(|(file, holes)| {
            let until = Arc::clone(&stop);
            let make = move || make_again(&file, &holes, segment, &until);
            thread::Builder::new().name("holes".to_owned()).spawn(make).ok()
        });
        Holes { stop, making }
    }
}

impl Drop for Holes {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(making) = self.making.take() {
            let _ = making.join();
        }
    }
}

fn make_again(file: &File, holes: &[u64], segment: u64, stop: &AtomicBool) {
    let mut buffer = vec![0; CHUNK];
    while !stop.load(Ordering::Relaxed) {
        for begin in holes {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let filled =
                !is_hole(file, *begin, segment) && is_zero(file, *begin, segment, &mut buffer).unwrap_or(false);
            if filled && !make_hole(file, *begin, segment).unwrap_or(false) {
                return;
            }
        }
        thread::sleep(Duration::from_micros(200));
    }
}
