//! Whose name a request brings (`docs/security.md`, N10), over real connections: HTTP/1, HTTP/2, proxies and Unix sockets. What a host is is tested beside the code.

use server::AllowedHosts;
use tokio::net::UnixStream;

use super::{http2, *};

fn named(hosts: &[&str]) -> ServerOptions {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    ServerOptions { hosts: AllowedHosts::new(hosts), is_any_hosts: |path| path == "/id", ..ServerOptions::default() }
}

/// The status of a request whose line and fields are these.
async fn status(server: &Running, line: &str, fields: &str) -> u16 {
    let answer = ask(server.address, format!("{line}\r\nAccept: application/problem+json\r\n{fields}\r\n")).await;
    if answer.status() >= 400 {
        let problem = answer.problem();
        assert!(!answer.body.contains("evil") && !answer.head.contains("evil"), "{answer:?}");
        assert_eq!(problem.status == 421, problem.code == "misdirected");
    }
    answer.status()
}

#[tokio::test]
async fn n10_a_foreign_host_is_421_and_none_or_two_are_400_and_neither_is_repeated() {
    let server = start(named(&[]));
    let port = server.address.port();
    for (line, fields, expected) in [
        ("GET / HTTP/1.1", "Host: localhost\r\n", 200),
        ("GET / HTTP/1.1", &format!("Host: 127.0.0.1:{port}\r\n"), 200),
        ("GET / HTTP/1.1", "HOST: [::1]:9\r\n", 200),
        ("GET / HTTP/1.0", "Host: localhost\r\n", 200),
        ("GET / HTTP/1.1", "Host: evil.example\r\n", 421),
        ("GET / HTTP/1.1", &format!("Host: evil.example:{port}\r\n"), 421),
        ("GET / HTTP/1.1", "Host: 127.0.0.1.evil.example\r\n", 421),
        ("GET / HTTP/1.1", "Host: 203.0.113.7\r\n", 421),
        ("POST /body HTTP/1.1", "Host: evil.example\r\nContent-Length: 0\r\n", 421),
        ("GET /nothing HTTP/1.1", "Host: evil.example\r\n", 421),
        ("GET / HTTP/1.1", "", 400),
        ("GET / HTTP/1.0", "", 400),
        ("GET / HTTP/1.1", "Host:\r\n", 400),
        ("GET / HTTP/1.1", "Host: :80\r\n", 400),
        ("GET / HTTP/1.1", "Host: ::1\r\n", 400),
        ("GET / HTTP/1.1", "Host: localhost:99999\r\n", 400),
        ("GET / HTTP/1.1", "Host: evil@localhost\r\n", 400),
        ("GET / HTTP/1.1", "Host: localhost\r\nHost: localhost\r\n", 400),
        ("GET / HTTP/1.1", "Host: localhost\r\nHost: evil.example\r\n", 400),
        ("GET / HTTP/1.0", "Host: localhost\r\nHost: evil.example\r\n", 400),
        ("GET / HTTP/1.1", "Host: localhost, evil.example\r\n", 400),
        // The request line goes before the field.
        ("GET http://localhost/ HTTP/1.1", "Host: evil.example\r\n", 200),
        ("GET http://evil.example/ HTTP/1.1", "Host: localhost\r\n", 421),
        ("GET http://localhost@evil.example/ HTTP/1.1", "Host: localhost\r\n", 400),
        // RFC 9110 §4.2.4: nobody is named before the host; and of schemes there are two.
        ("GET http://x@localhost/ HTTP/1.1", "Host: localhost\r\n", 400),
        ("GET http://x:y@localhost/ HTTP/1.1", "Host: localhost\r\n", 400),
        ("GET http://@localhost/ HTTP/1.1", "Host: localhost\r\n", 400),
        ("GET https://localhost/ HTTP/1.1", "Host: localhost\r\n", 200),
        ("GET HTTP://localhost/ HTTP/1.1", "Host: localhost\r\n", 200),
        ("GET ftp://localhost/ HTTP/1.1", "Host: localhost\r\n", 400),
        ("GET ws://localhost/ HTTP/1.1", "Host: localhost\r\n", 400),
        ("GET file://localhost/ HTTP/1.1", "Host: localhost\r\n", 400),
        ("GET http://evil.example:80/ HTTP/1.1", "Host: localhost\r\n", 421),
        // What a client claims who is no trusted proxy.
        ("GET / HTTP/1.1", "Host: evil.example\r\nX-Forwarded-Host: localhost\r\n", 421),
        ("GET / HTTP/1.1", "Host: localhost\r\nX-Forwarded-Host: evil.example\r\n", 200),
    ] {
        assert_eq!(status(&server, line, fields).await, expected, "{line} {fields:?}");
    }
    // A page that has to be found whatever the name is.
    for fields in ["Host: evil.example\r\n", "Host: 203.0.113.7:8000\r\n", "Host:\r\n"] {
        assert_eq!(status(&server, "GET /id HTTP/1.1", fields).await, 200, "{fields:?}");
    }
    assert_eq!(status(&server, "GET /id HTTP/1.0", "").await, 200);
}

