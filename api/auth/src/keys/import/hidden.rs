//! Keys, certificates and the like inside of other things: with bytes before or behind them, cut off, quoted, with a name before them, or encoded as text. They
//! are found by what no random secret has in it: identifiers of algorithms and names of formats of five bytes and more.

use super::{
    alphabets::{self, digits, hex_quintet, nibble, quintet, sextet},
    bytes::{is_pgp, is_point, is_rsa_of_dns},
    cbor,
    der::oid,
};

/// How often something may be encoded once more.
const DEPTH: usize = 3;
/// Bytes in which a point is looked for: it takes some time to see whether it is one.
const LONGEST_WITH_POINT: usize = 4096;
/// A shorter run of letters and digits has no key in it.
const SHORTEST_RUN: usize = 24;

/// What was found, and whether it was as it is or encoded as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyForm {
    /// A structure of X.509, PKCS#1, PKCS#7, PKCS#8 or PKCS#12.
    Der { encoded: bool },
    /// Names of formats that are text, or of SSH's.
    Text { encoded: bool },
}

/// Looks for keys in `bytes` and in whatever they are a text of.
pub(super) fn find(bytes: &[u8]) -> Option<KeyForm> {
    find_at(bytes, 0)
}

fn find_at(bytes: &[u8], depth: usize) -> Option<KeyForm> {
    let encoded = depth > 0;
    if has_der(bytes) {
        return Some(KeyForm::Der { encoded });
    }
    let is_key = || is_point(bytes) || is_signify(bytes);
    let is_of_others = cbor::has_key(bytes) || alphabets::is_peer(bytes) || is_rsa_of_dns(bytes);
    if has_names(bytes) || has_point(bytes) || is_of_others || encoded && is_key() {
        return Some(KeyForm::Text { encoded });
    }
    if depth == DEPTH {
        return None;
    }
    let mut all = alphabets::unpacked(bytes);
    if !encoded || is_text(bytes) {
        all.append(&mut decodings(bytes));
    }
    all.iter().find_map(|decoded| find_at(decoded, depth + 1))
}

/// Whether a point on a curve is in it, as X.509 and others have one: a zero, or a length, before the byte that says that it is whole.
fn has_point(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(LONGEST_WITH_POINT)];
    let begins = |at: &usize| *at > 0 && bytes[*at] == 4 && matches!(bytes[at - 1], 0 | 0x41 | 0x61 | 0x85);
    (0..bytes.len())
        .filter(begins)
        .any(|at| [65, 97, 133].into_iter().any(|length| bytes.get(at..at + length).is_some_and(is_point)))
}

/// Whether these are the bytes of a key of signify or minisign: two letters, a number of eight bytes, and the key.
fn is_signify(bytes: &[u8]) -> bool {
    bytes.len() == 42 && bytes.starts_with(b"Ed")
}

/// Whether an identifier of an algorithm or of a member of a certificate is in it, or the exponent that RSA keys have.
fn has_der(bytes: &[u8]) -> bool {
    has_identifier(bytes) || has_identifier(&bytes.iter().rev().copied().collect::<Vec<_>>())
}

fn has_identifier(bytes: &[u8]) -> bool {
    /// Identifiers with their tag and length: RSA and its signatures; curves; X25519 to Ed448; P-256; other curves; DSA; PKCS#7 and PKCS#12;
    /// PGP's curves; the names in a certificate.
    const IDENTIFIERS: [&[u8]; 11] = [
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01",
        b"\x06\x07\x2a\x86\x48\xce\x3d",
        b"\x06\x08\x2a\x86\x48\xce\x3d",
        b"\x06\x05\x2b\x81\x04\x00",
        b"\x06\x07\x2a\x86\x48\xce\x38",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07",
        b"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c",
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05",
        b"\x09\x2b\x06\x01\x04\x01\xda\x47\x0f",
        b"\x0a\x2b\x06\x01\x04\x01\x97\x55\x01",
        b"\x06\x03\x55\x04",
    ];
    let is_edwards =
        |w: &[u8]| w[..4] == *b"\x30\x05\x06\x03" && w[4..6] == oid::ED25519[..2] && (0x6e..=0x71).contains(&w[6]);
    // PKCS#1 has no identifier: two numbers, the second of them 65537, or the first as long as the whole.
    let is_rsa = |w: &[u8]| w[0] == 0x30 && w[1] == 0x82 && w[4] == 2 && w[5] == 0x82 && w[8] == 0;
    // The rest of one that was cut off at its beginning.
    let is_cut = |w: &[u8]| {
        w[0] == 0x65 && (0x6e..=0x71).contains(&w[1]) && w[2] == 3 && matches!(w[3], 0x21 | 0x39 | 0x3a) && w[4] == 0
    };
    let is_rest = bytes.windows(5).any(is_cut) || bytes.len() == 35 && bytes.starts_with(b"\x03\x21\0");
    is_rest
        || IDENTIFIERS[..10].iter().any(|needle| contains(bytes, needle))
        || bytes.windows(6).any(|w| w[..4] == *IDENTIFIERS[10] && matches!(w[4], 3..=12) && w[5] == 0x0c)
        || bytes.windows(7).any(is_edwards)
        || bytes.windows(9).any(is_rsa)
        || contains(bytes, b"\x02\x03\x01\x00\x01")
}

