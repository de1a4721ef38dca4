//! What texts stand for in base64, base32, base58 and hexadecimal, and in the forms that say themselves in which base they are (multibase); and what was compressed.

use std::io::Read as _;

/// The digits of base58, as wallets have it.
const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/// The work grows with the square of the length.
const LONGEST_BASE58: usize = 1200;
/// Bytes of what was compressed that are looked at.
const LONGEST_UNPACKED: u64 = 64 * 1024;

/// What a text stands for in base58, with and without a letter before it that says so.
pub(super) fn decodings(text: &[u8]) -> Vec<Vec<u8>> {
    let word = text.trim_ascii();
    [Some(word), word.strip_prefix(b"z")].into_iter().flatten().filter_map(base58).collect()
}

/// The bytes of a text in base58.
pub(super) fn base58(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > LONGEST_BASE58 {
        return None;
    }
    // Least significant first.
    let mut bytes: Vec<u8> = Vec::new();
    for digit in text {
        let mut carry = BASE58.iter().position(|known| known == digit)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xff).unwrap_or_default();
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(u8::try_from(carry & 0xff).unwrap_or_default());
            carry >>= 8;
        }
    }
    bytes.extend(text.iter().take_while(|digit| **digit == b'1').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}

/// Whether a text says in which base it is, and holds a public key or the address of a content (multicodec).
pub(super) fn is_multibase(text: &str) -> bool {
    let Some(rest) = text.get(1..).map(str::as_bytes) else { return false };
    let bytes = match text.as_bytes()[0] {
        b'z' => base58(rest),
        b'f' | b'F' if rest.len() % 2 == 0 => Some(base16(rest)),
        b'b' | b'B' => Some(base32(rest)),
        b'm' | b'M' | b'u' | b'U' => Some(base64(rest)),
        // The first form of addresses of contents has no such letter.
        b'Q' => base58(text.as_bytes()).filter(|bytes| bytes.starts_with(b"\x12\x20")),
        _ => None,
    };
    bytes.is_some_and(|bytes| is_multicodec(&bytes))
}

fn is_multicodec(bytes: &[u8]) -> bool {
    const FIXED: [(&[u8], usize); 17] = [
        (b"\xed\x01", 32),
        (b"\xec\x01", 32),
        (b"\xe7\x01", 33),
        (b"\xea\x01", 48),
        (b"\xeb\x01", 96),
        (b"\xef\x01", 32),
        (b"\x80\x24", 33),
        (b"\x81\x24", 49),
        (b"\x82\x24", 67),
        (b"\x83\x24", 57),
        (b"\x84\x24", 56),
        (b"\x86\x24", 33),
        (b"\x80\x26", 32),
        (b"\x81\x26", 32),
        (b"\x82\x26", 32),
        (b"\x12\x20", 32),
        (b"\x13\x40", 64),
    ];
    let is_content = |rest: &[u8]| matches!(rest, [0x50..=0x78, 0x12, 0x20, digest @ ..] if digest.len() == 32);
    FIXED.iter().any(|(prefix, length)| bytes.starts_with(prefix) && bytes.len() == prefix.len() + length)
        || bytes.starts_with(b"\x85\x24\x30\x82")
        || bytes.strip_prefix(b"\x01").is_some_and(is_content)
        || is_peer(bytes)
}

/// Whether it is a public key as libp2p sends one, or the name of a peer that is such a key.
pub(super) fn is_peer(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\0\x24").or_else(|| bytes.strip_prefix(b"\0\x25")).unwrap_or(bytes);
    matches!(bytes, [8, 0..=3, 0x12, length @ (0x20 | 0x21), rest @ ..] if rest.len() == usize::from(*length))
}

/// What was compressed, by gzip, zlib or without a frame.
pub(super) fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    let read = |source: &mut dyn std::io::Read| {
        let mut content = Vec::new();
        // What was read before it ended is looked at, too.
        let _ = source.take(LONGEST_UNPACKED).read_to_end(&mut content);
        content
    };
    let mut all = Vec::new();
    if bytes.starts_with(b"\x1f\x8b\x08") {
        all.push(read(&mut flate2::read::MultiGzDecoder::new(bytes)));
    } else if bytes.first().is_some_and(|first| *first == 0x78) {
        all.push(read(&mut flate2::read::ZlibDecoder::new(bytes)));
    } else {
        all.push(read(&mut flate2::read::DeflateDecoder::new(bytes)));
    }
    all.retain(|content| content.len() > bytes.len() / 2);
    all
}

/// The bytes of a text in base32.
pub(super) fn base32(text: &[u8]) -> Vec<u8> {
    digits(text, 5, quintet)
}

/// The bytes of a text in base64.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    digits(text, 6, sextet)
}

/// The bytes of a text in hexadecimal.
pub(super) fn base16(text: &[u8]) -> Vec<u8> {
    digits(text, 4, nibble)
}

/// The bytes that digits of so many bits each stand for; what is none ends them.
pub(super) fn digits(text: &[u8], bits: u32, value: fn(u8) -> Option<u32>) -> Vec<u8> {
    let (mut bytes, mut held, mut count) = (Vec::with_capacity(text.len()), 0_u32, 0);
    for digit in text.iter().map_while(|byte| value(*byte)) {
        held = held << bits | digit;
        count += bits;
        if count >= 8 {
            count -= 8;
            bytes.push((held >> count).to_be_bytes()[3]);
            held &= (1 << count) - 1;
        }
    }
    bytes
}

pub(super) fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

pub(super) fn quintet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a',
        b'2'..=b'7' => byte - b'2' + 26,
        _ => return None,
    }))
}

/// RFC 4648 §7.
pub(super) fn hex_quintet(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(32)
}

pub(super) fn nibble(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}
