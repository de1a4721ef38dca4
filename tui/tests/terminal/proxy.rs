//! A proxy on the way to a server that keeps back what is answered to those who follow changes, and passes on everything else.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

/// Where changes are followed.
const STREAM: &[u8] = b"/api/events/";

/// What of such an answer is kept back.
#[derive(Clone, Copy)]
pub(crate) enum Keeps {
    /// All of it.
    Everything,
    /// What comes after its head.
    Body,
    /// What comes after its first event.
    Rest,
}

/// A proxy.
pub(crate) struct Proxy {
    /// Its address.
    pub url: String,
    is_open: Arc<AtomicBool>,
}

impl Proxy {
    /// Begins on a free port.
    pub(crate) fn before(server: &str, keeps: Keeps) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (server, is_open) = (server.trim_start_matches("http://").to_owned(), Arc::new(AtomicBool::new(false)));
        let opens = Arc::clone(&is_open);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (Ok(server), is_open) = (TcpStream::connect(&server), Arc::clone(&opens)) else { continue };
                pass(client, server, keeps, is_open);
            }
        });
        Self { url, is_open }
    }

    /// Keeps nothing back from now on.
    pub(crate) fn open(&self) {
        self.is_open.store(true, SeqCst);
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, keeps: Keeps, is_open: Arc<AtomicBool>) {
    let follows = Arc::new(AtomicBool::new(false));
    let (asked, mut answers) = (Arc::clone(&follows), (server.try_clone().unwrap(), client.try_clone().unwrap()));
    thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        // Clients write a head at once.
        while let Ok(count @ 1..) = client.read(&mut bytes) {
            let line = bytes[..count].split(|byte| *byte == b'\r').next().unwrap_or_default();
            asked.store(line.windows(STREAM.len()).any(|part| part == STREAM), SeqCst);
            if server.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let (server, client) = &mut answers;
        let (mut bytes, mut kept, mut has_passed) = ([0; 16 * 1024], Vec::new(), false);
        while let Ok(count @ 1..) = server.read(&mut bytes) {
            kept.extend(&bytes[..count]);
            let goes = if !follows.load(SeqCst) || is_open.load(SeqCst) {
                kept.len()
            } else {
                // Of a body in pieces, the first event is the first of them.
                let end: &[u8] = match keeps {
                    Keeps::Everything => b"",
                    Keeps::Body => b"\r\n\r\n",
                    Keeps::Rest => b"\n\n\r\n",
                };
                let found = (!end.is_empty()).then(|| kept.windows(end.len()).position(|part| part == end)).flatten();
                let passes = found.filter(|_| !std::mem::replace(&mut has_passed, true));
                passes.map_or(0, |at| at + end.len())
            };
            if client.write_all(&kept[..goes]).is_err() {
                break;
            }
            kept.drain(..goes);
        }
        let _ = client.shutdown(Shutdown::Both);
    });
}
