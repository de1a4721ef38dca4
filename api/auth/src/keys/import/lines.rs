//! Lines in which something public has its name, its numbers or its address beside it: digests and pins, records of name servers, what programs print of
//! keys, addresses of keys that are elsewhere. A random secret has nothing beside it: it is one run of digits, several of one kind, or words.

/// Names of digests and of kinds of keys, in lower case, as they stand before the digits.
const ALGORITHMS: [&str; 43] = [
    "md5",
    "sha1",
    "sha-1",
    "sha224",
    "sha-224",
    "sha256",
    "sha-256",
    "sha384",
    "sha-384",
    "sha512",
    "sha-512",
    "sha512/256",
    "sha512-256",
    "sha2-256",
    "sha2-384",
    "sha2-512",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "ripemd160",
    "rmd160",
    "blake2b",
    "blake2b-256",
    "blake2s",
    "blake2s256",
    "blake2b512",
    "blake3",
    "ed25519",
    "ed25519-pub",
    "x25519",
    "curve25519",
    "ed448",
    "x448",
    "secp256k1",
    "secp256r1",
    "prime256v1",
    "p256",
    "bls12381",
    "keyid",
    "key_id",
    "fpr",
    "thumbprint",
    "x5t",
];
/// What an address begins with, in lower case, beside those of `scheme://`.
const ADDRESSES: [&str; 21] = [
    "urn:",
    "arn:",
    "did:",
    "magnet:",
    "ni:",
    "pkcs11:",
    "tpm2:",
    "projects/",
    "/subscriptions/",
    "mailto:",
    "data:",
    "cid:",
    "jwk:",
    "alias/",
    "spiffe:",
    "acct:",
    "otpauth:",
    "bitcoin:",
    "ethereum:",
    "lightning:",
    "nostr:",
];
/// What ends an address or a name of a key.
const ENDINGS: [&str; 8] = [".ed25519", ".curve25519", ".sha256", ".onion", ".i2p", ".eth", ".bazar", ".loki"];
/// What public keys begin with whose digits have a check of their own.
const BEGINNINGS: [&str; 7] = ["PUB_K1_", "PUB_R1_", "PUB_WA_", "EOS5", "EOS6", "EOS7", "EOS8"];
/// A run of so many digits is no word.
const RUN: usize = 20;

pub(super) const DIGEST: &str =
    "is a digest or a key with the name of its algorithm before it, which others may know; no secret";
pub(super) const ADDRESS: &str = "is an address or a name of something, and not what is there";
pub(super) const RECORD: &str = "has numbers or names beside a key or a digest, as records and lists of other programs have them; put a secret alone into the file";
pub(super) const SETTINGS: &str = "is settings with a name before each value; put the value alone into the file";

/// What a text is, where it is no secret; `text` without spaces around it.
pub(super) fn recognize(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if is_address(text, &lower) {
        return Some(ADDRESS);
    }
    if has_algorithm(text, &lower) {
        return Some(DIGEST);
    }
    if is_query(text) {
        return Some(SETTINGS);
    }
    (is_named(text) || is_record(text) || has_columns(text) || is_markup(text)).then_some(RECORD)
}

fn is_address(text: &str, lower: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.len() >= 2
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    };
    let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme));
    let is_one = !text.contains(char::is_whitespace);
    has_scheme
        || ADDRESSES.iter().any(|start| lower.starts_with(start))
        || is_one
            && (ENDINGS.iter().any(|end| lower.ends_with(end))
                || BEGINNINGS.iter().any(|start| text.starts_with(start)))
}

/// Whether the name of an algorithm stands before digits: `sha256/…`, `pin-sha256="…"`, `SHA2-256(file)= …`, `ed25519:…`.
fn has_algorithm(text: &str, lower: &str) -> bool {
    ALGORITHMS.iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let rest = &text[at + name.len()..];
            !before.is_some_and(|c| c.is_ascii_alphanumeric()) && has_digits_after(rest)
        })
    })
}

