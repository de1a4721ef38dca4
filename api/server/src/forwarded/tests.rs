use http::HeaderName;

use super::*;

const PROXY: &str = "10.0.0.1";

fn trusted() -> Vec<TrustedProxy> {
    ["10.0.0.0/8", "2001:db8::/32", "unix"].iter().map(|text| text.parse().unwrap()).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn seen(lines: &[(&str, &str)]) -> (Connection, Option<HeaderValue>) {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    client(Connection { client: ip(PROXY), is_secure: false }, &headers, &trusted())
}

fn address(lines: &[(&str, &str)]) -> String {
    seen(lines).0.client.to_string()
}

#[test]
fn p9_the_client_is_the_right_most_address_that_is_no_proxys() {
    for (header, client) in [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1,203.0.113.9 , 10.1.2.3", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.1.2.3, 2001:db8::5", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:10.2.2.2, ::ffff:203.0.113.9, ::ffff:10.1.1.1", "203.0.113.9"),
        ("2a00::1", "2a00::1"),
        ("[2a00::1]", "2a00::1"),
        ("[2a00::1]:4711", "2a00::1"),
        // Proxies all the way: the first of them asks on its own account.
        ("10.9.9.9, 10.1.1.1", "10.9.9.9"),
        // Nobody vouches for what is before something that is no address.
        ("198.51.100.1, unknown", PROXY),
        ("198.51.100.1, unknown, 10.1.1.1", "10.1.1.1"),
        ("198.51.100.1,", PROXY),
        ("", PROXY),
        ("203.0.113.999", PROXY),
        ("localhost", PROXY),
    ] {
        assert_eq!(address(&[("x-forwarded-for", header)]), client, "{header:?}");
    }
    let lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.1.1.1")];
    assert_eq!(address(&lines), "203.0.113.9", "several lines are one list");
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_bytes(b"203.0.113.9, \xff").unwrap());
    let proxy = Connection { client: ip(PROXY), is_secure: false };
    assert_eq!(client(proxy, &headers, &trusted()).0, proxy);
}

#[test]
fn p9_forwarded_is_read_as_its_standard_says() {
    for (header, client) in [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=203.0.113.9; Proto=https ;by=203.0.113.43", "203.0.113.9"),
        ("for=198.51.100.1, for=203.0.113.9;by=10.1.1.1, for=10.1.1.1", "203.0.113.9"),
        (r#"for="[2a00::1]:4711""#, "2a00::1"),
        (r#"for="203.0.113.9:80""#, "203.0.113.9"),
        ("for=198.51.100.1, for=unknown", PROXY),
        (r#"for=198.51.100.1, for="_hidden""#, PROXY),
        ("for=198.51.100.1, proto=https", PROXY),
        (r#"for=198.51.100.1;x="a, for=198.51.100.2", for=203.0.113.9"#, "203.0.113.9"),
        (r#"for=198.51.100.1;x="a\", for=198.51.100.2", for=203.0.113.9"#, "203.0.113.9"),
    ] {
        assert_eq!(address(&[("forwarded", header)]), client, "{header:?}");
    }
}

#[test]
fn p9_a_client_cannot_hide_what_the_proxy_adds_behind_a_quote() {
    // What the client sent, and what the proxy puts after it.
    for forged in
        [r#"for=198.51.100.1;x=""#, r#"for=198.51.100.1;x="\"#, r#"for=198.51.100.1, ""#, r#"for="198.51.100.1"#]
    {
        for added in [r#", for="[2a00::1]""#, ", for=203.0.113.9", r#", for="[2a00::1]:1";host="a:80""#] {
            let header = format!("{forged}{added}");
            assert_ne!(address(&[("forwarded", &header)]), "198.51.100.1", "{header}");
        }
    }
}

#[test]
fn p9_two_headers_that_disagree_are_both_not_believed() {
    for (standard, expected) in [
        ("for=198.51.100.1", PROXY),
        ("for=203.0.113.9", "203.0.113.9"),
        ("for=unknown", "203.0.113.9"),
        ("for=\"x", PROXY),
    ] {
        assert_eq!(address(&[("x-forwarded-for", "203.0.113.9"), ("forwarded", standard)]), expected, "{standard}");
    }
}

#[test]
fn the_last_proxy_says_whether_the_way_was_secure_and_which_host_was_meant() {
    for (lines, is_secure, host) in [
        (vec![("x-forwarded-proto", "https"), ("x-forwarded-host", "box.example")], true, Some("box.example")),
        (vec![("x-forwarded-proto", "HTTPS")], true, None),
        (vec![("x-forwarded-proto", "https, http")], false, None),
        (vec![("forwarded", r#"for=203.0.113.9;proto=https;host="box.example:8443""#)], true, Some("box.example:8443")),
        (vec![("x-forwarded-host", "evil.example, box.example")], false, Some("box.example")),
        // One of the two is as the client sent it.
        (vec![("x-forwarded-host", "evil.example"), ("forwarded", "host=box.example")], false, None),
        (vec![("x-forwarded-host", "box.example"), ("forwarded", "host=evil.example")], false, None),
        (vec![("x-forwarded-host", "Box.example"), ("forwarded", "host=box.example")], false, Some("Box.example")),
        (vec![("x-forwarded-proto", "https"), ("forwarded", "proto=http")], false, None),
        (vec![("x-forwarded-proto", "https"), ("forwarded", "proto=https")], true, None),
        (vec![("x-forwarded-host", "a b")], false, None),
        (vec![("x-forwarded-host", "user@box.example")], false, None),
        (vec![("x-forwarded-host", "box.example/path")], false, None),
    ] {
        let (connection, named) = seen(&lines);
        assert_eq!(
            (connection.is_secure, named.as_ref().map(|host| host.to_str().unwrap())),
            (is_secure, host),
            "{lines:?}"
        );
    }
}

#[test]
fn a_proxy_is_an_address_a_network_or_the_word_unix_and_never_everybody() {
    assert_eq!("unix".parse(), Ok(TrustedProxy::Unix));
    let one: TrustedProxy = "192.0.2.1".parse().unwrap();
    assert!(one.has(ip("192.0.2.1")) && !one.has(ip("192.0.2.2")));
    let network: TrustedProxy = " 10.1.2.3/8".parse().unwrap();
    assert!(network.has(ip("10.200.0.1")) && !network.has(ip("11.0.0.1")) && !network.has(ip("2a00::1")));
    for everybody in ["0.0.0.0/0", "::/0", "1.2.3.4/0"] {
        assert_eq!(everybody.parse::<TrustedProxy>(), Err(TrustedProxyError::Everybody));
    }
    for bad in ["", "localhost", "10.0.0.0/33", "10.0.0/8", "*", "UNIX"] {
        assert_eq!(bad.parse::<TrustedProxy>(), Err(TrustedProxyError::Malformed), "{bad}");
    }
}
