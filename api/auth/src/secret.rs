//! Secrets in files that the operator brings, and which are too weak: short ones, patterns, values that everyone knows, and
//! placeholders that someone forgot to replace. The key ring's own file is asked the same. What a secret is for is `what`, as the
//! sentences name it.

mod known;
pub(crate) mod regular;
mod shape;

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use base::file::{self, FileError};
use thiserror::Error;
use zeroize::Zeroizing;

use super::password_policy;

/// A shorter secret is refused (RFC 7518 §3.2: as long as the hash).
pub const MIN_SECRET_BYTES: usize = 32;

/// Values out of tutorials, documentation and standards, one a line, in lower case.
const WELL_KNOWN: &str = include_str!("secret/well_known_secrets.txt");
/// The words that placeholders are made of, in lower case.
const PLACEHOLDER_WORDS: &str = include_str!("secret/placeholder_words.txt");
/// No secret's file is larger; a wrong path is not read to its end.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Why a secret is not taken. One sentence each, for the person who starts the server.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum SecretError {
    #[error("cannot read the {what}: {source}")]
    File { what: &'static str, source: FileError },
    #[error("{} can be changed by other users of this machine; run: chmod 600 {}", path.display(), path.display())]
    Exposed { path: PathBuf },
    #[error("the {what} in {} has {bytes} bytes, and at least {MIN_SECRET_BYTES} random ones are needed; make one with: openssl rand -out {} 64", path.display(), path.display())]
    Short { what: &'static str, path: PathBuf, bytes: usize },
    #[error("the {what} in {} {why}, so anyone can guess it; make a random one with: openssl rand -out {} 64", path.display(), path.display())]
    Weak { what: &'static str, path: PathBuf, why: &'static str },
    #[error("the {what} in {} is {bytes} bytes written as {form}, and at least {MIN_SECRET_BYTES} random ones are needed; make one with: openssl rand -out {} 64", path.display(), path.display())]
    ShortText { what: &'static str, path: PathBuf, bytes: usize, form: &'static str },
    #[error("{} and {} hold one and the same {what}; name it once", .first.display(), .second.display())]
    Twice { what: &'static str, first: PathBuf, second: PathBuf },
}

/// The secrets in an operator's files, one each: the bytes of the file less one newline at its end.
pub(super) fn read_files(what: &'static str, files: &[PathBuf]) -> Result<Vec<Zeroizing<Vec<u8>>>, SecretError> {
    let mut secrets: Vec<Zeroizing<Vec<u8>>> = Vec::with_capacity(files.len());
    for path in files {
        let secret = read_file(what, path)?;
        if let Some(earlier) = secrets.iter().position(|other| *other == secret) {
            return Err(SecretError::Twice { what, first: files[earlier].clone(), second: path.clone() });
        }
        secrets.push(secret);
    }
    Ok(secrets)
}

fn read_file(what: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let mut secret = read_bytes(what, path)?;
    if secret.last() == Some(&b'\n') {
        secret.pop();
    }
    check(what, &secret, path)?;
    Ok(secret)
}

/// Refuses a weak secret that can be made anew at any time. A text of hexadecimal or base64 digits counts by the bytes that they stand for.
pub(super) fn check_new(what: &'static str, secret: &[u8], path: &Path) -> Result<(), SecretError> {
    check(what, secret, path)?;
    match regular::encoded_length(secret) {
        Some((form, bytes)) if bytes < MIN_SECRET_BYTES => {
            Err(SecretError::ShortText { what, path: path.to_owned(), bytes, form })
        }
        _ => Ok(()),
    }
}

/// All bytes of an operator's file.
pub(super) fn read_bytes(what: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let read = file::read(path, MAX_FILE_BYTES).map_err(|source| SecretError::File { what, source })?;
    let (metadata, bytes) = (read.metadata, Zeroizing::new(read.bytes));
    if metadata.is_file() && metadata.mode() & 0o002 != 0 {
        return Err(SecretError::Exposed { path: path.to_owned() });
    }
    // Containers mount secrets readable for all, so this cannot be refused as it is for the ring that we make ourselves.
    if metadata.is_file() && metadata.mode() & 0o004 != 0 {
        tracing::warn!(path = %path.display(), "every user of this machine can read the {what}; chmod 600 closes it");
    }
    Ok(bytes)
}

/// Refuses a weak secret; `path` is where it came from.
pub(super) fn check(what: &'static str, secret: &[u8], path: &Path) -> Result<(), SecretError> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(SecretError::Short { what, path: path.to_owned(), bytes: secret.len() });
    }
    match weakness(secret) {
        Some(why) => Err(SecretError::Weak { what, path: path.to_owned(), why }),
        None => Ok(()),
    }
}

const WELL_KNOWN_EXAMPLE: &str = "is a well-known example";
/// Nobody knows a longer text by heart that `regular` does not know.
const MAX_PHRASE: usize = 256;

/// Why anyone can guess a secret, as a sentence about it goes on.
pub(crate) fn weakness(secret: &[u8]) -> Option<&'static str> {
    weakness_of_bytes(secret)
        .or_else(|| weakness_of_bytes(&regular::decoded(secret).filter(|bytes| bytes.len() >= 16)?))
}

