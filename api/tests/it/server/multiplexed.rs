//! Answers over HTTP/2 that their client leaves alone: each ends by itself, and what else goes on over its connection does not notice.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    http2::{HEADERS, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame},
    tls::start_secure,
    *,
};

const DATA: u8 = 0;
const PING: u8 = 6;
const END_STREAM: u8 = 1;
/// `CANCEL`: the client learns that the answer is not whole.
const CANCEL: [u8; 4] = [0, 0, 0, 8];
/// What a client has room for, on a connection and for an answer, as long as it says nothing else.
const WINDOW: usize = 65_535;

/// A client that reads frames. It gives an answer room when it is told to only.
struct Frames<S>(S);

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Frames<S> {
    async fn begin(stream: S) -> Self {
        let mut client = Self(stream);
        client.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        client
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        // TLS keeps what is written until then.
        self.0.flush().await.unwrap();
    }

    /// `GET` of a path, in HPACK without a table.
    async fn get(&mut self, stream: u32, path: &str) {
        let path = [&[0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
        let head = [&[0x82][..], &path, &[0x86, 0x41, 1, b'a']].concat();
        self.send(&frame(HEADERS, 0x5, stream, &head)).await;
    }

    /// Room for so many bytes more; of all answers together where `stream` is 0.
    async fn give(&mut self, stream: u32, bytes: usize) {
        self.send(&frame(WINDOW_UPDATE, 0, stream, &u32::try_from(bytes).unwrap().to_be_bytes())).await;
    }

    async fn next(&mut self) -> Frame {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.expect("the connection lives on");
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).await.unwrap();
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Frame { kind: head[3], flags: head[4], stream, payload }
    }

    /// Frames up to the end of `stream` by the server. All that comes for the `read` one is read; how much it was.
    async fn until_reset(&mut self, stream: u32, read: u32) -> usize {
        let mut bytes = 0;
        loop {
            let next = self.next().await;
            match next.kind {
                RST_STREAM => {
                    assert_eq!((next.stream, next.payload.as_slice()), (stream, &CANCEL[..]));
                    return bytes;
                }
                DATA if next.stream == read && !next.payload.is_empty() => {
                    bytes += next.payload.len();
                    self.give(read, next.payload.len()).await;
                    // Of no use to the one that is not read.
                    self.give(0, 1).await;
                }
                DATA | HEADERS => {
                    assert_eq!(next.flags & END_STREAM, 0, "never a body that looks complete: {next:?}");
                }
                _ => {}
            }
        }
    }

    /// The body of an answer that fits.
    async fn body(&mut self, stream: u32) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let next = self.next().await;
            assert_ne!(next.kind, RST_STREAM, "{next:?}");
            if next.stream == stream && next.kind == DATA {
                body.extend(&next.payload);
            }
            if next.stream == stream && matches!(next.kind, DATA | HEADERS) && next.flags & END_STREAM != 0 {
                return body;
            }
        }
    }
}

fn options() -> ServerOptions {
    ServerOptions {
        write_timeout: Duration::from_millis(300),
        header_timeout: Duration::from_millis(400),
        ..ServerOptions::default()
    }
}

async fn one_ends_alone(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut client = Frames::begin(stream).await;
    client.give(0, 1 << 30).await;
    client.get(1, "/drip").await;
    for (left_alone, path) in [(3, "/drip"), (5, "/big")] {
        client.get(left_alone, path).await;
        let bytes = client.until_reset(left_alone, 1).await;
        assert!(bytes > WINDOW, "the other one goes on: {bytes}");
    }
    client.get(7, "/").await;
    let mut body = Vec::new();
    while body.is_empty() {
        let next = client.next().await;
        match (next.kind, next.stream) {
            (DATA, 7) => body = next.payload,
            (DATA, 1) if !next.payload.is_empty() => client.give(1, next.payload.len()).await,
            _ => assert_ne!(next.kind, RST_STREAM, "{next:?}"),
        }
    }
    assert_eq!(body, b"hello");
}

#[tokio::test]
async fn an_answer_that_is_left_alone_ends_and_its_connection_goes_on() {
    one_ends_alone(TcpStream::connect(start(options()).address).await.unwrap()).await;
}

#[tokio::test]
async fn an_answer_that_is_left_alone_over_tls_ends_and_its_connection_goes_on() {
    let secure = start_secure(options());
    one_ends_alone(secure.connect_as(&["h2"]).await).await;
}

/// A client that leaves one answer alone has that much less room for all others, until it is gone.
#[tokio::test]
async fn who_waits_for_the_room_that_another_answer_keeps_is_not_ended_with_it() {
    // A client has a second to give the room to the other one.
    let server = start(ServerOptions { header_timeout: Duration::from_secs(4), ..options() });
    let mut client = Frames::begin(TcpStream::connect(server.address).await.unwrap()).await;
    client.get(1, "/drip").await;
    client.get(3, "/drip").await;
    let (mut taken, mut ended) = ([0; 4], None);
    let other = loop {
        let next = client.next().await;
        let stream = next.stream as usize;
        match (next.kind, ended) {
            (RST_STREAM, None) => {
                ended = Some(stream);
                client.give(0, WINDOW).await;
                client.give(4 - next.stream, WINDOW).await;
            }
            (DATA, Some(gone)) => {
                assert_ne!(stream, gone);
                break stream;
            }
            (DATA, None) => taken[stream] += next.payload.len(),
            _ => assert_ne!(next.kind, RST_STREAM, "one at a time"),
        }
    };
    assert_eq!(taken.iter().sum::<usize>(), WINDOW, "there was no more room");
    assert_eq!(Some(4 - other), ended);
}

#[tokio::test]
async fn answers_that_have_no_room_at_all_end_and_a_flood_of_room_for_none_changes_nothing() {
    let server = start(options());
    let mut client = Frames::begin(TcpStream::connect(server.address).await.unwrap()).await;
    let initial_window_size = [0, 4, 0, 0, 0, 0];
    client.send(&frame(SETTINGS, 0, 0, &initial_window_size)).await;
    client.get(1, "/big").await;
    let flood = frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()).repeat(10_000);
    client.send(&flood).await;
    client.until_reset(1, 0).await;
    client.get(3, "/").await;
    client.give(3, WINDOW).await;
    assert_eq!(client.body(3).await, b"hello");
    // What comes for an answer that is gone is late, and no fault.
    client.give(1, WINDOW).await;
    client.send(&frame(PING, 0, 0, &[0; 8])).await;
    while client.next().await.kind != PING {}
}

#[tokio::test(start_paused = true)]
async fn n1_a_client_that_takes_no_bytes_of_a_whole_connection_is_cut_over_http_2_too() {
    let server = start(ServerOptions { write_timeout: Duration::from_secs(30), ..ServerOptions::default() });
    let mut client = Frames::begin(TcpStream::connect(server.address).await.unwrap()).await;
    let initial_window_size = [0, 4, 0x7f, 0xff, 0xff, 0xff];
    client.send(&frame(SETTINGS, 0, 0, &initial_window_size)).await;
    client.give(0, 1 << 30).await;
    client.get(1, "/big").await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    let mut bytes = Vec::new();
    let _ = client.0.read_to_end(&mut bytes).await;
    assert!(bytes.len() < BIG, "only what the sockets had buffered");
}
