//! Hashes of what everyone tries first. They look random, and whoever tries the words tries their hashes.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// Words out of passwords and placeholders, and what else is hashed to try a program out.
const WORDS: [&str; 2] = [include_str!("../password_policy/common_words.txt"), include_str!("placeholder_words.txt")];
const TRIED: &[&str] = &[
    "",
    " ",
    "123",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "hello world",
    "hello, world",
    "Hello, World!",
    "Hello World",
    "password123",
    "password1",
    "secret123",
    "admin123",
    "qwerty123",
    "abc123",
    "changeme123",
    "my-secret",
    "my_secret",
    "mysecret",
    "my-secret-key",
    "secret-key",
    "secret_key",
    "your-secret-key",
    "your-256-bit-secret",
    "jwt-secret",
    "jwt_secret",
    "test123",
    "The quick brown fox jumps over the lazy dog",
];

/// Whether these are the SHA-2 of a word that everyone tries, as it is or with the newline of a command.
pub(super) fn is_hash(secret: &[u8]) -> bool {
    let digest: fn(&[u8]) -> Vec<u8> = match secret.len() {
        28 => |text| Sha224::digest(text).to_vec(),
        32 => |text| Sha256::digest(text).to_vec(),
        48 => |text| Sha384::digest(text).to_vec(),
        64 => |text| Sha512::digest(text).to_vec(),
        _ => return false,
    };
    let is_of = |text: &str| digest(text.as_bytes()) == secret || digest(format!("{text}\n").as_bytes()) == secret;
    let is_word = |word: &str| {
        let mut letters = word.chars();
        let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        is_of(word) || is_of(&capital)
    };
    WORDS.iter().flat_map(|words| words.lines()).any(is_word)
        || TRIED.iter().any(|text| is_of(text))
        || (0..100).any(|number: u8| is_of(&number.to_string()))
}