fn weakness_of_bytes(secret: &[u8]) -> Option<&'static str> {
    if secret.iter().all(|byte| *byte == secret[0]) {
        return Some("is one byte over and over");
    }
    if (2..MIN_SECRET_BYTES.min(secret.len() / 2 + 1))
        .any(|period| secret.iter().skip(period).zip(secret).all(|(later, earlier)| later == earlier))
    {
        return Some("is a short pattern over and over");
    }
    if secret.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)) {
        return Some("counts upwards");
    }
    if let Some(rule) = regular::rule(secret) {
        return Some(rule);
    }
    let hex = regular::hex(secret);
    if WELL_KNOWN.lines().any(|known| known == *hex) || known::is_hash(secret) {
        return Some(WELL_KNOWN_EXAMPLE);
    }
    let text = Zeroizing::new(str::from_utf8(secret).ok()?.trim().to_owned());
    if let Some(fault) = shape::fault(&text) {
        return Some(fault);
    }
    let text = Zeroizing::new(text.to_lowercase());
    if WELL_KNOWN.lines().any(|known| known == *text) {
        return Some(WELL_KNOWN_EXAMPLE);
    }
    if text.starts_with("django-insecure-") {
        return Some("says of itself that it is insecure");
    }
    if is_placeholder(&text) {
        return Some("is a placeholder that was never replaced");
    }
    // What is refused as a password is no better as a key.
    let is_known = text.chars().count() <= MAX_PHRASE && password_policy::is_known(&text);
    is_known.then_some("is made of words that everyone knows")
}

