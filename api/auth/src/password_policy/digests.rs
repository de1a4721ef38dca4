//! Digests and encodings of what everyone tries. They look random, and stand in every list that has been turned into them.

use aws_lc_rs::digest::{self, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use md5::{Digest as _, Md5};

/// Bytes of the shortest piece of a digest that is looked for: half of the shortest one that anybody prints.
const SHORTEST: usize = 7;
/// Characters beside a digest that make no password of it.
const LITTLE: usize = 8;
/// What people put behind a word before they take its digest.
const ENDINGS: [&str; 14] =
    ["", "1", "12", "123", "1234", "12345", "123456", "!", "01", "2023", "2024", "2025", "2026", "123!"];
/// Numbers and rows of keys of which digests are known by heart to lists.
const NUMBERS: &str = "0 1 12 123 1234 12345 123456 1234567 12345678 123456789 1234567890 12345678910 0123456789 00 000 0000 00000 000000 \
     00000000 11 111 1111 11111 111111 1111111 11111111 222222 555555 666666 777777 888888 999999 7777777 88888888 987654321 87654321 \
     7654321 654321 54321 4321 321 112233 121212 123123 123321 123123123 159753 147258369 741852963 101010 131313 696969 789456 789456123 \
     456789 1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 qwer1234 zaq12wsx asdf1234 a1b2c3 abc123 abcd1234 aa123456 a123456 a123456789 \
     123abc 123qwe qwe123 123456a 123456q p@ssword p@ssw0rd passw0rd pa$$word";

/// Whether a text is little more than the digest of a word, a number or a name that everyone tries, or of one of `own`; or whether it
/// encodes a text of which `is_known` is true.
pub(super) fn is_known(text: &str, own: &[&str], is_known: impl Fn(&str) -> bool) -> bool {
    let decoded = readings(text);
    let is_plain = |bytes: &Vec<u8>| {
        let text = str::from_utf8(bytes).ok().map(str::trim).filter(|text| !text.is_empty());
        text.is_some_and(|text| !text.chars().any(char::is_control) && is_known(text))
    };
    if decoded.iter().any(is_plain) {
        return true;
    }
    let wanted: Vec<&[u8]> = decoded.iter().map(Vec::as_slice).filter(|bytes| bytes.len() >= SHORTEST).collect();
    !wanted.is_empty() && has_digest(&wanted, own)
}

/// The bytes that a text may stand for, in hexadecimal with little around it, or in base64.
fn readings(text: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let runs = text.split(|c: char| !c.is_ascii_hexdigit());
    let run = runs.max_by_key(|run| run.len()).unwrap_or_default();
    if run.len() >= 2 * SHORTEST && text.chars().count() - run.len() < LITTLE {
        let whole = |length: &usize| run.len() > *length && run.len() - length < LITTLE;
        // Digits around a digest belong to it as it is read.
        for length in [32, 40, 56, 64, 96, 128].iter().filter(|length| whole(length)) {
            found.extend([&run[..*length], &run[run.len() - length..]].into_iter().filter_map(of_hex));
        }
        found.extend(of_hex(&run[..run.len() / 2 * 2]));
        found.extend(of_hex(&run[run.len() % 2..]));
    }
    let plain = text.trim().trim_end_matches('=').replace('-', "+").replace('_', "/");
    found.extend(STANDARD_NO_PAD.decode(plain));
    found
}

fn of_hex(digits: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(byte).collect()
}

/// Whether one of `wanted` is the beginning, the end or all of a digest.
fn has_digest(wanted: &[&[u8]], own: &[&str]) -> bool {
    let kinds = [&digest::SHA1_FOR_LEGACY_USE_ONLY, &digest::SHA224, &digest::SHA256, &digest::SHA384, &digest::SHA512];
    let is_it = |bytes: &[u8]| wanted.iter().any(|wanted| bytes.starts_with(wanted) || bytes.ends_with(wanted));
    // A whole one tells by its length which it is.
    let is_meant = |length: usize| {
        wanted.iter().any(|wanted| wanted.len() == length || ![16, 20, 28, 32, 48, 64].contains(&wanted.len()))
    };
    let is_digest_of = |text: &str| {
        is_meant(16) && is_it(&Md5::digest(text))
            || kinds.iter().any(|kind| is_meant(kind.output_len()) && is_it(digest(kind, text.as_bytes()).as_ref()))
    };
    // `echo` ends its line.
    let is_of = |text: &str| is_digest_of(text) || is_digest_of(&format!("{text}\n"));
    let is_of_word = |word: &str| {
        let capital: String = word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect();
        ENDINGS.iter().any(|ending| [word, &capital].iter().any(|word| is_of(&format!("{word}{ending}"))))
            || is_of(&word.to_uppercase())
    };
    is_of("")
        || NUMBERS.split(' ').any(is_of)
        || own.iter().any(|own| is_of(own) || is_of_word(&own.to_lowercase()))
        || super::pattern::common_words().any(is_of_word)
        || super::phrases::sentences().any(|phrase| is_of(phrase) || is_of(&phrase.replace(' ', "")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn md5_of(text: &str) -> String {
        Md5::digest(text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
    }
}
