//! Whose word about clients is taken, over real connections (`docs/security.md`, P9, N1). How the headers are read is tested beside the code.

use super::*;

const CLAIMS: &str = "X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9;proto=https;host=box.example\r\n\
                      X-Forwarded-Proto: https\r\nX-Forwarded-Host: box.example\r\nX-Real-IP: 203.0.113.9\r\n";

fn trusting(proxy: &str) -> Running {
    start(ServerOptions { trusted_proxies: vec![proxy.parse().unwrap()], ..ServerOptions::default() })
}

async fn whom(server: &Running, claims: &str) -> String {
    let answer = ask(server.address, format!("GET /id HTTP/1.1\r\nHost: a\r\n{claims}\r\n")).await;
    let secure = answer.header("strict-transport-security").is_some();
    let (_, whom) = answer.body.split_once(' ').unwrap();
    assert_eq!(secure, whom.ends_with(" secure"), "{answer:?}");
    whom.to_owned()
}

#[tokio::test]
async fn p9_claims_are_believed_of_trusted_proxies_and_of_nobody_else() {
    for (proxy, seen) in [
        ("127.0.0.0/8", "203.0.113.9 secure"),
        ("127.0.0.1", "203.0.113.9 secure"),
        ("127.0.0.2", "127.0.0.1 plain"),
        ("203.0.113.0/24", "127.0.0.1 plain"),
        ("::1", "127.0.0.1 plain"),
        ("unix", "127.0.0.1 plain"),
    ] {
        let server = trusting(proxy);
        assert_eq!(whom(&server, CLAIMS).await, seen, "{proxy}");
        assert_eq!(whom(&server, "").await, "127.0.0.1 plain", "{proxy}");
    }
    assert_eq!(whom(&start(ServerOptions::default()), CLAIMS).await, "127.0.0.1 plain");
}

#[tokio::test]
async fn the_host_that_a_trusted_proxy_names_is_the_one_that_handlers_see() {
    for (proxy, host) in [("127.0.0.1", "box.example"), ("192.0.2.1", "a")] {
        let server = trusting(proxy);
        let answer = ask(server.address, format!("GET /host HTTP/1.1\r\nHost: a\r\n{CLAIMS}\r\n")).await;
        assert_eq!(answer.body, host);
    }
}