/// Whether the text is nothing but placeholder words, digits and punctuation: `change-me-please-this-is-not-a-secret-123`.
fn is_placeholder(text: &str) -> bool {
    let letters = Zeroizing::new(text.bytes().filter(u8::is_ascii_lowercase).collect::<Vec<_>>());
    let rest_is_ascii = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let many_digits = text.bytes().filter(u8::is_ascii_digit).count() * 2 > text.len();
    if letters.is_empty() || !rest_is_ascii || many_digits {
        return false;
    }
    // Which prefixes of the letters are words put together.
    let mut whole = vec![false; letters.len() + 1];
    whole[0] = true;
    for end in 1..=letters.len() {
        whole[end] = PLACEHOLDER_WORDS
            .lines()
            .any(|word| end >= word.len() && whole[end - word.len()] && letters[..end].ends_with(word.as_bytes()));
    }
    whole[letters.len()]
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    use sha2::{Digest as _, Sha256, Sha512};

    use super::{regular::hex, *};

    const RFC_7515: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    #[test]
    fn t9_weak_secrets_are_refused_with_the_reason() {
        let counting: Vec<u8> = (0..64).collect();
        for (secret, reason) in [
            (&[0_u8; 64][..], "one byte"),
            (b"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "one byte"),
            (b"changemechangemechangemechangemechangeme", "pattern"),
            (b"1234567812345678123456781234567812345678", "pattern"),
            (&counting, "counts"),
            (b"abcdefghijklmnopqrstuvwxyz{|}~\x7f\x80\x81\x82", "counts"),
            (b"a-string-secret-at-least-256-bits-long", "well-known"),
            (b"404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970", "well-known"),
            (b"django-insecure-#k3v9x8!q_2mz@71w0&p5u^r6t4e", "insecure"),
            (b"change-me-please-this-is-not-a-secret-123", "placeholder"),
            (b"MySuperSecretJwtSigningKeyForProduction!!", "placeholder"),
            (b"super-secret-jwt-token-with-at-least-32-characters-long", "placeholder"),
            (
                b"DO NOT USE THIS VALUE. INSTEAD, CREATE A COMPLEX SECRET AND KEEP IT SAFE OUTSIDE OF THE SOURCE CODE.",
                "placeholder",
            ),
            (b"ThisIsASecretKeyForJwtTokenGeneration123456", "placeholder"),
            (b"enter-your-own-random-value-here-before-you-deploy", "placeholder"),
            (b"correct horse battery staple correct horse", "everyone knows"),
            (b"it was the best of times it was the worst of times", "by heart"),
            (b"${SIGNING_KEY_FROM_THE_VAULT_GOES_HERE}", "template"),
            // Of RFC 7515, appendix A.1, as the bytes that its text stands for.
            (&URL_SAFE_NO_PAD.decode(RFC_7515).unwrap(), "well-known"),
            (&Sha256::digest(b""), "well-known"),
            (&Sha256::digest(b"password\n"), "well-known"),
            (&Sha512::digest(b"secret"), "well-known"),
            (hex(&Sha512::digest(b"secret")).as_bytes(), "well-known"),
            (hex(&Sha256::digest(b"changeme")).to_uppercase().as_bytes(), "well-known"),
            (STANDARD.encode(Sha256::digest(b"test")).as_bytes(), "well-known"),
            // A wallet that comes with a tool, the order of a curve, the words of a test, tables of AES and MD5.
            (b"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "by heart"),
            (b"0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80", "by heart"),
            (b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "by heart"),
            (b"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", "by heart"),
            (b"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "by heart"),
            (b"637c777bf26b6fc53001672bfed7ab76ca82c97dfa5947f0add4a2af9ca472c0", "by heart"),
            (b"d76aa478e8c7b756242070dbc1bdceeef57c0faf4787c62aa8304613fd469501", "by heart"),
            (b"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg", "by heart"),
            (b"a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a", "by heart"),
            (b"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about", ""),
            (b"legal winner thank year wave sausage worth useful legal winner thank yellow", "by heart"),
            (b"this is my custom Secret key for authentication", ""),
            (b"toBeModified1,toBeModified2,toBeModified3", ""),
            (b"Unable to locate credentials. You can configure credentials.", ""),
            // What SHA-256 begins with, and the digits of pi.
            (b"6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19", "by heart"),
            (b"243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89", "by heart"),
        ] {
            let why = weakness(secret).unwrap_or_else(|| panic!("let in: {reason}"));
            assert!(why.contains(reason), "{why} is not about {reason}");
        }
    }

    #[test]
    fn t9_random_secrets_in_every_usual_form_are_let_in() {
        for secret in [
            &[
                0x9f_u8, 0x01, 0x7b, 0xe2, 0x55, 0xc8, 0x13, 0xaa, 0x90, 0x4d, 0x62, 0xf7, 0x38, 0x0c, 0xdb, 0x21,
                0x76, 0xb4, 0x5e, 0x89, 0x1f, 0xe0, 0x33, 0xca, 0x47, 0x95, 0x6a, 0xd8, 0x02, 0xbd, 0x71, 0x2e,
            ][..],
            b"5f8e0c9a7d3b41268e90f1c2d3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6",
            b"Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pA+eU/iO==",
            b"marble-74-otter-2026-lantern-velvet-11",
        ] {
            assert_eq!(weakness(secret), None, "{}", String::from_utf8_lossy(secret));
        }
    }

    #[test]
    fn t9_a_text_counts_by_the_bytes_that_it_stands_for() {
        for (text, short) in [
            ("5f8e0c9a7d3b41268e90f1c2d3a4b5c6", Some(16)),
            ("5F8E0C9A-7D3B-4126-8E90-F1C2D3A4B5C6", Some(16)),
            ("0x5f8e0c9a7d3b41268e90f1c2d3a4b5c6", Some(16)),
            ("5f:8e:0c:9a:7d:3b:41:26:8e:90:f1:c2:d3:a4:b5:c6", Some(16)),
            ("Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pA", Some(24)),
            ("Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pA+eU/iO==", Some(28)),
            ("5f8e0c9a7d3b41268e90f1c2d3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6", None),
            ("Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAeU7iOaB3xQ9=", None),
            ("Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAeU-iO_B3xQ9", None),
            ("four owls hoot at 20 past 7", None),
        ] {
            let told = check_new("key", format!("{text: <32}").as_bytes(), Path::new("key"));
            match (told, short) {
                (Err(SecretError::ShortText { bytes, .. }), Some(short)) => assert_eq!(bytes, short, "{text}"),
                (Ok(()), None) => {}
                (told, _) => panic!("{text}: {told:?}"),
            }
        }
    }

    #[test]
    fn every_listed_value_would_be_recognised() {
        for line in WELL_KNOWN.lines().chain(PLACEHOLDER_WORDS.lines()) {
            assert_eq!(line, line.trim().to_lowercase());
            assert!(!line.is_empty());
        }
        assert!(WELL_KNOWN.lines().all(|line| line.len() >= MIN_SECRET_BYTES), "shorter ones are refused anyway");
    }
}
