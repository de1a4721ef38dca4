//! What is found in files that are named by mistake, and is no secret: keys and containers of other programs, tokens, documents. To take one for a secret would
//! often be to take what others know.

use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use super::{UTF_8_MARK, Why, der};

/// What a text begins with, and what it is then.
const TEXTS: &[(&str, &str)] = &[
    (
        "ssh-",
        "is an SSH key, and everybody may know it if it is a public one; a private one is written anew with: ssh-keygen -p -m PKCS8 -f COPY",
    ),
    (
        "ecdsa-sha2-",
        "is a public key of SSH, which everybody may know; write it anew with: ssh-keygen -e -m PKCS8 -f FILE",
    ),
    ("sk-ssh-", "is a public key of SSH, which everybody may know"),
    ("sk-ecdsa-", "is a public key of SSH, which everybody may know"),
    (
        "PuTTY-User-Key-File-",
        "is a key of PuTTY; PuTTYgen exports it for OpenSSH, and ssh-keygen -p -m PKCS8 -f COPY writes that anew",
    ),
    ("age1", "is a public key of age, which everybody may know"),
    ("AGE-SECRET-KEY-", "is a key of age, which signs no tokens"),
    ("untrusted comment:", "is a key or signature of minisign or signify, which signs no tokens"),
    ("#!/", "is a program, and no key"),
    ("Certificate:", der::CERTIFICATE),
    ("RSA Public-Key:", "is a public key written out for people; name the file that it was made from"),
    ("Public-Key:", "is a public key written out for people; name the file that it was made from"),
    ("Private-Key:", "is a private key written out for people; name the file that it was made from"),
];

/// What a file begins with whose bytes are no text.
const MAGICS: &[(&[u8], &str)] = &[
    (
        b"\xfe\xed\xfe\xed",
        "is a Java key store; write the key in it anew with: keytool -importkeystore -deststoretype PKCS12",
    ),
    (
        b"\xce\xce\xce\xce",
        "is a Java key store; write the key in it anew with: keytool -importkeystore -deststoretype PKCS12",
    ),
    (b"openssh-key-v1\0", "is a private key of OpenSSH without its first and last lines"),
    (b"SQLite format 3\0", "is a database, and no key"),
    (b"PK\x03\x04", "is an archive, and no key"),
    (b"\x1f\x8b\x08", "is compressed; unpack it first"),
    (b"\x7fELF", "is a program, and no key"),
    (b"%PDF-", "is a document, and no key"),
    (b"\x89PNG\r\n", "is a picture, and no key"),
    (b"\xff\xd8\xff", "is a picture, and no key"),
];

/// What a file is, if it is known to be no secret.
pub(super) fn recognize(bytes: &[u8]) -> Option<Why> {
    if let Some((_, why)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some((*why).into());
    }
    if is_pgp(bytes) {
        return Some("is a key ring of PGP, and no key that signs tokens; use RSA, P-256 or Ed25519".into());
    }
    if is_utf_16(bytes) {
        return Some("is text in UTF-16; save it as UTF-8 or ASCII".into());
    }
    let text = str::from_utf8(bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes)).ok()?.trim();
    if let Some((_, why)) = TEXTS.iter().find(|(start, _)| text.starts_with(start)) {
        return Some((*why).into());
    }
    if text.starts_with('<') && text.ends_with('>') {
        return Some("is a document, and no key".into());
    }
    if is_token(text) {
        return Some("is a token, and whoever was sent it knows it".into());
    }
    let is_der = |bytes: Vec<u8>| der::structure(&bytes).is_some_and(|structure| structure != der::Structure::Unknown);
    if decoded(text).into_iter().any(is_der) {
        return Some(
            "is a key or certificate in DER, encoded as text; put it between its -----BEGIN and -----END lines".into(),
        );
    }
    if decoded(text).iter().any(|bytes| is_key_text(bytes)) {
        return Some("is a key or certificate that was encoded once more; decode it first: base64 -d FILE".into());
    }
    None
}

/// Whether these are the text of a key in one of the usual forms. Whoever has a public one could sign if its text were a secret.
fn is_key_text(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let text = text.trim();
    let is_jwk = || {
        serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("kty").is_some() || value.get("keys").is_some())
    };
    text.contains("-----BEGIN ") || is_jwk() || TEXTS.iter().any(|(start, _)| text.starts_with(start))
}

/// The bytes that a text stands for, where it is base64 or hexadecimal, over one line or more.
fn decoded(text: &str) -> Vec<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text: String = text.split_ascii_whitespace().collect();
    let engines = [STANDARD, URL_SAFE].map(|alphabet| GeneralPurpose::new(&alphabet, config));
    let mut all: Vec<Vec<u8>> = engines.iter().filter_map(|engine| engine.decode(&text).ok()).collect();
    let digits: String = text.split(':').collect();
    if digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let pairs = (0..digits.len()).step_by(2);
        all.extend(pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect::<Option<Vec<u8>>>());
    }
    all
}

/// Whether a text is a JWS or JWE in the compact form (RFC 7515 §7.1), ours or anybody's.
fn is_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_encoded = |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    matches!(parts.len(), 3 | 5)
        && parts.iter().all(is_encoded)
        && decoded(parts[0])
            .iter()
            .any(|head| serde_json::from_slice::<Value>(head).is_ok_and(|head| head.get("alg").is_some()))
}

/// Whether these are the packets of a key (RFC 9580 §5.5.1, §10.1): one of a known version and algorithm, and then another packet or nothing.
fn is_pgp(bytes: &[u8]) -> bool {
    let Some((&first, rest)) = bytes.split_first() else { return false };
    let (tag, length, rest) = match (first & 0xc0, first & 3, rest) {
        (0x80, 0, [length, rest @ ..]) => (first >> 2 & 0xf, usize::from(*length), rest),
        (0x80, 1, [high, low, rest @ ..]) => (first >> 2 & 0xf, usize::from(*high) << 8 | usize::from(*low), rest),
        (0xc0, _, [length @ ..=191, rest @ ..]) => (first & 0x3f, usize::from(*length), rest),
        (0xc0, _, [high @ 192..=223, low, rest @ ..]) => {
            (first & 0x3f, ((usize::from(*high) - 192) << 8) + usize::from(*low) + 192, rest)
        }
        _ => return false,
    };
    let is_whole = rest.len() == length || rest.get(length).is_some_and(|next| next & 0x80 != 0);
    let is_known = matches!(rest, [4 | 6, _, _, _, _, 1..=3 | 16..=19 | 22 | 25..=28, ..]);
    matches!(tag, 5 | 6) && length > 6 && is_known && is_whole
}

/// Whether a text is written in two bytes for each letter, as some systems' shells write files.
fn is_utf_16(bytes: &[u8]) -> bool {
    let (low, rest) = match bytes {
        [0xff, 0xfe, rest @ ..] => (0, rest),
        [0xfe, 0xff, rest @ ..] => (1, rest),
        _ => return false,
    };
    let (units, last) = rest.as_chunks::<2>();
    last.len() <= 1 && !units.is_empty() && units.iter().all(|unit| unit[1 - low] == 0 && unit[low].is_ascii())
}