/// Names that stand in keys, and in nothing random.
fn has_names(bytes: &[u8]) -> bool {
    const NAMES: [&[u8]; 27] = [
        b"-----begin ",
        b"---- begin ssh2 ",
        b"ssh-rsa",
        b"ssh-dss",
        b"ssh-ed25519",
        b"ssh-ed448",
        b"ecdsa-sha2-",
        b"@openssh.com",
        b"openssh-key-v1",
        b"putty-user-key-file",
        b"public-key",
        b"private-key",
        b"modulus=",
        b"fingerprint",
        b"sha256:",
        b"begin public key",
        b"salted__",
        b"ed25519v1-",
        b"age-encryption.org",
        b"google.crypto.tink",
        b"public key block",
        b"private key block",
        b"begin certificate",
        b"begin rsa p",
        b"begin ec p",
        b"begin openssh",
        b"begin encrypted",
    ];
    let lower = bytes.to_ascii_lowercase();
    NAMES.iter().any(|name| contains(&lower, name)) || has_jwk(&lower) || is_pgp(bytes)
}

/// Whether a member `kty` is in it with a kind of keys, however JSON, YAML or a program writes that.
fn has_jwk(lower: &[u8]) -> bool {
    lower.windows(3).enumerate().filter(|(_, three)| three == b"kty").any(|(at, _)| {
        let is_mark = |byte: &&u8| b"\\\"'`:=, >\t\r\n".contains(byte);
        let kind: Vec<u8> = lower[at + 3..].iter().skip_while(is_mark).take(3).copied().collect();
        lower.get(at + 3).is_some_and(|byte| is_mark(&byte))
            && [&b"rsa"[..], b"ec", b"okp", b"oct"].iter().any(|known| kind.starts_with(known))
    })
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Whether most of it could be typed.
fn is_text(bytes: &[u8]) -> bool {
    let typed = bytes.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
    typed * 10 >= bytes.len() * 9
}

/// What parts of a text, or all of it, stand for in base64, base32 or hexadecimal. Where something begins is not known: each beginning is tried.
fn decodings(text: &[u8]) -> Vec<Vec<u8>> {
    let joined = joined(text);
    let mut all = Vec::new();
    for text in [text, &joined] {
        let is_run = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
        for run in text.split(|byte| !is_run(byte)).filter(|run| run.len() >= SHORTEST_RUN) {
            all.extend((0..4).map(|skip| digits(&run[skip..], 6, sextet)));
            all.extend((0..8).map(|skip| digits(&run[skip..], 5, quintet)));
            all.extend((0..8).map(|skip| digits(&run[skip..], 5, hex_quintet)));
        }
    }
    for hex in [hexadecimal(text), dump(text)] {
        for run in hex.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= SHORTEST_RUN) {
            all.extend((0..2).map(|skip| digits(&run[skip..], 4, nibble)));
        }
    }
    all.extend(other_digits(text));
    all.extend(alphabets::decodings(text));
    // Words of two bytes, the lower first.
    let swapped = digits(&dump(text), 4, nibble).chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    all.push(swapped);
    all.retain(|bytes| bytes.len() >= SHORTEST_RUN / 2);
    all
}

/// The bytes in the rarer forms: numbers of three digits, escapes of programs and addresses, and 85 digits of several alphabets. The text may
/// be written backwards.
fn other_digits(text: &[u8]) -> Vec<Vec<u8>> {
    const RFC_1924: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    const ZEROMQ: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    let ascii: Vec<u8> = (b'!'..=b'u').collect();
    let mut all = vec![decimals(text)];
    all.extend(Some(unescaped(text)).filter(|bytes| bytes.len() < text.len()));
    let plain: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let inside = plain.strip_prefix(b"<~").unwrap_or(&plain);
    let inside = inside.strip_suffix(b"~>").unwrap_or(inside);
    all.extend([base85(&plain, RFC_1924), base85(&plain, ZEROMQ), base85(inside, &ascii)]);
    let backwards: Vec<u8> = plain.iter().rev().copied().collect();
    all.push(digits(&backwards, 6, sextet));
    all.push(digits(&backwards, 4, nibble));
    all.push(digits(&plain.iter().copied().map(turned).collect::<Vec<u8>>(), 6, sextet));
    let end = backwards.iter().take_while(|byte| **byte == b'=').count();
    all.push(digits(&backwards[end..], 6, sextet));
    all
}

