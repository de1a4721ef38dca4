//! How many frames a client sends over HTTP/2 that ask for nothing: settings, pings, room to send, priorities, empty data. hyper answers or applies each, for
//! ever; a connection that sends them much faster than its requests and answers need is ended. Bytes are only counted here; hyper reads them itself.

use tokio::time::Instant;

/// What every connection of HTTP/2 begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Length, kind, flags and stream of a frame (RFC 9113 §4.1).
const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;

/// How many such frames may come at once, and how many in each second after that.
const BURST: u64 = 20_000;
const EACH_SECOND: u64 = 2000;
/// A request may come with so many more.
const FOR_A_REQUEST: u64 = 4;
/// Who takes an answer says that there is room for more: once in so many bytes at most.
const BYTES_FOR_ONE: u64 = 64;

/// What has come of a connection so far.
#[derive(Debug)]
pub(super) struct FrameMeter {
    reading: Reading,
    left: u64,
    /// Until when `left` was filled up.
    at: Instant,
    /// Bytes that were sent and count for no frame yet.
    sent: u64,
}

#[derive(Debug)]
enum Reading {
    /// So many bytes of the preface.
    Preface(usize),
    /// So many bytes of a frame's header.
    Header([u8; HEADER], usize),
    /// So many bytes of a frame are to be passed over.
    Rest(usize),
    /// It is another protocol.
    Other,
}

impl FrameMeter {
    pub(super) fn new() -> Self {
        Self { reading: Reading::Preface(0), left: BURST, at: Instant::now(), sent: 0 }
    }

    /// Bytes went to the client.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        self.left = (self.left + self.sent / BYTES_FOR_ONE).min(BURST);
        self.sent %= BYTES_FOR_ONE;
    }

    /// Bytes came in; whether that is still a pace that a client needs.
    pub(super) fn is_calm(&mut self, mut bytes: &[u8]) -> bool {
        let mut is_calm = true;
        while !bytes.is_empty() {
            match &mut self.reading {
                Reading::Other => return true,
                Reading::Preface(seen) => {
                    let count = bytes.len().min(PREFACE.len() - *seen);
                    if bytes[..count] != PREFACE[*seen..*seen + count] {
                        self.reading = Reading::Other;
                        return true;
                    }
                    *seen += count;
                    bytes = &bytes[count..];
                    if *seen == PREFACE.len() {
                        self.reading = Reading::Header([0; HEADER], 0);
                    }
                }
                Reading::Rest(left) => {
                    let count = bytes.len().min(*left);
                    bytes = &bytes[count..];
                    *left -= count;
                    if *left == 0 {
                        self.reading = Reading::Header([0; HEADER], 0);
                    }
                }
                Reading::Header(header, seen) => {
                    let count = bytes.len().min(HEADER - *seen);
                    header[*seen..*seen + count].copy_from_slice(&bytes[..count]);
                    bytes = &bytes[count..];
                    *seen += count;
                    if *seen < HEADER {
                        break;
                    }
                    let [a, b, c, kind, flags, ..] = *header;
                    let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                    let empty = || Reading::Header([0; HEADER], 0);
                    self.reading = if length == 0 { empty() } else { Reading::Rest(length) };
                    is_calm &= self.take(kind, flags, length);
                }
            }
        }
        is_calm
    }

    /// Counts a frame.
    fn take(&mut self, kind: u8, flags: u8, length: usize) -> bool {
        match kind {
            DATA if length > 0 || flags & END_STREAM > 0 => return true,
            HEADERS => {
                self.left = (self.left + FOR_A_REQUEST).min(BURST);
                return true;
            }
            _ => {}
        }
        if self.left == 0 {
            let passed = self.at.elapsed();
            let filled = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX).saturating_mul(EACH_SECOND) / 1000;
            if filled == 0 {
                return false;
            }
            self.at += passed;
            self.left = filled.min(BURST);
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Duration, advance};

    use super::*;

    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const CONTINUATION: u8 = 9;

    const LONG: u64 = 50_000;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn begun() -> FrameMeter {
        let mut meter = FrameMeter::new();
        assert!(meter.is_calm(PREFACE) && meter.is_calm(&frame(SETTINGS, 0, &[0; 12])));
        meter
    }

    /// How many of a frame are let through.
    fn let_through(meter: &mut FrameMeter, frame: &[u8]) -> u64 {
        (0..LONG).find(|_| !meter.is_calm(frame)).unwrap_or(LONG)
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_that_asks_for_nothing_has_an_end_and_what_asks_has_none() {
        for (kind, length) in
            [(SETTINGS, 0), (PING, 8), (8, 4), (2, 5), (DATA, 0), (CONTINUATION, 0), (3, 4), (0xbe, 100)]
        {
            assert_eq!(let_through(&mut begun(), &frame(kind, 0, &vec![0; length])), BURST - 1, "{kind}");
        }
        for frame in [frame(HEADERS, 4, &[0; 20]), frame(DATA, 0, &[0; 3]), frame(DATA, END_STREAM, &[])] {
            assert_eq!(let_through(&mut begun(), &frame), LONG);
        }
        // In HTTP/1.1 there are no frames.
        let mut other = FrameMeter::new();
        assert!(other.is_calm(b"PRI"));
        assert_eq!(let_through(&mut other, &frame(PING, 0, &[0; 8])), LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_answers_and_time_allow_more() {
        let ping = frame(PING, 0, &[0; 8]);
        let mut meter = begun();
        let_through(&mut meter, &ping);
        advance(Duration::from_secs(1)).await;
        assert_eq!(let_through(&mut meter, &ping), EACH_SECOND);
        meter.sent(640);
        assert!(meter.is_calm(&frame(HEADERS, 4, &[0; 20])));
        assert_eq!(let_through(&mut meter, &ping), 10 + FOR_A_REQUEST);
        // However long nothing comes, no more than at first.
        advance(Duration::from_hours(1)).await;
        assert_eq!(let_through(&mut meter, &ping), BURST);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_the_same_however_the_bytes_come() {
        let frames = [PREFACE, &frame(DATA, 0, &[7; 300]), &frame(PING, 0, &[0; 8])].concat();
        for size in 1..40 {
            let mut meter = FrameMeter::new();
            assert!(frames.chunks(size).all(|piece| meter.is_calm(piece)));
            assert_eq!(meter.left, BURST - 1, "{size}");
        }
    }
}
