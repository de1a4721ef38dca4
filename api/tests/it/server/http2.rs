//! HTTP/2 in the clear, frame by frame (`docs/security.md`, N5).

use tokio::io::AsyncRead;

use super::*;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET /` as HPACK's static table has it, and the whole of the request.
pub(crate) fn request(stream: u32) -> Vec<u8> {
    let end_of_stream_and_headers = 0x5;
    frame(HEADERS, end_of_stream_and_headers, stream, &[0x82, 0x84, 0x86, 0x41, 1, b'a'])
}

/// Kinds of the frames that come, up to one of kind `last` or the end.
pub(crate) async fn frames_until(stream: &mut (impl AsyncRead + Unpin), last: u8) -> Vec<u8> {
    let mut kinds = Vec::new();
    let mut head = [0; 9];
    while stream.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if stream.read_exact(&mut payload).await.is_err() {
            break;
        }
        kinds.push(head[3]);
        if head[3] == last {
            break;
        }
    }
    kinds
}

async fn connect(server: &Running) -> Client {
    let mut client = Client::connect(server.address).await;
    client.send(PREFACE).await;
    client.send(frame(SETTINGS, 0, 0, &[])).await;
    client
}

#[tokio::test]
async fn http_2_is_spoken_on_the_same_port() {
    let server = start(ServerOptions::default());
    let mut client = connect(&server).await;
    client.send(request(1)).await;
    assert_eq!(frames_until(&mut client.0, HEADERS).await.last(), Some(&HEADERS));
}

#[tokio::test]
async fn n5_rapid_resets_end_the_connection_and_the_server_lives() {
    let server = start(ServerOptions::default());
    let mut client = connect(&server).await;
    let mut flood = Vec::new();
    for stream in (1..20_000).step_by(2) {
        flood.extend(request(stream));
        flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    let _ = client.0.write_all(&flood).await;
    let kinds = frames_until(&mut client.0, GOAWAY).await;
    assert_eq!(kinds.last(), Some(&GOAWAY));
    assert_eq!(ask(server.address, get("/")).await.body, "hello");
}

#[tokio::test]
async fn n5_frames_that_ask_for_nothing_end_their_connection_and_nobody_elses() {
    const PRIORITY: u8 = 2;
    const PING: u8 = 6;
    let server = start(ServerOptions::default());
    let mut healthy = connect(&server).await;
    for (kind, payload) in
        [(SETTINGS, &[][..]), (PING, &[0; 8]), (WINDOW_UPDATE, &[0, 0, 0, 1]), (PRIORITY, &[0, 0, 0, 0, 9])]
    {
        let stream = u32::from(kind == PRIORITY);
        let mut flooding = connect(&server).await;
        // So many may come.
        flooding.0.write_all(&frame(kind, 0, stream, payload).repeat(5000)).await.unwrap();
        flooding.0.write_all(&request(1)).await.unwrap();
        assert_eq!(frames_until(&mut flooding.0, HEADERS).await.last(), Some(&HEADERS), "{kind}");
        let flood = frame(kind, 0, stream, payload).repeat(5000);
        let (mut taking, mut giving) = tokio::io::split(flooding.0);
        let taking = tokio::spawn(async move { tokio::io::copy(&mut taking, &mut tokio::io::sink()).await });
        while giving.write_all(&flood).await.is_ok() {}
        let _ = taking.await.unwrap();
    }
    healthy.0.write_all(&request(1)).await.unwrap();
    assert_eq!(frames_until(&mut healthy.0, HEADERS).await.last(), Some(&HEADERS));
    assert_eq!(ask(server.address, get("/")).await.body, "hello");
}
