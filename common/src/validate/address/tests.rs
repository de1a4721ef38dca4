//! The addresses that Django's tests know (`tests/validators/` of Django 5.2: the lists of URLs, and those of e-mail addresses), in
//! groups of our own, and beside them what its rules let pass.

use super::*;

#[track_caller]
fn urls(expected: bool, urls: impl IntoIterator<Item = impl AsRef<str>>) {
    for url in urls {
        assert_eq!(is_url(url.as_ref()), expected, "{}", url.as_ref());
    }
}

#[track_caller]
fn emails(expected: bool, emails: impl IntoIterator<Item = impl AsRef<str>>) {
    for email in emails {
        assert_eq!(is_email(email.as_ref()), expected, "{}", email.as_ref());
    }
}

/// Each of these as the host of a URL.
fn hosts(hosts: &'static str) -> impl Iterator<Item = String> {
    hosts.split_whitespace().map(|host| format!("http://{host}"))
}

#[test]
fn urls_with_a_host_are_taken() {
    urls(
        true,
        hosts(
            "www.djangoproject.com/ localhost/ example.com/ example.com. example.com./ www.example.com:8000/test
            valid-with-hyphens.com/ subdomain.example.com/ a.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            su--b.valid-----hyphens.com/ j.mp 1337.net a.b-c.de 127.0.01.09.home.lan dashintld.c-m multipledashintld.a-b-c
            evenmoredashintld.a---c dashinpunytld.xn---c xn--7sbb4ac0ad0be6cf.xn--p1ai
            ✪df.ws/123 ➡.ws/䨹 ⌘.ws ⌘.ws/ ☺.damowmow.com/ مثال.إختبار 例子.测试 उदाहरण.परीक्षा",
        ),
    );
    urls(
        true,
        hosts(
            "200.8.9.10/ 200.8.9.10:8000/test 142.42.1.1/ 142.42.1.1:8080/ 223.255.255.254 10.1.1.254 0.0.0.0/ 255.255.255.255
            224.0.0.0 224.1.1.1 111.112.113.114/ 88.88.88.88/ 11.12.13.14/ 10.20.30.40/ 1.2.3.4/
            [FEDC:BA98:7654:3210:FEDC:BA98:7654:3210]:80/index.html [::192.9.5.5]/ipng [::ffff:192.9.5.5]/ipng [::1]:8080/",
        ),
    );
    let label = "a".repeat(63);
    urls(
        true,
        [
            format!("http://{label}.example.com"),
            format!("http://example.{label}.com"),
            format!("http://example.{label}"),
        ],
    );
    let (a27, a31, a33) = ("a".repeat(27), "a".repeat(31), "a".repeat(33));
    urls(true, [format!("http://{a33}.{a27}.{a31}.{a33}.{a31}.{a31}.{a27}.{a27}")]);
}

#[test]
fn urls_may_have_all_that_belongs_to_one() {
    urls(
        true,
        [
            "HTTP://WWW.DJANGOPROJECT.COM/",
            "https://example.com/",
            "ftp://example.com/",
            "ftps://example.com/",
            "ftps://foo.bar/",
            "ftp://foo.bar/baz",
        ],
    );
    urls(
        true,
        hosts(
            "example.com?something=value example.com/index.php?something=value&another=value2 foo.com/blah_blah foo.com/blah_blah/
            foo.com/blah_blah_(wikipedia) foo.com/blah_blah_(wikipedia)_(again) www.example.com/wpstyle/?p=364
            www.example.com/foo/?bar=baz&inga=42&quux foo.com/blah_(wikipedia)#cite-1 foo.com/blah_(wikipedia)_blah#cite-1
            foo.com/unicode_(✪)_in_parens foo.com/(something)?after=parens djangoproject.com/events/#&product=browser
            foo.bar/?q=Test%20URL-encoded%20stuff example.com/a|b{c}<d>\"e\"`f^g",
        ),
    );
    for user in ["userid", "userid:password", "userid:", "-.~_!$&'()*+,;=%40:80%2f"] {
        urls(true, ["", "/", ":8080", ":8080/"].map(|end| format!("http://{user}@example.com{end}")));
    }
    urls(
        true,
        [
            format!("https://userid{}:password@example.com:8080", "d".repeat(200)),
            format!("http://userid:password{}@example.aaaaaaaaaaaaa.com", "d".repeat(2000)),
        ],
    );
}

#[test]
fn urls_without_a_host_or_with_a_wrong_one_are_refused() {
    urls(
        false,
        hosts(
            "example example. .com invalid-.com -invalid.com invalid.com- invalid.-com inv-.alid-.com inv-.-alid.com . .. ../ ? ?? ??/ # ## ##/
            /a -error-.invalid/ dashinpunytld.trailingdot.xn--. dashinpunytld.xn--- -a.b.co a.b-.co a.-b.co a.b-.c.co
            1.1.1.1.1 123.123.123 3628126748 123 0.0.0 256.1.1.1 1.1.1.256 01.1.1.1 .www.foo.bar/ .www.foo.bar./
            example..com/ example.com.. example.c example.c1 example.1c0m",
        ),
    );
    urls(
        false,
        hosts(
            "[::1:2::3]:8080/ [] []:8080 [zzz] [::1 ::1 [::1]a [::1]:x a[::1] test.[com [1.2.3.4] [fe80::1%25eth0] [::ffff:1.2.3.256] [::1]]",
        ),
    );
    let label = "a".repeat(64);
    urls(
        false,
        [
            format!("http://{label}.example.com"),
            format!("http://example.{label}.com"),
            format!("http://example.{label}"),
        ],
    );
    urls(false, [format!("http://{}aa", "a.".repeat(126))]);
    urls(false, [format!("http://example.com/{}", "a".repeat(2048))]);
}

