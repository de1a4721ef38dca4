use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const NOWHERE: Reached<'static> = Reached { local: None, by_proxy: false, listening: &[], certificate: None };

fn answers_to(hosts: &AllowedHosts, host: &str, reached: &Reached<'_>) -> bool {
    hosts.allows(Host::parse(host).unwrap_or_else(|| panic!("{host} is a host")), reached)
}

fn named(hosts: &[&str]) -> AllowedHosts {
    AllowedHosts::new(hosts.iter().map(|host| host.parse().unwrap()).collect())
}

#[test]
fn n10_a_host_is_a_name_or_an_address_with_or_without_a_port() {
    for (text, host) in [
        ("coffer.example", Host::Name("coffer.example")),
        ("Coffer.Example.:8443", Host::Name("Coffer.Example")),
        ("coffer.example:", Host::Name("coffer.example")),
        ("my_service:8000", Host::Name("my_service")),
        ("127.0.0.1:8000", Host::Address(ip("127.0.0.1"))),
        ("127.0.0.1.", Host::Address(ip("127.0.0.1"))),
        ("[::1]", Host::Address(ip("::1"))),
        ("[0:0:0:0:0:0:0:1]:8000", Host::Address(ip("::1"))),
        ("[::ffff:127.0.0.1]:80", Host::Address(ip("127.0.0.1"))),
        ("[fe80::1%25eth0]:8000", Host::Address(ip("fe80::1"))),
        ("[fe80::1%eth0]", Host::Address(ip("fe80::1"))),
        // What only some programs take for an address is a name.
        ("127.1", Host::Name("127.1")),
        ("0x7f.0.0.1", Host::Name("0x7f.0.0.1")),
        ("2130706433", Host::Name("2130706433")),
        ("%6cocalhost", Host::Name("%6cocalhost")),
    ] {
        assert_eq!(Host::parse(text), Some(host), "{text}");
    }
    for text in [
        "",
        ":",
        ":80",
        ".",
        "..",
        "localhost..",
        ".localhost",
        "a..b",
        "::1",
        "fe80::1",
        "[::1",
        "::1]",
        "[::1]x",
        "[::1]:x",
        "[127.0.0.1]",
        "[v1.a]",
        "[]",
        "[::1%eth0]",
        "[fe80::1%]",
        "localhost:65536",
        "localhost:+80",
        "localhost:-1",
        "localhost:8000:1",
        "localhost:80a",
        "user@localhost",
        "localhost/",
        "local host",
        "bücher.example",
        "http://localhost",
    ] {
        assert_eq!(Host::parse(text), None, "{text}");
    }
    assert_eq!(Host::parse(&"a.".repeat(200)), None);
}

#[test]
fn n10_this_machine_is_known_without_being_told() {
    let own = AllowedHosts::new(Vec::new());
    let name = machine_names().swap_remove(0);
    for host in ["localhost", "LOCALHOST.:1", "app.localhost:8000", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000", &name]
    {
        assert!(answers_to(&own, host, &NOWHERE), "{host}");
    }
    for host in
        ["evil.example", "localhost.evil.example", "notlocalhost", "203.0.113.7", "[2001:db8::7]", "0.0.0.0", "127.1"]
    {
        assert!(!answers_to(&own, host, &NOWHERE), "{host}");
    }
    let addresses = if_addrs::get_if_addrs().unwrap();
    for interface in addresses {
        assert!(own.allows(Host::Address(interface.ip()), &NOWHERE), "{interface:?}");
    }
}

#[test]
fn n10_the_address_that_was_reached_or_is_listened_on_is_the_servers() {
    let own = AllowedHosts::new(Vec::new());
    let listening = [ip("0.0.0.0"), ip("203.0.113.8")];
    let reached = Reached { local: Some(ip("203.0.113.7")), listening: &listening, ..NOWHERE };
    for host in ["203.0.113.7:80", "203.0.113.8", "0.0.0.0:8000"] {
        assert!(answers_to(&own, host, &reached), "{host}");
    }
    assert!(!answers_to(&own, "203.0.113.9", &reached));
}

#[test]
fn n10_a_trusted_proxy_names_the_host_unless_the_operator_does() {
    let by_proxy = Reached { by_proxy: true, ..NOWHERE };
    assert!(answers_to(&AllowedHosts::new(Vec::new()), "coffer.example", &by_proxy));
    assert!(!answers_to(&named(&["box.example"]), "coffer.example", &by_proxy));
    assert!(answers_to(&named(&["box.example"]), "box.example", &by_proxy));
}

#[test]
fn n10_a_star_in_a_certificate_is_one_label() {
    let host = AllowedHost::OneBelow("box.example".to_owned());
    for (name, is_it) in
        [("a.box.example", true), ("A.Box.Example", true), ("a.b.box.example", false), ("box.example", false)]
    {
        assert_eq!(host.is(Host::Name(name)), is_it, "{name}");
    }
}

#[test]
fn n10_what_the_operator_names_is_all_but_for_this_machine_itself() {
    let hosts = named(&[
        "Coffer.Example.",
        "*.below.example",
        ".under.example",
        "203.0.113.7",
        "[2001:db8::7]",
        "bücher.example",
    ]);
    for host in [
        "coffer.example:8443",
        "a.below.example",
        "a.b.below.example",
        "a.under.example",
        "203.0.113.7:80",
        "[2001:db8:0::7]:80",
        "xn--bcher-kva.example",
        "localhost:8000",
        "127.0.0.1",
    ] {
        assert!(answers_to(&hosts, host, &NOWHERE), "{host}");
    }
    let name = machine_names().swap_remove(0);
    for host in
        ["below.example", "xbelow.example", "a.coffer.example", "coffer.example.evil.example", "203.0.113.8", &name]
    {
        assert!(!answers_to(&hosts, host, &NOWHERE), "{host}");
    }
    assert!(answers_to(&named(&["coffer.example", "*"]), "evil.example", &NOWHERE));
}

#[test]
fn a_host_to_allow_is_a_host_and_no_more() {
    for more in
        ["https://coffer.example", "coffer.example:8000", "coffer.example/", "[::1]:8000", "me@coffer.example", "//a"]
    {
        assert_eq!(more.parse::<AllowedHost>(), Err(AllowedHostError::More), "{more}");
    }
    for bad in ["", " ", ".", "*.", "a..b", "co ffer", "*coffer.example", "a.*.example", "[::g]", "127.0.0.256"] {
        assert!(bad.parse::<AllowedHost>().is_err(), "{bad}");
    }
    assert_eq!("[::ffff:192.0.2.1]".parse(), Ok(AllowedHost::Address(ip("192.0.2.1"))));
}
