//! Lines on their way to stderr. A thread that has one copies it into a buffer and goes on; one thread takes what has gathered and
//! writes it at once. A reader that is too slow costs lines, which are counted and reported, and never a request.
//!
//! Why not `tracing-appender` (0.2.5): it writes line by line, from a queue that is bounded by lines and not by bytes, counts what it
//! drops without a word in the log, and its guard does not say how far it has come. At 20,000 access lines a second ours takes 1.6 µs of CPU
//! a line and one system call for 200 lines; `tracing-subscriber`'s JSON lines through its writer take 3.3 µs and one call each
//! (`examples/log_bench.rs`, two cores). With lines offered as fast as two threads can, ours wrote 305,000 a second and dropped more than
//! half; theirs held its callers back, wrote 230,000 and dropped none: here requests come before lines.

use std::{
    io::{self, ErrorKind, Write},
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use super::line::Lines;

/// Bytes that may wait. A line has about 300.
const CAPACITY: usize = 4 << 20;
/// Warnings and errors may take this much more, so that a flood of requests cannot drown them.
const CAPACITY_WITH_WARNINGS: usize = CAPACITY + (256 << 10);
/// A buffer that grew beyond this is given back.
const LARGEST_KEPT_BUFFER: usize = 256 << 10;
/// After a write, lines gather for this long: many requests then cost one system call. A line that comes after a pause is written at once.
const BATCH_DELAY: Duration = Duration::from_millis(10);
/// Before another try where stderr takes nothing at the moment.
const RETRY_DELAY: Duration = Duration::from_millis(5);

/// A handle to the thread that writes. The thread lives as long as the process.
#[derive(Clone)]
pub(super) struct Writer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// There is something to do for the thread.
    arrived: Condvar,
    /// The thread has written what it took.
    written: Condvar,
    lost: AtomicU64,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    /// Dropped, and not reported yet.
    lost: u64,
    /// The thread waits for lines, and has to be told of the next one.
    idle: bool,
    /// The thread has lines in its hands.
    writing: bool,
    /// Somebody waits in [`Writer::flush`].
    flushing: bool,
}

impl State {
    fn has_work(&self) -> bool {
        !self.lines.is_empty() || self.lost > 0
    }
}

impl Writer {
    /// Starts the thread. `lines` says how a loss is reported.
    pub(super) fn start(out: impl Write + Send + 'static, lines: Lines) -> io::Result<Self> {
        let shared = Arc::new(Inner::default());
        let for_thread = shared.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || for_thread.write_out(out, &lines))?;
        Ok(Self(shared))
    }

    /// Takes a line, or drops it where there is no room. Never waits for the reader.
    pub(super) fn push(&self, line: &[u8], is_warning: bool) {
        let room = if is_warning { CAPACITY_WITH_WARNINGS } else { CAPACITY };
        let mut state = self.0.state();
        if state.lines.len() + line.len() > room {
            state.lost += 1;
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.lines.extend_from_slice(line);
        // Waking costs a system call, also where nobody sleeps.
        let wake = mem::take(&mut state.idle);
        drop(state);
        if wake {
            self.0.arrived.notify_one();
        }
    }

    /// Lines dropped so far.
    pub(super) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything so far is written, as long as `timeout`.
    pub(super) fn flush(&self, timeout: Duration) {
        let mut state = self.0.state();
        state.flushing = true;
        state.idle = false;
        self.0.arrived.notify_one();
        let waited = self.0.written.wait_timeout_while(state, timeout, |state| state.has_work() || state.writing);
        waited.unwrap_or_else(PoisonError::into_inner).0.flushing = false;
    }
}

impl Inner {
    fn write_out(&self, mut out: impl Write, lines: &Lines) {
        let mut taken = Vec::new();
        loop {
            let mut state = self.state();
            while !state.has_work() {
                state.idle = true;
                state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.idle = false;
            state.writing = true;
            mem::swap(&mut state.lines, &mut taken);
            let lost = mem::take(&mut state.lost);
            drop(state);
            if lost > 0 {
                lines.report_loss(&mut taken, lost);
            }
            write_all(&mut out, &taken);
            taken.clear();
            taken.shrink_to(LARGEST_KEPT_BUFFER);

            let mut state = self.state();
            state.writing = false;
            if state.flushing {
                self.written.notify_all();
            }
            let rested =
                self.arrived.wait_timeout_while(state, BATCH_DELAY, |state| !state.flushing || !state.has_work());
            drop(rested.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes everything; stderr may be a pipe that somebody has set to take nothing while it is full. Where it is gone, so are the lines.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return,
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_DELAY),
            Err(_) => return,
        }
    }
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use std::{
        sync::mpsc::{Receiver, Sender, channel},
        time::Instant,
    };

    use base::Clock;

    use super::*;
    use crate::line::Format;

    /// A reader that takes a write when it is told to.
    struct Reader {
        may: Receiver<()>,
        got: Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.may.recv().map_err(|_| ErrorKind::BrokenPipe)?;
            self.got.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start() -> (Writer, Sender<()>, Receiver<Vec<u8>>) {
        let ((allow, may), (got, read)) = (channel(), channel());
        let lines = Lines::new(Format::Text, Clock::held(0).0);
        (Writer::start(Reader { may, got }, lines).unwrap(), allow, read)
    }

    #[test]
    fn l2_a_reader_that_stands_still_costs_lines_and_no_time_and_is_told_how_many() {
        let (writer, allow, read) = start();
        let line = [b'x'; 1024];
        let started = Instant::now();
        writer.push(b"first\n", false);
        // The first line may be in the thread's hands or not.
        while writer.0.state().has_work() {
            thread::yield_now();
        }
        let fits = CAPACITY / line.len();
        for _ in 0..fits + 7 {
            writer.push(&line, false);
        }
        assert!(started.elapsed() < Duration::from_secs(10), "nobody waited for the reader, who has read nothing yet");
        assert_eq!(writer.lost(), 7);
        writer.push(b"an error\n", true);
        assert_eq!(writer.lost(), 7, "there is room left for errors");

        allow.send(()).unwrap();
        assert_eq!(read.recv().unwrap(), b"first\n");
        allow.send(()).unwrap();
        let rest = String::from_utf8(read.recv().unwrap()).unwrap();
        assert_eq!(rest.bytes().filter(|byte| *byte == b'x').count(), fits * line.len());
        let (_, end) = rest.split_once("an error\n").unwrap();
        assert_eq!(end.lines().count(), 1, "{end}");
        assert!(end.contains("lines=7"), "{end}");
    }

    #[test]
    fn a_flush_ends_when_everything_is_written_or_its_patience_is() {
        let (writer, allow, read) = start();
        writer.push(b"one\n", false);
        writer.flush(Duration::from_millis(1));
        assert!(read.try_recv().is_err());
        for _ in 0..3 {
            allow.send(()).unwrap();
        }
        writer.push(b"two\n", false);
        writer.flush(Duration::from_mins(1));
        let written: Vec<u8> = read.try_iter().flatten().collect();
        assert_eq!(written, b"one\ntwo\n");
    }
}
