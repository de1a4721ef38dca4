//! What systemd and the server owe each other, with the test in systemd's place: notices, and a socket that is there before the
//! server and after it.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::server::{Server, serve};

#[test]
fn systemd_is_told_that_the_server_is_ready_alive_reloading_and_stopping() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let notices = UnixDatagram::bind(&path).unwrap();
    notices.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // Up to the first that is wanted.
    let wait = |wanted: &str| {
        let mut buffer = [0; 1024];
        loop {
            let length = notices.recv(&mut buffer).unwrap_or_else(|error| panic!("no {wanted}: {error}"));
            let notice = std::str::from_utf8(&buffer[..length]).unwrap();
            if notice.lines().any(|line| line.starts_with(wanted)) {
                return notice.to_owned();
            }
            assert_eq!(notice.trim_end(), "WATCHDOG=1", "while waiting for {wanted}");
        }
    };
    let data = dir.path().join("data");
    let mut command = serve(&data, &[]);
    let server = Server::spawn(&data, command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000"));
    wait("READY=1");
    wait("WATCHDOG=1");
    wait("WATCHDOG=1");
    kill_process(Pid::from_child(&server.child), Signal::HUP).unwrap();
    assert!(wait("RELOADING=1").contains("MONOTONIC_USEC="));
    wait("READY=1");
    crate::support::server::terminate(&server.child);
    wait("STOPPING=1");
    server.ended();
}

/// A server that is handed `listener` the way systemd does it.
fn activated(data: &Path, listener: &TcpListener) -> Server {
    let socket = OwnedFd::from(listener.try_clone().unwrap());
    let served = serve(data, &[]);
    let mut command = Command::new("sh");
    // The shell's own process becomes the server, so its id is known before.
    command.args(["-c", "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "sh"]);
    command.arg(served.get_program()).args(served.get_args());
    for (name, value) in served.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Server::spawn(data, command.stdin(Stdio::from(socket)).stdout(Stdio::piped()))
}

/// One request on a connection of its own.
fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_restart_under_load_behind_systemds_socket_refuses_and_resets_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = activated(&data, &listener);
    assert_eq!(server.base, format!("http://{address}"), "not the address that --listen says");
    crate::support::leaks::remember(&server.setup_code());

    let (done, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..16)
        .map(|_| {
            let (done, over) = (done.clone(), over.clone());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let answer = ask(address).expect("neither refused nor reset");
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // A client that fails ends the wait too.
    let more = |count| {
        let target = done.load(Ordering::Relaxed) + count;
        while done.load(Ordering::Relaxed) < target && !clients.iter().any(thread::JoinHandle::is_finished) {
            thread::yield_now();
        }
    };
    for _ in 0..3 {
        more(200);
        server.stop();
        server = activated(&data, &listener);
        crate::support::leaks::remember(&server.setup_code());
    }
    more(200);
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    // The log is written to its end when a server has ended, and there were three before this one.
    let log = server.log();
    let told = log.matches("--listen 127.0.0.1:0 (COFFER_LISTEN) is ignored").count();
    assert!(told >= 3 && log.contains("ListenStream="), "{log}");
}
