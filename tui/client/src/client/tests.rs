//! The session against a server that does as it is told: when tokens are traded, how often, and what is kept.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex as StdMutex, atomic::AtomicUsize},
    thread,
};

use common::endpoints::{collections, users};
use serde_json::{Value, json};

use super::*;

/// The requests that came: path, token, body.
type Seen = Arc<StdMutex<Vec<(String, String, Value)>>>;

/// Serves one answer for each request, by what `answer` says to its path, token and body.
fn serve(answer: impl Fn(&str, &str, &Value) -> (u16, Value) + Send + 'static) -> (Server, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut path, mut token, mut length) = (String::new(), String::new(), 0);
            for (i, line) in stream.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).enumerate()
            {
                let lower = line.to_ascii_lowercase();
                match lower.split_once(':') {
                    _ if i == 0 => {
                        let asked = line.split(' ').nth(1).unwrap();
                        path = asked.strip_prefix(common::endpoint::OWN_PREFIX).unwrap().to_owned();
                    }
                    Some(("authorization" | "coffer-device", _)) => token = line.rsplit(' ').next().unwrap().to_owned(),
                    Some(("content-length", value)) => length = value.trim().parse().unwrap(),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let (status, reply) = answer(&path, &token, &body);
            let device = if path == "/api/token/" && status == 200 { "coffer-device: d1\r\n" } else { "" };
            log.lock().unwrap().push((path, token, body));
            let reply = reply.to_string();
            let head =
                format!("HTTP/1.1 {status} x\r\n{device}content-length: {}\r\nconnection: close\r\n\r\n", reply.len());
            stream.get_mut().write_all((head + &reply).as_bytes()).unwrap();
        }
    });
    (server, seen)
}

fn refusal() -> (u16, Value) {
    (401, json!(common::Problem::unauthorized("The token is not valid.")))
}

fn trade(body: &Value) -> (u16, Value) {
    let number: u32 = body["refresh"].as_str().unwrap().trim_start_matches('r').parse().unwrap();
    let next = number + 1;
    (200, json!({"access": format!("a{next}"), "refresh": format!("r{next}")}))
}

fn nothing() -> (u16, Value) {
    (200, json!({"count": 0, "next": null, "previous": null, "results": []}))
}

/// Seconds since 1970.
fn now() -> u64 {
    super::now() / 1000
}

/// A session whose access token lived for five minutes until then.
fn session(user: &str, number: u32, access_until: u64) -> Session {
    let renew_at = access_until.saturating_sub(60);
    Session { user: user.into(), access: format!("a{number}"), access_until, renew_at, refresh: format!("r{number}") }
}

fn kept(state: &tempfile::TempDir, server: &Server, access_until: u64) -> SessionFile {
    let file = SessionFile::within(state.path(), server);
    file.store(&session("ada", 1, access_until)).unwrap();
    file
}

async fn list(client: &Client) -> Answer<common::page::Page<common::collection::Collection>> {
    client.send(&Call::<collections::List>::new((), ())).await
}

fn paths(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().iter().map(|(path, token, _)| format!("{path} {token}").trim().to_owned()).collect()
}

#[tokio::test]
async fn a_token_about_to_end_is_traded_first_and_the_new_one_is_on_disk_before_it_is_used() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().to_owned();
    let address = Arc::new(StdMutex::new(None::<Server>));
    let at = Arc::clone(&address);
    let (server, seen) = serve(move |path, token, body| {
        if path == "/api/token/refresh/" {
            return trade(body);
        }
        let file = SessionFile::within(&folder, at.lock().unwrap().as_ref().unwrap());
        assert_eq!(file.load().unwrap().access, token);
        nothing()
    });
    *address.lock().unwrap() = Some(server.clone());
    let file = kept(&state, &server, now() + 2);
    let client = Client::new(server, Some(file.clone()), None).unwrap();
    assert!(list(&client).await.is_ok());
    assert_eq!(paths(&seen), ["/api/token/refresh/", "/api/collections/ a2"]);
    assert_eq!(file.load().unwrap().refresh, "r2");
}

#[tokio::test]
async fn many_refused_requests_trade_the_refresh_token_once() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|path, token, body| match (path, token) {
        ("/api/token/refresh/", _) => trade(body),
        (_, "a2") => nothing(),
        _ => refusal(),
    });
    let file = kept(&state, &server, now() + 300);
    let client = Client::new(server, Some(file), None).unwrap();
    let answers = tokio::join!(list(&client), list(&client), list(&client), list(&client));
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok() && answers.3.is_ok());
    assert_eq!(paths(&seen).iter().filter(|path| path.starts_with("/api/token/refresh/")).count(), 1);
}