#[tokio::test]
async fn n10_a_trusted_proxy_names_the_host_and_the_operator_goes_before_it() {
    let fields = "Host: coffer_upstream\r\nX-Forwarded-Host: coffer.example\r\n";
    for (proxy, hosts, expected) in [
        ("127.0.0.1", &[][..], 200),
        ("192.0.2.1", &[], 421),
        ("127.0.0.1", &["coffer.example"], 200),
        ("127.0.0.1", &["other.example"], 421),
    ] {
        let server = start(ServerOptions { trusted_proxies: vec![proxy.parse().unwrap()], ..named(hosts) });
        assert_eq!(status(&server, "GET / HTTP/1.1", fields).await, expected, "{proxy} {hosts:?}");
        // A browser on the proxy's machine, whose page has its own name lead here.
        let rebound = status(&server, "GET / HTTP/1.1", "Host: evil.example\r\n").await;
        assert_eq!(rebound, 421, "{proxy} {hosts:?}");
    }
}

#[tokio::test]
async fn n10_a_unix_socket_has_no_name_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    for (name, trusted, expected) in [("a", None, 421), ("b", Some("unix"), 200)] {
        let path = folder.path().join(name);
        let listen = vec![format!("unix:{}", path.display()).parse().unwrap()];
        let trusted_proxies = trusted.map(|proxy| proxy.parse().unwrap()).into_iter().collect();
        let server = Server::bind(ServerOptions { listen, trusted_proxies, ..named(&[]) }).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(warp::service(filter(Gate::default())), async move {
            let _ = stopped.await;
        }));
        for (host, expected) in [("localhost", 200), ("coffer.example", expected)] {
            let mut stream = UnixStream::connect(&path).await.unwrap();
            let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{name} {host}: {answer}");
        }
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
    }
}

/// An HPACK literal without indexing whose name is in the static table.
fn field(name: u8, value: &str) -> Vec<u8> {
    let mut field = if name < 15 { vec![name] } else { vec![15, name - 15] };
    field.push(u8::try_from(value.len()).unwrap());
    field.extend(value.as_bytes());
    field
}

/// The status of the one answer on a connection, by its body.
async fn status_of_stream(stream: &mut TcpStream) -> u16 {
    const DATA: u8 = 0;
    let mut body = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == DATA {
            body.extend(payload);
            if head[4] & 1 == 1 {
                break;
            }
        }
    }
    if body == b"hello" {
        return 200;
    }
    let refusal: serde_json::Value = serde_json::from_slice(&body).unwrap();
    if refusal["code"] == "misdirected" { 421 } else { 400 }
}

#[tokio::test]
async fn n10_http_2_names_its_host_once() {
    const AUTHORITY: u8 = 1;
    const HOST: u8 = 38;
    let server = start(named(&[]));
    for (fields, expected) in [
        (vec![field(AUTHORITY, "localhost:1")], 200),
        (vec![field(HOST, "localhost")], 200),
        (vec![field(AUTHORITY, "localhost"), field(HOST, "LOCALHOST")], 200),
        (vec![field(AUTHORITY, "evil.example")], 421),
        (vec![field(HOST, "evil.example")], 421),
        (vec![field(AUTHORITY, "x@localhost")], 400),
        (vec![field(AUTHORITY, "localhost@evil.example")], 400),
        (vec![field(AUTHORITY, "localhost"), field(HOST, "evil.example")], 400),
        (vec![field(AUTHORITY, "evil.example"), field(HOST, "localhost")], 400),
        (vec![field(HOST, "localhost"), field(HOST, "localhost")], 400),
        (vec![], 400),
    ] {
        let mut client = Client::connect(server.address).await;
        client.send(http2::PREFACE).await;
        client.send(http2::frame(http2::SETTINGS, 0, 0, &[])).await;
        let mut head = vec![0x82, 0x84, 0x86];
        head.extend(fields.concat());
        client.send(http2::frame(http2::HEADERS, 0x5, 1, &head)).await;
        assert_eq!(status_of_stream(&mut client.0).await, expected, "{fields:?}");
    }
}