/// Whether a sign, or the name of a file in parentheses, stands between what was before and a run of digits.
fn has_digits_after(rest: &str) -> bool {
    let spaced = rest.trim_start();
    let rest = match spaced.strip_prefix('(').and_then(|inside| inside.split_once(')')) {
        Some((_, behind)) => behind,
        None => rest,
    };
    let is_sign = |c: char| "=:/-_(\"'.+*,;".contains(c) || c.is_whitespace();
    let run = rest.trim_start_matches(is_sign);
    if run.len() == rest.len() {
        return false;
    }
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_:".contains(byte);
    let run: Vec<u8> = run.bytes().take_while(is_digit).collect();
    run.len() >= RUN && is_mixed(&run)
}

/// Whether these are digits of some base and not letters of words: letters and digits, more than a word with a number.
fn is_mixed(run: &[u8]) -> bool {
    let (digits, letters) = (run.iter().filter(|b| b.is_ascii_digit()), run.iter().filter(|b| b.is_ascii_alphabetic()));
    digits.count() >= 2 && letters.count() >= 2
}

/// Whether it is a long run of hexadecimal or base64 digits.
fn is_run(word: &str) -> bool {
    let plain = word.trim_end_matches('=');
    let is_hex = plain.len() >= 32 && plain.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_base64 = plain.len() >= RUN
        && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/_-".contains(&byte))
        && [u8::is_ascii_digit, u8::is_ascii_uppercase, u8::is_ascii_lowercase]
            .iter()
            .all(|kind| plain.bytes().any(|b| kind(&b)));
    // Words with hyphens between them are none.
    let is_word =
        |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic()) || part.bytes().all(|b| b.is_ascii_digit());
    is_hex || is_base64 && !plain.split(['-', '_']).all(is_word)
}

/// Whether something else than digits stands beside a long run of them: `3 1 1 d2ab…`, `cache.example 1: …`. Lines of one text in hexadecimal or base64 are as
/// long as each other, and the last one is shorter.
fn is_record(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some((last, before)) = words.split_last() else { return false };
    let is_rest = |word: &str| {
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
        before.last().is_some_and(|line| word.len() <= line.len()) && word.bytes().all(is_digit)
    };
    words.len() > 1
        && words.iter().any(|word| is_run(word))
        && (!before.iter().all(|word| is_run(word)) || !is_run(last) && !is_rest(last))
}

/// Whether a name of a key or of its owner stands before it: `cache.example.org-1:…=`, `sum.example.org+033de0ae+…`.
fn is_named(text: &str) -> bool {
    let is_name = |name: &str| {
        name.len() >= 3
            && name.contains(['.', '-', '_'])
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte))
    };
    let is_key = |key: &str| matches!(key.len(), 43 | 44 | 64 | 86 | 88) && is_run(key);
    let by_hash = || {
        let (name, rest) = text.split_once('+')?;
        let (hash, key) = rest.split_once('+')?;
        Some(name.contains('.') && hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()) && key.len() >= 40)
    };
    text.split_once(':').is_some_and(|(name, key)| is_name(name) && is_key(key)) || by_hash().unwrap_or(false)
}

/// Whether it is `name=value&name=value`.
fn is_query(text: &str) -> bool {
    let is_pair = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            !name.is_empty()
                && !value.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
        })
    };
    text.split(['&', ';']).count() > 2 && !text.contains(char::is_whitespace) && text.split(['&', ';']).all(is_pair)
}

/// Whether these are fields with colons between them, some of them empty, as `gpg` lists keys and systems list users.
fn has_columns(text: &str) -> bool {
    let fields: Vec<&str> = text.split(':').collect();
    fields.len() >= 6 && fields.iter().filter(|field| field.is_empty()).count() >= 2 && text.contains(":::")
        || fields.len() >= 4 && text.contains(":x:")
}

/// Whether there are elements of XML or HTML in it.
fn is_markup(text: &str) -> bool {
    let ends = |rest: &str| {
        let name = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b':').count();
        name >= 3 && rest[name..].starts_with('>')
    };
    text.contains("<?xml") || text.match_indices("</").any(|(at, _)| ends(&text[at + 2..]))
}