/// Numbers to 255 with something between them.
fn decimals(text: &[u8]) -> Vec<u8> {
    let numbers = text.split(|byte| !byte.is_ascii_digit()).filter(|number| !number.is_empty());
    let byte = |number: &[u8]| str::from_utf8(number).ok()?.parse().ok();
    numbers.map_while(byte).collect()
}

/// A text whose escapes are the bytes that they stand for: `\x30`, `\060`, `\n`, `%30`.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.strip_prefix(b"b'").or_else(|| text.strip_prefix(b"b\"")).unwrap_or(text);
    let number = |digits: Option<&[u8]>, radix| u8::from_str_radix(str::from_utf8(digits?).ok()?, radix).ok();
    while let Some((&first, more)) = rest.split_first() {
        let (byte, length) = match (first, more.first()) {
            (b'\\', Some(b'x')) => (number(more.get(1..3), 16), 4),
            (b'\\', Some(b'0'..=b'3')) => (number(more.get(..3), 8), 4),
            (b'\\', Some(b'n')) => (Some(b'\n'), 2),
            (b'\\', Some(b'r')) => (Some(b'\r'), 2),
            (b'\\', Some(b't')) => (Some(b'\t'), 2),
            (b'\\', Some(other)) => (Some(*other), 2),
            (b'%', Some(_)) => (number(more.get(..2), 16), 3),
            _ => (None, 1),
        };
        bytes.push(byte.unwrap_or(first));
        rest = rest.get(if byte.is_some() { length } else { 1 }..).unwrap_or_default();
    }
    bytes
}

/// Groups of five digits for four bytes each; what is no digit ends them.
fn base85(text: &[u8], alphabet: &[u8]) -> Vec<u8> {
    let value = |byte: &u8| alphabet.iter().position(|digit| digit == byte).and_then(|at| u64::try_from(at).ok());
    let values: Vec<u64> = text.iter().map_while(value).collect();
    let mut bytes = Vec::with_capacity(values.len());
    for group in values.chunks(5) {
        let padded = group.iter().copied().chain(std::iter::repeat(84)).take(5);
        let number = padded.fold(0_u64, |number, digit| number * 85 + digit);
        let Ok(number) = u32::try_from(number) else { break };
        bytes.extend(number.to_be_bytes().into_iter().take(group.len() - 1));
    }
    bytes
}

/// A letter as ROT13 has it.
fn turned(byte: u8) -> u8 {
    match byte {
        b'a'..=b'm' | b'A'..=b'M' => byte + 13,
        b'n'..=b'z' | b'N'..=b'Z' => byte - 13,
        other => other,
    }
}

/// The text without what stands between the lines of one encoded thing: spaces, quotes, commas, and newlines that are written out.
fn joined(text: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            bytes.next_if(|next| b"nrt".contains(next));
        } else if !byte.is_ascii_whitespace() && !b"\"'`,#|;".contains(byte) {
            joined.push(*byte);
        }
    }
    joined
}

/// The text without what stands between the digits of hexadecimal numbers, and before them.
fn hexadecimal(text: &[u8]) -> Vec<u8> {
    let mut hex = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let prefix = text[at..].get(..2).is_some_and(|two| matches!(two, b"0x" | b"0X" | b"\\x"));
        if prefix {
            at += 2;
            continue;
        }
        if !text[at].is_ascii_whitespace() && !b":,-;\"'{}[]()".contains(&text[at]) {
            hex.push(text[at]);
        }
        at += 1;
    }
    hex
}

/// The digits of lines that begin with an offset and may end in what the bytes look like, as programs show files.
fn dump(text: &[u8]) -> Vec<u8> {
    let is_hex = |word: &&[u8]| matches!(word.len(), 2 | 4 | 8 | 16) && word.iter().all(u8::is_ascii_hexdigit);
    let line = |line: &[u8]| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.next();
        words.take_while(is_hex).flatten().copied().collect::<Vec<u8>>()
    };
    text.split(|byte| *byte == b'\n').flat_map(line).collect()
}
