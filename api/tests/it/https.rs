//! HTTPS with the real binary and its own clients (`docs/security.md`, L6): who is let in, what is said to who is not, and how a
//! certificate is renewed.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, date_time_ymd};
use reqwest::{Certificate, redirect};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{
    ADMIN, Client, PASSWORD,
    certificate::KeyPair,
    command, leaks,
    server::{Server, http_client, said, serve},
};

fn start(dir: &Path, pair: &KeyPair) -> Server {
    let (certificate, key) = (pair.certificate.to_str().unwrap(), pair.key.to_str().unwrap());
    Server::start(&dir.join("data"), &["--tls-cert", certificate, "--tls-key", key])
}

/// Somebody who believes this certificate and no other.
fn trusting(server: &Server, pem: &str) -> Client {
    let builder = reqwest::Client::builder().redirect(redirect::Policy::none()).no_proxy();
    let http = builder.tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()]).build().unwrap();
    Client { http, base: server.base.clone(), access: None, id: String::new() }
}

fn health(args: &[&str]) -> String {
    said(&command().arg("health").args(args).output().unwrap())
}

#[tokio::test]
async fn l6_the_greeting_is_a_link_that_works_and_the_session_stays_on_tls() {
    let dir = tempfile::tempdir().unwrap();
    let pair = KeyPair::new(dir.path());
    let mut server = start(dir.path(), &pair);
    assert!(server.base.starts_with("https://127.0.0.1:"), "{}", server.base);
    let client = trusting(&server, &pair.pem);
    let body = json!({"code": server.setup_code(), "username": ADMIN, "password": PASSWORD});
    client.post("/api/setup/", &body).await.is(201);
    let root = client.get("/api/").await;
    assert!(root.header("strict-transport-security").starts_with("max-age=63072000"));
    assert!(root.text().contains(&format!("\"{}/api/users/\"", server.base)), "{}", root.text());
}

#[test]
fn l6_health_and_backup_verify_the_certificate_and_say_what_is_wrong_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let pair = KeyPair::new(dir.path());
    let server = start(dir.path(), &pair);
    let file = pair.certificate.to_str().unwrap();
    let address = server.base.strip_prefix("https://").unwrap();
    let named = format!("https://localhost:{}/", address.rsplit(':').next().unwrap());

    assert_eq!(health(&["--listen", address, "--tls-cert", file]), "0: ");
    assert_eq!(health(&["--server", &named, "--ca-cert", file]), "0: ");
    let untrusted = health(&["--server", &named]);
    assert!(untrusted.starts_with("1: ") && untrusted.contains("name its file with --ca-cert"), "{untrusted}");
    let plain = health(&["--listen", address]);
    assert!(plain.starts_with("1: ") && plain.contains("is not ready"), "{plain}");

    let other = tempfile::tempdir().unwrap();
    let foreign = KeyPair::new(other.path());
    let foreign = health(&["--listen", address, "--tls-cert", foreign.certificate.to_str().unwrap()]);
    assert!(foreign.starts_with("1: ") && foreign.contains("is not to be trusted"), "{foreign}");

    let made = dir.path().join("box.backup");
    let mut backup = command();
    backup.arg("backup").arg(&made).args(["--server", &named, "--user", ADMIN, "--password-stdin"]);
    let refused = said(&backup.output().unwrap());
    assert!(refused.starts_with("1: ") && refused.contains("name its file with --ca-cert"), "{refused}");
    let wrong = said(&backup.args(["--ca-cert", file]).output().unwrap());
    assert!(wrong.starts_with("1: ") && !wrong.contains("trusted"), "it got as far as the password: {wrong}");
}