#[tokio::test]
async fn two_clients_of_one_user_share_the_session_instead_of_ending_it() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|path, token, body| match (path, token) {
        ("/api/token/refresh/", _) if body["refresh"] == "r1" => trade(body),
        ("/api/token/refresh/", _) => refusal(),
        (_, "a2") => nothing(),
        _ => refusal(),
    });
    let file = kept(&state, &server, now() + 300);
    let one = Client::new(server.clone(), Some(file.clone()), None).unwrap();
    let other = Client::new(server, Some(file), None).unwrap();
    assert!(list(&one).await.is_ok());
    assert!(list(&other).await.is_ok());
    assert_eq!(paths(&seen).iter().filter(|path| path.starts_with("/api/token/refresh/")).count(), 1);
}

#[tokio::test]
async fn a_session_that_cannot_be_healed_is_over_and_its_file_is_gone() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|_, _, _| refusal());
    let file = kept(&state, &server, now() + 300);
    let client = Client::new(server, Some(file.clone()), None).unwrap();
    assert_eq!(list(&client).await, Err(Failure::SignedOut));
    assert_eq!(list(&client).await, Err(Failure::SignedOut));
    assert!(file.load().is_none());
    assert_eq!(paths(&seen), ["/api/collections/ a1", "/api/token/refresh/"]);
}

#[tokio::test]
async fn a_server_that_is_away_does_not_end_the_session() {
    let state = tempfile::tempdir().unwrap();
    let server: Server = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap()).parse().unwrap()
    };
    let file = kept(&state, &server, 0);
    let mut client = Client::new(server, Some(file.clone()), None).unwrap();
    let unreachable =
        CallError::Unreachable(crate::reason::unreachable(io::ErrorKind::ConnectionRefused).unwrap().to_owned());
    assert_eq!(list(&client).await, Err(Failure::Call(unreachable)));
    assert!(client.has_session() && file.load().is_some());
}

#[tokio::test]
async fn signing_out_ends_the_newest_token_and_forgets_it() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|_, _, _| (200, json!({})));
    let file = kept(&state, &server, now() + 300);
    let client = Client::new(server, Some(file.clone()), None).unwrap();
    file.store(&session("ada", 9, 0)).unwrap();
    client.sign_out().await.unwrap();
    assert_eq!(seen.lock().unwrap()[0].2, json!({"refresh": "r9"}));
    assert!(file.load().is_none());
    assert_eq!(client.send(&Call::<users::Me>::new((), ())).await.unwrap_err(), Failure::SignedOut);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told_and_the_session_works_all_the_same() {
    let state = tempfile::tempdir().unwrap();
    let (server, _) = serve(|path, _, _| match path {
        "/api/token/" => trade(&json!({"refresh": "r0"})),
        _ => nothing(),
    });
    std::fs::write(state.path().join("sessions"), b"in the way").unwrap();
    let file = SessionFile::within(state.path(), &server);
    let client = Client::new(server, Some(file), None).unwrap();
    client.sign_in(Credentials { username: "ada".into(), password: "x".into() }).await.unwrap();
    assert!(client.take_not_kept() && !client.take_not_kept());
    assert!(list(&client).await.is_ok());
}

/// Serves one answer to each who shakes hands, and counts those who came and those who asked.
fn serve_over_tls(names: &[&str]) -> (Server, String, Arc<[AtomicUsize; 2]>) {
    let made = rcgen::generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()).into();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, counts) = (Arc::new(config), Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
    let counted = Arc::clone(&counts);
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted[0].fetch_add(1, Ordering::SeqCst);
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            // A client that rejects the certificate disconnects before it sends the first byte of a request.
            if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                counted[1].fetch_add(1, Ordering::SeqCst);
                let answer = nothing().1.to_string();
                let head = format!("HTTP/1.1 200 x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
                stream.write_all((head + &answer).as_bytes()).unwrap();
            }
        }
    });
    (server, made.cert.pem(), counts)
}