#[test]
fn what_is_no_url_is_refused() {
    urls(
        false,
        [
            "foo",
            "http:",
            "http:/",
            "http://",
            "//",
            "//a",
            "///a",
            "///",
            "http:///a",
            "foo.com",
            "rdar://1234",
            "h://test",
            "",
            "://a.co",
            "file://localhost/path",
            "git://example.com/",
            "javascript://example.com",
            "data:text/html,a",
            " http://a.co",
            "http://a.co ",
            "http://foo.bar?q=Spaces should be encoded",
            "http:// shouldfail.com",
            ":// should fail",
            "http://foo.bar/foo(bar)baz quux",
            "http://www.djangoproject.com/\n",
            "http://[::ffff:192.9.5.5]\n",
            "http://www.asdasdasdasdsadfm.com.br ",
            "http://a.co\tb",
            "http\n://a.co",
            "http://@example.com",
            "http://:@example.com",
            "http://:bar@example.com",
            "http://foo@bar@example.com",
            "http://foo/bar@example.com",
            "http://foo:bar:baz@example.com",
            "http://foo:bar@baz@example.com",
            "http://foo:bar/baz@example.com",
            "http://invalid-.com/?m=foo@example.com",
        ],
    );
}

#[test]
fn ports_and_characters_that_django_lets_pass_are_refused() {
    urls(true, hosts("a.co:0 a.co:1 a.co:65535 a.co:08080 [::1]:65535"));
    urls(false, hosts("a.co:65536 a.co:99999 a.co:100000 a.co: a.co:+80 a.co:-1 a.co:8a a.co:８０ [::1]:65536 [::1]:"));
    for c in [
        '\u{202e}', '\u{2066}', '\u{200b}', '\u{200f}', '\u{ad}', '\u{feff}', '\u{2028}', '\u{a0}', '\u{3000}',
        '\u{3002}', '\u{2044}', '\u{ff0e}', '\u{e000}', '\u{85}', '\u{7f}', '\0', '%', '_', '\\',
    ] {
        urls(false, [format!("http://a{c}b.co"), format!("http://a.b{c}co")]);
    }
    urls(false, ["http://a.co/\u{202e}b", "http://a.co/\u{7}"]);
    // Joiners stand between letters of some scripts.
    urls(true, ["http://نامه\u{200c}ای.com", "http://💩.la", "http://cafe\u{301}.fr"]);
}

#[test]
fn email_addresses_as_django_takes_them() {
    let label = "a".repeat(63);
    emails(
        true,
        [
            "email@here.com",
            "weirder-email@here.and.there.com",
            "email@[127.0.0.1]",
            "email@[2001:dB8::1]",
            "email@[2001:dB8:0:0:0:0:0:1]",
            "email@[::fffF:127.0.0.1]",
            "example@valid-----hyphens.com",
            "example@valid-with-hyphens.com",
            "test@domain.with.idn.tld.उदाहरण.परीक्षा",
            "email@localhost",
            "\"test@test\"@example.com",
            "\"\\\u{9}\"@here.com",
            "\"\"@here.com",
        ],
    );
    emails(
        true,
        [
            format!("example@atm.{label}"),
            format!("example@{label}.atm"),
            format!("example@{label}.{}.atm", "b".repeat(10)),
            format!("a@{label}.us"),
            format!("{}@a.co", "a".repeat(315)),
        ],
    );
    emails(
        false,
        [
            "",
            "abc",
            "abc@",
            "abc@bar",
            "a @x.cz",
            "abc@.com",
            "something@@somewhere.com",
            "email@127.0.0.1",
            "email@[127.0.0.256]",
            "email@[2001:db8::12345]",
            "email@[2001:db8:0:0:0:0:1]",
            "email@[::ffff:127.0.0.256]",
            "example@invalid-.com",
            "example@-invalid.com",
            "example@invalid.com-",
            "example@inv-.alid-.com",
            "example@inv-.-alid.com",
            "test@example.com\n\n<script src=\"x.js\">",
            "\"\\\u{a}\"@here.com",
            "trailingdot@shouldfail.com.",
            "a@b.com\n",
            "a\n@b.com",
            "\"test@test\"\n@example.com",
            "a@[127.0.0.1]\n",
        ],
    );
    emails(
        false,
        [
            format!("example@atm.{label}a"),
            format!("example@b{label}.atm.{label}"),
            format!("a@{label}a.us"),
            format!("{}@a.co", "a".repeat(316)),
        ],
    );
}

#[test]
fn email_addresses_of_any_script_are_taken_and_numbers_are_no_domain() {
    emails(
        true,
        [
            "zoë@exämple.org",
            "zoe\u{308}@exa\u{308}mple.org",
            "अजय@उदाहरण.परीक्षा",
            "用户@例子.广告",
            "o'brien+tag@a-b.co",
            "a@xn--e1afmkfd.xn--p1ai",
        ],
    );
    emails(
        false,
        [
            "a@1",
            "a@12.34",
            "a@1.2.3.4",
            "a@a.1",
            "a@a.b",
            "a..b@c.de",
            ".a@c.de",
            "a.@c.de",
            "@b.co",
            "a@b..co",
            "a@b.c\u{202e}o",
            "a\u{200b}b@c.de",
            "a,b@c.de",
            "<a@b.co>",
            "a@b.co, c@d.co",
            "\"a\"b\"@c.de",
            "\"a@c.de",
            "a b@c.de",
            "a@[::1",
            "a@[IPv6:::1]",
            "a@[zzz]",
        ],
    );
}
