//! Public keys, and what goes with them, by their bytes alone: points on curves, and packets of PGP.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256K1_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    ParsedPublicKey,
};

use crate::secret::regular;

/// Whether these are the packets of a key (RFC 9580 §5.5.1, §10.1): one of a known version, time and algorithm, and then a name, or nothing.
pub(super) fn is_pgp(bytes: &[u8]) -> bool {
    let Some((tag, length, rest)) = pgp_packet(bytes) else { return false };
    // A name, a signature, another key, a mark of trust.
    let is_next = |next: &u8| matches!(next, 0xb4 | 0x88..=0x8a | 0xb8 | 0xb9 | 0xb0 | 0xcd | 0xc2 | 0xce);
    let is_whole = rest.len() == length || rest.get(length).is_some_and(is_next);
    // From 1995 to 2038.
    let is_known = matches!(rest, [4 | 6, 0x2f..=0x7f, _, _, _, 1..=3 | 16..=19 | 22 | 25..=28, ..]);
    matches!(tag, 5 | 6) && length > 6 && is_known && is_whole
}

/// The first packet: its tag, its length, and what follows (RFC 9580 §4.2).
fn pgp_packet(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let number = |digits: &[u8]| digits.iter().fold(0, |number: usize, digit| number << 8 | usize::from(*digit));
    let tag = if first & 0x40 == 0 { first >> 2 & 0xf } else { first & 0x3f };
    let (length, rest) = match (first & 0xc0, first & 3, rest) {
        (0x80, 1, [high, low, rest @ ..]) => (number(&[*high, *low]), rest),
        (0x80, 2, [a, b, c, d, rest @ ..]) | (0xc0, _, [255, a, b, c, d, rest @ ..]) => {
            (number(&[*a, *b, *c, *d]), rest)
        }
        (0x80, 0, [length, rest @ ..]) | (0xc0, _, [length @ ..=191, rest @ ..]) => (usize::from(*length), rest),
        (0xc0, _, [high @ 192..=223, low, rest @ ..]) => (number(&[*high - 192, *low]) + 192, rest),
        _ => return None,
    };
    Some((tag, length, rest))
}

/// Whether these are the packets of a message or a signature (RFC 9580 §5): a session's key, a signature, encrypted or compressed data.
pub(super) fn is_pgp_message(bytes: &[u8]) -> bool {
    let Some((tag, length, rest)) = pgp_packet(bytes) else {
        // Compressed, of no length that is said.
        return bytes.len() > 100 && matches!(bytes, [0xa3, 1..=3, third, ..] if *third != 0);
    };
    let is_known = match tag {
        1 => matches!(rest, [3 | 6, ..]),
        2 => {
            matches!(rest, [3, 5, ..] | [4 | 6, 0..=3 | 0x10..=0x13 | 0x18..=0x20 | 0x28 | 0x30 | 0x40, 1..=3 | 17 | 19 | 22 | 25..=28, 1..=3 | 8..=11, ..])
        }
        3 => matches!(rest, [4..=6, 1..=4 | 7..=10, ..]),
        18 => matches!(rest, [1 | 2, ..]),
        _ => false,
    };
    let is_next = |next: &u8| matches!(next, 0x84..=0x86 | 0x88..=0x8e | 0xc1..=0xc3 | 0xc8 | 0xc9 | 0xd2 | 0xd4);
    is_known && length > 6 && (rest.len() == length || rest.get(length).is_some_and(is_next))
}

/// Whether these are the coordinates of a point on a curve (SEC 1 §2.3.3), with or without the byte that says so.
pub(super) fn is_point(bytes: &[u8]) -> bool {
    // A newline may have been put behind it.
    let less = bytes.strip_suffix(b"\n").filter(|less| matches!(less.len(), 64 | 65 | 96 | 97 | 133));
    [Some(bytes), less].into_iter().flatten().any(|bytes| match (bytes.first(), bytes.len()) {
        (Some(4), 65 | 97 | 133) => is_on_a_curve(bytes),
        (_, 64 | 96) => is_on_a_curve(&[&[4], bytes].concat()),
        _ => false,
    })
}

/// Whether this is one coordinate and the sign of the other, as bytes, in hexadecimal or in base64. Of random bytes of this length one in 150 is.
pub(super) fn is_compressed_point(bytes: &[u8]) -> bool {
    let is_it =
        |bytes: &[u8]| matches!(bytes, [2 | 3, rest @ ..] if matches!(rest.len(), 32 | 48)) && is_on_a_curve(bytes);
    let less = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    is_it(bytes) || is_it(less) || regular::decoded(less).is_some_and(|decoded| is_it(&decoded))
}

/// Whether this is an RSA key as name servers have it (RFC 3110 §2), by itself or behind what stands before it in a record (RFC 4034 §2.1).
pub(super) fn is_rsa_of_dns(bytes: &[u8]) -> bool {
    let key = if let [1, 0 | 1, 3, 1 | 5 | 7 | 8 | 10, key @ ..] = bytes { key } else { bytes };
    match key {
        [1, 3 | 17 | 37, modulus @ ..] | [3, 1, 0, 1, modulus @ ..] => {
            let is_odd = modulus.last().is_some_and(|last| last % 2 == 1);
            matches!(modulus.len(), 64 | 96 | 128 | 160 | 192 | 256 | 384 | 512) && modulus[0] >= 0x80 && is_odd
        }
        _ => false,
    }
}

fn is_on_a_curve(point: &[u8]) -> bool {
    let curves =
        [&ECDSA_P256_SHA256_FIXED, &ECDSA_P256K1_SHA256_FIXED, &ECDSA_P384_SHA384_FIXED, &ECDSA_P521_SHA512_FIXED];
    curves.into_iter().any(|curve| ParsedPublicKey::new(curve, point).is_ok())
}