#[tokio::test]
async fn l6_a_certificate_that_nobody_vouches_for_ends_it_and_nothing_is_sent_another_way() {
    let state = tempfile::tempdir().unwrap();
    let (server, certificate, counts) = serve_over_tls(&["localhost"]);
    let (other, other_certificate, others) = serve_over_tls(&["box.example"]);
    let count = |counts: &[AtomicUsize; 2], of: usize| counts[of].load(Ordering::SeqCst);
    for (server, trusted) in [
        (&server, None),
        (&server, Some(other_certificate.as_bytes())),
        // Believed, and another machine's.
        (&other, Some(other_certificate.as_bytes())),
    ] {
        let client = Client::new(server.clone(), Some(kept(&state, server, now() + 300)), trusted).unwrap();
        let Err(Failure::Call(CallError::Unreachable(reason))) = list(&client).await else { panic!("it got through") };
        assert!(reason.contains("certificate"), "{reason}");
    }
    assert!(count(&counts, 0) > 0 && count(&others, 0) > 0, "the certificates were looked at");
    assert_eq!(count(&counts, 1) + count(&others, 1), 0, "nothing was asked");
    let client =
        Client::new(server.clone(), Some(kept(&state, &server, now() + 300)), Some(certificate.as_bytes())).unwrap();
    assert!(list(&client).await.is_ok());
    assert_eq!(count(&counts, 1), 1);
}

#[tokio::test]
async fn tokens_do_not_follow_a_redirect() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|_, _, _| (302, json!({})));
    let file = kept(&state, &server, now() + 300);
    let client = Client::new(server, Some(file), None).unwrap();
    assert!(matches!(list(&client).await, Err(Failure::Call(CallError::Unreadable(_)))));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn somebody_else_who_signs_in_beside_is_neither_taken_over_nor_signed_out() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|_, _, _| refusal());
    let file = kept(&state, &server, 0);
    let client = Client::new(server.clone(), Some(file.clone()), None).unwrap();
    let signing_out = Client::new(server, Some(file.clone()), None).unwrap();
    file.store(&session("eve", 9, now() + 300)).unwrap();
    assert_eq!(list(&client).await, Err(Failure::SignedOut));
    signing_out.sign_out().await.unwrap();
    assert_eq!(seen.lock().unwrap()[0].2, json!({"refresh": "r1"}));
    assert_eq!(file.load().unwrap().user, "eve");
}

#[tokio::test]
async fn requests_that_wait_for_one_renewal_share_its_failure_and_go_on_with_the_token_at_hand() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|path, token, _| match (path, token) {
        ("/api/token/refresh/", _) => (503, json!(common::Problem::unavailable("Not now."))),
        _ => nothing(),
    });
    let file = kept(&state, &server, now() + 30);
    let client = Client::new(server.clone(), Some(file.clone()), None).unwrap();
    let answers = tokio::join!(list(&client), list(&client), list(&client));
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok());
    assert_eq!(paths(&seen).iter().filter(|path| path.starts_with("/api/token/refresh/")).count(), 1);
    assert!(file.load().is_some());
}

#[tokio::test]
async fn a_device_is_shown_again_to_who_gave_it() {
    let state = tempfile::tempdir().unwrap();
    let (server, seen) = serve(|_, _, _| (200, json!({"access": "a1", "refresh": "r1"})));
    let client = || {
        let file = SessionFile::within(state.path(), &server);
        Client::new(server.clone(), Some(file), None).unwrap()
    };
    let credentials = |name: &str| Credentials { username: name.to_owned(), password: "x".to_owned() };
    for name in ["ada", "ben", "ada"] {
        let client = client();
        client.sign_in(credentials(name)).await.unwrap();
        client.sign_out().await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let shown: Vec<_> =
        seen.iter().filter(|(path, ..)| path == "/api/token/").map(|(_, device, _)| device.as_str()).collect();
    assert_eq!(shown, ["", "", "d1"]);
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_as_it_comes_and_a_cut_one_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server: Server = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let lines = "{\"title\":\"Nuts\"}\n".repeat(2_000);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(lines.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let heads = thread::spawn(move || {
        let mut heads = Vec::new();
        for length in [packed.len(), packed.len() - 9] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = String::new();
            for line in BufReader::new(&mut stream).lines().map(Result::unwrap).take_while(|line| !line.is_empty()) {
                head += &line.to_ascii_lowercase();
            }
            heads.push(head);
            let answer = format!(
                "HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
            for piece in packed[..length].chunks(50) {
                stream.write_all(piece).unwrap();
                stream.flush().unwrap();
            }
        }
        heads
    });
    let client = Client::new(server, None, None).unwrap().open_to_anyone();
    let export = Call::<common::endpoints::records::Export>::new(("goods".parse().unwrap(),), ());
    let mut pieces = client.open(&export).await.unwrap();
    assert_eq!(pieces.whole().await.unwrap(), lines.as_bytes());
    let mut pieces = client.open(&export).await.unwrap();
    assert!(pieces.whole().await.is_err(), "its end is missing");
    assert!(heads.join().unwrap().iter().all(|head| head.contains("accept-encoding: gzip")));
}