#[test]
fn l6_each_fault_of_a_certificate_has_its_own_words() {
    let localhost = || CertificateParams::new(["localhost".to_owned()]).unwrap();
    let mut expired = localhost();
    (expired.not_before, expired.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1));
    let mut early = localhost();
    (early.not_before, early.not_after) = (date_time_ymd(2999, 1, 1), date_time_ymd(2999, 2, 1));
    let mut authority = localhost();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let other = CertificateParams::new(["box.example".to_owned()]).unwrap();
    for (params, words) in [
        (expired, "has expired"),
        (early, "is not valid yet"),
        (authority, "basicConstraints=CA:FALSE"),
        (other, "is for another name"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let pair = KeyPair::with(dir.path(), &params);
        let server = start(dir.path(), &pair);
        let named = format!("https://localhost:{}/", server.base.rsplit(':').next().unwrap());
        let heard = health(&["--server", &named, "--ca-cert", pair.certificate.to_str().unwrap()]);
        assert!(heard.starts_with("1: ") && heard.contains(words), "{words}: {heard}");
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"), &[]);
    let heard = health(&["--server", &server.base.replace("http://", "https://")]);
    assert!(heard.starts_with("1: ") && heard.contains("does not speak HTTPS"), "{heard}");
}

#[tokio::test]
async fn l6_a_hang_up_reads_the_certificate_again_and_a_bad_one_is_only_told() {
    let dir = tempfile::tempdir().unwrap();
    let old = KeyPair::new(dir.path());
    let server = start(dir.path(), &old);
    let before = trusting(&server, &old.pem);
    before.get("/healthz").await.is(200);
    let hang_up = async |said: &str| {
        let seen = server.log().matches(said).count();
        kill_process(Pid::from_child(&server.child), Signal::HUP).unwrap();
        while server.log().matches(said).count() == seen {
            tokio::task::yield_now().await;
        }
    };
    let new = KeyPair::new(dir.path());
    hang_up("were read again").await;
    trusting(&server, &new.pem).get("/healthz").await.is(200);
    assert!(trusting(&server, &old.pem).request(reqwest::Method::GET, "/healthz").send().await.is_err());
    before.get("/healthz").await.is(200);

    std::fs::write(&new.key, "no key").unwrap();
    hang_up("the old certificate stays").await;
    trusting(&server, &new.pem).get("/healthz").await.is(200);
    assert!(!server.log().contains("no key in it"), "what is in the file is not told");
}

#[tokio::test]
async fn l6_when_the_certificate_ends_is_in_the_metrics_and_in_the_log_if_it_is_soon() {
    const NAME: &str = "coffer_tls_certificate_expiry_timestamp_seconds";
    let dir = tempfile::tempdir().unwrap();
    let ending = |at| {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = at;
        KeyPair::with(dir.path(), &params)
    };
    let soon = time::OffsetDateTime::now_utc() + time::Duration::hours(24 * 3 + 12);
    let pair = ending(soon);
    let files = [pair.certificate.to_str().unwrap(), pair.key.to_str().unwrap()];
    let args = ["--tls-cert", files[0], "--tls-key", files[1], "--metrics-listen", "127.0.0.1:0"];
    let mut server = Server::start(&dir.path().join("data"), &args);
    let metrics = server.greeted("Metrics are on ");
    let http = http_client().build().unwrap();
    let end = async || {
        let text = http.get(&metrics).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(NAME)?.strip_prefix(' ')).expect("it is there");
        line.parse::<i64>().unwrap()
    };
    assert_eq!(end().await, soon.unix_timestamp());
    let told = async |words: &str| {
        while !server.log().contains(words) {
            tokio::task::yield_now().await;
        }
    };
    told("WARN the TLS certificate ends soon; renew it, then send SIGHUP").await;
    assert_eq!(server.log().matches(" days=3").count(), 1);

    ending(date_time_ymd(2020, 2, 1));
    kill_process(Pid::from_child(&server.child), Signal::HUP).unwrap();
    told("ERROR the TLS certificate has ended and clients refuse it").await;
    assert_eq!(end().await, 1_580_515_200);

    ending(date_time_ymd(2999, 1, 1));
    kill_process(Pid::from_child(&server.child), Signal::HUP).unwrap();
    while end().await == 1_580_515_200 {
        tokio::task::yield_now().await;
    }
    server.stop();
    let log = std::fs::read_to_string(dir.path().join("data.log")).unwrap();
    assert_eq!(log.matches("the TLS certificate ").count(), 2 + log.matches("were read again").count(), "{log}");

    let mut plain = Server::start(&dir.path().join("plain"), &["--metrics-listen", "127.0.0.1:0"]);
    let metrics = plain.greeted("Metrics are on ");
    assert!(!http.get(&metrics).send().await.unwrap().text().await.unwrap().contains(NAME), "there is none");
}

#[test]
fn l6_plain_http_away_from_this_machine_has_to_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    for open in ["0.0.0.0:0", "[::]:0"] {
        let refused = said(&serve(&dir.path().join("data"), &["--listen", open]).output().unwrap());
        assert!(refused.starts_with("1: ") && refused.contains("--tls-cert") && refused.contains(open), "{refused}");
        assert!(!dir.path().join("data").exists(), "nothing is written before");
    }
    let lone = said(&serve(&dir.path().join("data"), &["--tls-cert", "some.pem"]).output().unwrap());
    assert!(lone.starts_with("2: ") && lone.contains("--tls-key"), "{lone}");

    let pair = KeyPair::new(dir.path());
    let files = ["--tls-cert", pair.certificate.to_str().unwrap(), "--tls-key", pair.key.to_str().unwrap()];
    for allowed in [&["--insecure-http"][..], &files] {
        let mut args = vec!["--listen", "0.0.0.0:0"];
        args.extend(allowed);
        let mut server = Server::start(&dir.path().join("data"), &args);
        let link = server.greeted("listens on ");
        assert!(link.contains("://127.0.0.1:") && link.ends_with(", and on this machine's other addresses"), "{link}");
        leaks::remember(&server.setup_code());
    }
}

#[test]
fn l6_a_key_that_others_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let pair = KeyPair::new(dir.path());
    let told = |mode| {
        std::fs::set_permissions(&pair.key, std::fs::Permissions::from_mode(mode)).unwrap();
        start(dir.path(), &pair).stop();
        std::fs::read_to_string(dir.path().join("data.log")).unwrap().matches("can read the TLS key").count()
    };
    // The log is added to from server to server.
    assert_eq!((told(0o600), told(0o640), told(0o644)), (0, 0, 1));
}
