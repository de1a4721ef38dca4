//! Texts that are no secret by their shape: several lines, templates that were never filled in, addresses, and what programs say when something went wrong.

/// What programs say, in lower case.
const COMPLAINTS: &[&str] = &[
    "not found",
    "no such ",
    "could not ",
    "permission denied",
    "access denied",
    "not authorized",
    "timed out",
    "connection refused",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "unable to ",
    "failed to ",
    "cannot ",
    "not configured",
    "must be ",
    "has expired",
    "is required",
    "usage: ",
];
/// A shorter line is no part of something long that was written over several lines.
const SHORTEST_LINE: usize = 16;

/// Why a text is no secret; `text` without spaces around it.
pub(super) fn fault(text: &str) -> Option<&'static str> {
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    if is_of_several_lines(text) {
        return Some("is text of several lines, and no random secret");
    }
    if is_template(text) {
        return Some("is a template that was never filled in");
    }
    if is_address(text) {
        return Some("is an address, and not what is there");
    }
    is_complaint(text).then_some("is what a program says when something went wrong")
}

/// Whether there are several lines, and they are neither one long text of as many characters each nor numbers in hexadecimal.
fn is_of_several_lines(text: &str) -> bool {
    let lines: Vec<&str> = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).collect();
    let Some((last, lines)) = lines.split_last().filter(|(_, lines)| !lines.is_empty()) else { return false };
    let width = lines[0].len();
    let is_wrapped = width >= SHORTEST_LINE
        && last.len() <= width
        && lines.iter().chain([last]).all(|line| !line.contains(char::is_whitespace))
        && lines.iter().all(|line| line.len() == width);
    let is_hex = text.chars().all(|c| c.is_ascii_hexdigit() || c.is_whitespace() || c == ':');
    !is_wrapped && !is_hex
}

/// Whether something was to stand in its place: `${NAME}`, `{{ name | filter }}`, `<name>`, `%NAME%`, `$NAME`.
fn is_template(text: &str) -> bool {
    const BRACKETS: [(&str, &str); 9] = [
        ("${{", "}}"),
        ("${", "}"),
        ("{{", "}}"),
        ("<%", "%>"),
        ("$(", ")"),
        ("<", ">"),
        ("%", "%"),
        ("#{", "}"),
        ("[", "]"),
    ];
    let is_word = |c: char| c.is_ascii_alphabetic() || " _.-|:=/'\"".contains(c);
    let is_inside = |inside: &str| {
        let letters = inside.chars().filter(char::is_ascii_alphabetic).count();
        let words = inside.chars().filter(|c| is_word(*c)).count();
        letters * 2 > inside.len() && words * 10 >= inside.len() * 9
    };
    let is_bracketed = |(open, close): &(&str, &str)| {
        text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(is_inside)
    };
    let is_variable = |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    BRACKETS.iter().any(is_bracketed) || text.strip_prefix('$').is_some_and(is_variable)
}

/// Whether it begins with a scheme, or is a path or a name in a cloud.
fn is_address(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || b"+-".contains(&byte))
    };
    let is_path = || {
        let mut parts = text.strip_prefix('/').unwrap_or_default().split('/');
        parts.clone().count() > 1
            && parts.all(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.-".contains(&byte))
            })
    };
    text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme)) || text.starts_with("arn:aws") || is_path()
}

/// Whether it says who says it, or one of the usual things.
fn is_complaint(text: &str) -> bool {
    if !text.contains(' ') {
        return false;
    }
    let lower = text.to_lowercase();
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./-[]".contains(&byte))
    };
    let is_said = lower.split_once(": ").is_some_and(|(name, said)| is_name(name) && said.contains(' '));
    is_said || COMPLAINTS.iter().any(|complaint| lower.contains(complaint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t9_texts_of_several_lines_templates_addresses_and_complaints_are_no_secrets() {
        for text in [
            "version https://git-lfs.github.com/spec/v1\noid sha256:511e34e38b397c896667a70f642fb36849ae1839\nsize 64",
            "root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin",
            "NAME=\"Some Linux\"\nVERSION_ID=\"12\"\nID=some",
            "127.0.0.1 localhost\n::1 localhost",
            "Mercury\nVenus\nEarth\nMars\nJupiter\nSaturn",
            "key: value\r\nother: value\r\n",
            "one\rtwo\rthree words in a line",
            "${SIGNING_KEY_FROM_THE_VAULT_GOES_HERE}",
            "{{ vault.signing_key | b64decode | trim }}",
            "${{ secrets.COFFER_SIGNING_KEY }}",
            "<put the signing key of production here>",
            "$COFFER_SIGNING_KEY_OF_PRODUCTION",
            "$(cat /run/secrets/coffer_signing_key)",
            "vault://secret/data/coffer/production#signing",
            "op://production/coffer/signing-key/password",
            "/run/secrets/coffer/signing/key/production",
            "curl: (6) Could not resolve host: vault.example.org",
            "bash: line 1: vault: command not found",
            "cat: /run/secrets/key: No such file or directory",
            "404 page not found: the secret you asked for",
            "Error: permission to read the secret is needed",
        ] {
            assert!(fault(text.trim()).is_some(), "{text}");
        }
        for text in [
            "5f8e0c9a7d3b41268e90f1c2d3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6",
            "Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAZk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pX\n7wR5yH2nC8dF4gJ6sL0pAeU==",
            "5f 8e 0c 9a 7d 3b 41 26 8e 90 f1 c2 d3 a4 b5 c6\n d7 e8 f9 0a 1b 2c 3d 4e 5f 60 71 82 93 a4 b5 c6",
            "four owls hoot at 20 past 7 under the old oak",
            "correct horse battery staple under the old oak",
            "{not-json-at-all-8e90f1c2d3a4b5c6d7e8f90a}",
            "k3!x9/v8#q2%m:z@71w0&p5u^r6t4e<j>",
            "$3a9f0b27c4d815e66f7e0c9a7d3b41268e90",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }
}
