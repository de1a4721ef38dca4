//! What proxies say of their clients.

use std::net::IpAddr;

use server::{TrustedProxy, claimed_client, request::Connection};

use http::{HeaderMap, HeaderName, HeaderValue};

/// Behind a proxy that adds its client's address to whatever the client sent, a client can be taken for itself or for the proxy, and for nobody
/// else, however odd the lines are that it sent itself. The first byte says which of the two headers the proxy knows, and how it adds to it.
pub fn forwarded(bytes: &[u8]) {
    let (way, bytes) = bytes.split_first().map_or((0, bytes), |(way, rest)| (*way, rest));
    let [proxy, client]: [IpAddr; 2] = [[10, 0, 0, 1].into(), [203, 0, 113, 9].into()];
    let (header, added) = if way & 1 == 0 {
        ("x-forwarded-for", client.to_string())
    } else {
        ("forwarded", format!("for={client};proto=http"))
    };
    let mut headers = HeaderMap::new();
    let mut last = None;
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]))
        else {
            continue;
        };
        if name == header {
            last = Some(value.clone());
        }
        headers.append(name, value);
    }
    match last.filter(|_| way & 2 == 2) {
        // Joined to the client's last line, as most proxies do.
        Some(line) => {
            let line = [line.as_bytes(), b", ", added.as_bytes()].concat();
            let mut lines: Vec<_> = headers.get_all(header).iter().cloned().collect();
            lines.pop();
            headers.remove(header);
            for line in lines {
                headers.append(header, line);
            }
            headers.append(header, HeaderValue::from_bytes(&line).expect("both parts are values"));
        }
        None => {
            headers.append(header, HeaderValue::try_from(added).expect("an address is a value"));
        }
    }
    let connection = Connection { client: proxy, is_secure: false };
    let trusted = ["10.0.0.0/8".parse::<TrustedProxy>().expect("a network")];
    let (found, host) = claimed_client(connection, &headers, &trusted);
    assert!([proxy, client].contains(&found.client), "{headers:?} is taken for {}", found.client);
    if let Some(host) = host {
        assert!(host.to_str().is_ok_and(|host| !host.contains(['@', '/', ' ', '"'])), "{host:?} is no host");
    }
}
