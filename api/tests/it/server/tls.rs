//! HTTPS on real sockets (`docs/security.md`, L6): what is spoken inside, who is cut off, and how a certificate is replaced.

use std::{fs, path::Path, time::Duration};

use server::{Tls, TlsError};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::support::certificate::KeyPair;

/// A server with a certificate in a folder of its own.
pub(super) struct Secure {
    server: Running,
    certificate: KeyPair,
    tls: Tls,
    dir: TempDir,
}

fn load(certificate: &KeyPair) -> Result<Tls, TlsError> {
    Tls::load(certificate.certificate.clone(), certificate.key.clone())
}

pub(super) fn start_secure(options: ServerOptions) -> Secure {
    let dir = tempfile::tempdir().unwrap();
    let certificate = KeyPair::new(dir.path());
    let tls = load(&certificate).unwrap();
    let server = start(ServerOptions { tls: Some(tls.clone()), ..options });
    Secure { server, certificate, tls, dir }
}

/// A client that believes this certificate and no other, and speaks these protocols.
async fn connect(
    address: SocketAddr,
    pem: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

impl Secure {
    async fn connect(&self) -> TlsStream<TcpStream> {
        self.connect_as(&["http/1.1"]).await
    }

    /// A connection over which one of these protocols is spoken.
    pub(super) async fn connect_as(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        connect(self.server.address, &self.certificate.pem, rustls::ALL_VERSIONS, protocols).await.unwrap()
    }
}

/// One exchange on a connection that stays open.
async fn ask_on(stream: &mut TlsStream<TcpStream>, path: &str) -> String {
    stream.write_all(get(path).as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let is_whole = |answer: &[u8]| {
        let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        body.len() == length.parse::<usize>().unwrap()
    };
    while !is_whole(&answer) {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn l6_tls_1_2_and_1_3_are_spoken_and_answers_ask_for_tls_from_now_on() {
    let secure = start_secure(ServerOptions::default());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream =
            connect(secure.server.address, &secure.certificate.pem, &[version], &["http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let answer = ask_on(&mut stream, "/id").await;
        assert!(answer.ends_with(" 127.0.0.1 secure"), "{answer}");
        assert!(answer.contains("strict-transport-security: max-age=63072000\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn http_2_is_chosen_where_the_client_knows_it_and_nothing_unknown_is() {
    let secure = start_secure(ServerOptions::default());
    let connect = async |protocols: &[&str]| {
        connect(secure.server.address, &secure.certificate.pem, rustls::ALL_VERSIONS, protocols).await
    };
    let chosen = async |protocols: &[&str]| {
        let stream = connect(protocols).await.unwrap();
        stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap())
    };
    assert_eq!(chosen(&["http/1.1", "h2"]).await.as_deref(), Some("h2"));
    assert_eq!(chosen(&["http/1.1"]).await.as_deref(), Some("http/1.1"));
    assert_eq!(chosen(&[]).await, None);
    assert!(connect(&["smtp"]).await.is_err());

    let mut stream = connect(&["h2"]).await.unwrap();
    stream.write_all(http2::PREFACE).await.unwrap();
    stream.write_all(&http2::frame(http2::SETTINGS, 0, 0, &[])).await.unwrap();
    stream.write_all(&http2::request(1)).await.unwrap();
    let kinds = http2::frames_until(&mut stream, http2::HEADERS).await;
    assert_eq!(kinds.last(), Some(&http2::HEADERS));
}

#[tokio::test]
async fn l6_who_does_not_know_the_certificate_or_asks_for_another_name_does_not_connect() {
    let secure = start_secure(ServerOptions::default());
    let other = tempfile::tempdir().unwrap();
    let foreign = KeyPair::new(other.path()).pem;
    assert!(connect(secure.server.address, &foreign, rustls::ALL_VERSIONS, &[]).await.is_err());
    secure.connect().await;
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told_so_in_plain_http() {
    let secure = start_secure(ServerOptions::default());
    let answer = ask(
        secure.server.address,
        "GET /id HTTP/1.1\r\nHost: box.example:8443\r\nAccept: application/problem+json\r\n\r\n",
    )
    .await;
    assert_eq!(answer.status(), 400);
    assert!(answer.problem().detail.contains("https://box.example:8443/"), "{answer:?}");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("strict-transport-security"), None, "only TLS may say so (RFC 6797 §7.2)");
}

#[tokio::test(start_paused = true)]
async fn n1_a_handshake_that_is_never_finished_is_cut_with_the_head() {
    let secure = start_secure(ServerOptions { header_timeout: Duration::from_secs(10), ..ServerOptions::default() });
    for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut client = Client::connect(secure.server.address).await;
        client.send(bytes).await;
        let started = Instant::now();
        let _ = client.0.read_to_end(&mut Vec::new()).await;
        let seconds = started.elapsed().as_secs_f64();
        assert!((10.0..15.0).contains(&seconds), "{bytes:?}: {seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn n1_a_client_that_takes_no_bytes_over_tls_is_cut() {
    let secure = start_secure(ServerOptions { write_timeout: Duration::from_secs(30), ..ServerOptions::default() });
    let mut stream = secure.connect().await;
    stream.write_all(get("/big").as_bytes()).await.unwrap();
    sleep(Duration::from_mins(1)).await;
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert!(bytes.len() < BIG, "only what the sockets had buffered");
}

#[tokio::test]
async fn what_is_no_handshake_ends_its_connection_and_no_other() {
    let secure = start_secure(ServerOptions::default());
    let mut healthy = secure.connect().await;
    for bytes in [&b"\x16\x03\x01\x00\x05hello"[..], b"\x16\xff\xff\xff\xff", b"\x80\x2e\x01\x00\x02", b"\0\0\0\0"] {
        let mut client = Client::connect(secure.server.address).await;
        client.send(bytes).await;
        client.0.shutdown().await.unwrap();
        let _ = client.0.read_to_end(&mut Vec::new()).await;
    }
    assert!(ask_on(&mut healthy, "/").await.ends_with("hello"));
}

#[tokio::test]
async fn a_drain_finishes_what_runs_over_tls() {
    let secure = start_secure(ServerOptions::default());
    let mut stream = secure.connect().await;
    stream.write_all(get("/slow").as_bytes()).await.unwrap();
    secure.server.gate.entered.notified().await;
    secure.server.stop.send(()).unwrap();
    while TcpStream::connect(secure.server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    secure.server.gate.open.notify_one();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the end is announced, not cut");
    assert!(answer.contains("connection: close") && answer.ends_with("done"), "{answer}");
    secure.server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn l6_a_certificate_is_replaced_without_dropping_a_connection_and_a_bad_one_is_not_taken() {
    let secure = start_secure(ServerOptions::default());
    let mut before = secure.connect().await;
    let old = fs::read(&secure.certificate.key).unwrap();
    let next = KeyPair::new(secure.dir.path());
    secure.tls.reload().unwrap();
    let address = secure.server.address;
    let connects = async |pem: &str| connect(address, pem, rustls::ALL_VERSIONS, &[]).await.is_ok();
    assert!(connects(&next.pem).await);
    assert!(!connects(&secure.certificate.pem).await, "new connections get the new certificate");
    assert!(ask_on(&mut before, "/").await.ends_with("hello"), "old connections go on");

    for (content, complaint) in [
        (old.as_slice(), "cannot be used with the certificate"),
        (b"", "has no private key in PEM form"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be used with the certificate"),
    ] {
        fs::write(&next.key, content).unwrap();
        let error = secure.tls.reload().unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
        assert!(connects(&next.pem).await, "the old pair stays");
    }
    fs::remove_file(&next.certificate).unwrap();
    assert!(matches!(secure.tls.reload(), Err(TlsError::File(_))));
    assert!(connects(&next.pem).await);
}

#[test]
fn l6_files_that_cannot_be_used_are_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let good = KeyPair::new(dir.path());
    let error = |certificate: &Path, key: &Path| Tls::load(certificate.into(), key.into()).unwrap_err().to_string();
    assert!(error(&good.key, &good.key).contains("has no certificate in PEM form"));
    assert!(error(&good.certificate, &good.certificate).contains("has no private key in PEM form"));
    assert!(error(&dir.path().join("none"), &good.key).starts_with("cannot read "));
}
