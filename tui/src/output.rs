//! What goes to the terminal goes through a thread of its own, so that a terminal that takes nothing (Ctrl-S, a dead line) holds up neither
//! signals nor answers. One drawing is under way at a time; what changes meanwhile is in the next.

use std::{
    io::{self, Write, stdout},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use tokio::sync::Notify;

/// How long the end waits for a terminal that takes nothing.
const PATIENCE: Duration = Duration::from_millis(300);

/// Bytes on their way to the terminal.
#[derive(Debug)]
pub struct Output {
    sender: Sender<Vec<u8>>,
    written: Receiver<io::Result<()>>,
    told: Arc<Notify>,
    under_way: usize,
}

impl Output {
    /// Begins the thread.
    pub fn new() -> Self {
        let (sender, pieces) = channel::<Vec<u8>>();
        let (done, written) = channel();
        let told = Arc::new(Notify::new());
        let tells = Arc::clone(&told);
        thread::spawn(move || {
            for piece in pieces {
                let mut out = stdout();
                let result = out.write_all(&piece).and_then(|()| out.flush());
                if done.send(result).is_err() {
                    break;
                }
                tells.notify_one();
            }
        });
        Self { sender, written, told, under_way: 0 }
    }

    /// Sends bytes. Nothing is waited for.
    pub fn send(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() && self.sender.send(bytes).is_ok() {
            self.under_way += 1;
        }
    }

    /// Whether all of it was taken. An error says that the terminal is gone.
    pub fn is_free(&mut self) -> io::Result<bool> {
        while let Ok(result) = self.written.try_recv() {
            self.under_way -= 1;
            result?;
        }
        Ok(self.under_way == 0)
    }

    /// Waits until something was taken.
    pub async fn taken(&self) {
        self.told.notified().await;
    }

    /// Waits until all of it was taken, for a while.
    pub fn settle(&mut self) {
        while self.under_way > 0 && self.written.recv_timeout(PATIENCE).is_ok() {
            self.under_way -= 1;
        }
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a drawing is put together.
#[derive(Debug, Clone, Default)]
pub struct Draft(Arc<Mutex<Vec<u8>>>);

impl Draft {
    /// Takes what was put together.
    pub fn take(&self) -> Vec<u8> {
        self.0.lock().map(|mut bytes| std::mem::take(&mut *bytes)).unwrap_or_default()
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Ok(mut draft) = self.0.lock() {
            draft.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
