//! Clients that mean harm, against the real binary: it stays small, serves the others, and is well again afterwards.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, tcp::OwnedReadHalf},
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    server::http2,
    support::server::{Server, said, serve},
};

/// Of each of the four who flood.
const CONNECTIONS: usize = 10;
const ENHANCE_YOUR_CALM: u32 = 11;
const CONTINUATION: u8 = 9;
/// What a flood may cost beyond what the server takes anyway, in MiB.
const ROOM: u64 = 48;

fn start(dir: &tempfile::TempDir) -> Server {
    // Every request would be several lines of a log at its most talkative.
    Server::start(&dir.path().join("data"), &["--rate-limit", "off"])
}

/// Resident memory in MiB.
fn resident(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Time that the server has spent computing.
fn cpu(server: &Server) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.child.id())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap()
}

/// Floods from four sides, on one connection after the other, while somebody else asks for something. Each connection must end with
/// the server's complaint.
async fn stand(server: &Server, head: Vec<u8>, each: Vec<u8>, times: usize) {
    let before = resident(server);
    let (head, each, address) = (Arc::new(head), Arc::new(each), Arc::new(server.authority().to_owned()));
    let flood = || {
        let (head, each, address) = (head.clone(), each.clone(), address.clone());
        tokio::spawn(async move {
            for _ in 0..CONNECTIONS {
                let (from, mut to) = TcpStream::connect(address.as_str()).await.unwrap().into_split();
                let head = head.clone();
                let each = each.clone();
                let sending = tokio::spawn(async move {
                    let _ = to.write_all(&head).await;
                    for _ in 0..times {
                        if to.write_all(&each).await.is_err() {
                            break;
                        }
                    }
                    // Not closed: it is for the server to end this.
                    to
                });
                assert_eq!(complaint(from).await, Some(ENHANCE_YOUR_CALM));
                sending.abort();
            }
        })
    };
    let floods: Vec<_> = (0..4).map(|_| flood()).collect();
    let (mut slowest, mut most) = (Duration::ZERO, before);
    while !floods.iter().all(JoinHandle::is_finished) {
        let started = Instant::now();
        server.stranger().get("/healthz").await.is(200);
        slowest = slowest.max(started.elapsed());
        most = most.max(resident(server));
        sleep(Duration::from_millis(20)).await;
    }
    for flood in floods {
        flood.await.unwrap();
    }
    assert!(slowest < Duration::from_secs(5), "somebody else waited {slowest:?}");
    assert!(most < before + ROOM, "{before} MiB became {most}");
}

/// What the server ends an HTTP/2 connection with; `None` where it ends without.
async fn complaint(mut from: OwnedReadHalf) -> Option<u32> {
    let mut head = [0; 9];
    loop {
        from.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        from.read_exact(&mut payload).await.ok()?;
        let code = payload.get(4..8).map(|code| u32::from_be_bytes(code.try_into().unwrap()));
        // The first one of a server that stops says 0.
        if head[3] == http2::GOAWAY && code != Some(0) {
            return code;
        }
    }
}

fn opened() -> Vec<u8> {
    [http2::PREFACE, &http2::frame(http2::SETTINGS, 0, 0, &[])].concat()
}

#[tokio::test]
async fn n5_streams_that_are_reset_as_fast_as_they_open_cost_their_connection_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir);
    let mut resets = Vec::new();
    for stream in (1..200_000).step_by(2) {
        resets.extend(http2::request(stream));
        resets.extend(http2::frame(http2::RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    stand(&server, opened(), resets, 1).await;
}

#[tokio::test]
async fn n5_headers_without_end_cost_their_connection_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir);
    // A literal header that no table keeps, again and again.
    let header = [&[0x00, 1, b'x', 100][..], &[b'y'; 100]].concat();
    let end_of_stream = 0x1;
    let begun = [opened(), http2::frame(http2::HEADERS, end_of_stream, 1, &[0x82, 0x84, 0x86])].concat();
    // 400 MB, or 9 MB in a million frames with nothing in them.
    stand(&server, begun.clone(), http2::frame(CONTINUATION, 0, 1, &header.repeat(100)), 40_000).await;
    stand(&server, begun, http2::frame(CONTINUATION, 0, 1, &[]).repeat(1000), 1000).await;
}

#[tokio::test]
async fn n1_without_file_descriptors_the_server_waits_quietly_and_serves_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(&dir);
    server.stranger().get("/healthz").await.is(200);
    let open = fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count() as u64;
    let limit = Rlimit { current: Some(open + 8), maximum: Some(open + 8) };
    prlimit(Some(Pid::from_child(&server.child)), Resource::Nofile, limit).unwrap();

    let mut taken = Vec::new();
    for _ in 0..40 {
        taken.push(TcpStream::connect(server.authority()).await.unwrap());
    }
    while !server.log().contains("cannot accept connections; trying again") {
        sleep(Duration::from_millis(10)).await;
    }
    let (before, since) = (cpu(&server), Instant::now());
    sleep(Duration::from_secs(1)).await;
    let busy = cpu(&server).saturating_sub(before).as_secs_f64() / since.elapsed().as_secs_f64();
    assert!(busy < 0.3, "it spends {busy} of the time on trying");
    assert_eq!(server.log().matches("cannot accept connections").count(), 1, "it is said once a minute");

    drop(taken);
    let mut stream = TcpStream::connect(server.authority()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(20), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn n1_a_limit_on_open_files_that_leaves_no_room_for_the_connections_is_told_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let bounded = |args: &[&str]| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "ulimit -n 256 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_coffer")]);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).args(args);
        Server::spawn(&data, command.stdout(std::process::Stdio::piped())).stop();
        let log = fs::read_to_string(data.with_extension("log")).unwrap();
        fs::remove_file(data.with_extension("log")).unwrap();
        log
    };
    let told = "256 open files leaves room for 192 connections, not for the ";
    assert_eq!(bounded(&[]).matches(&format!("{told}4096 ")).count(), 1);
    assert_eq!(bounded(&["--max-connections", "193"]).matches(&format!("{told}193 ")).count(), 1);
    assert!(!bounded(&["--max-connections", "192"]).contains("leaves room"));
    for option in ["--max-connections", "--max-connections-per-address"] {
        let refused = said(&serve(&data, &[option, "0"]).output().unwrap());
        assert!(refused.starts_with("2: ") && refused.contains(option), "{refused}");
    }
}

#[tokio::test]
async fn n1_the_operator_says_how_many_connections_there_may_be() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), &["--max-connections", "2"]);
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.authority()).await.unwrap();
        stream.write_all(b"POST /api/token/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n").await.unwrap();
        held.push(stream);
    }
    let mut third = TcpStream::connect(server.authority()).await.unwrap();
    third.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    while !server.log().contains("all connections that the server may have are taken") {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(timeout(Duration::from_millis(50), third.read_u8()).await.is_err(), "it waits");
    held.pop();
    let mut answer = String::new();
    timeout(Duration::from_secs(20), third.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
