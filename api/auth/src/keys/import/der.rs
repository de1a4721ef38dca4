//! DER (X.690). Only as much is read as tells the structures in key files apart; the keys themselves are read by the library that signs with them.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// Object identifiers, encoded.
pub(super) mod oid {
    pub(crate) const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    pub(crate) const RSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
    pub(crate) const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
    pub(crate) const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
    pub(crate) const ED25519: &[u8] = b"\x2b\x65\x70";
}

/// One element: its tag and its content.
pub(super) type Element<'a> = (u8, &'a [u8]);

/// The algorithm in a PKCS#8 private key or a public key (RFC 5280 §4.1.1.2): its identifier and what follows it.
pub(super) fn algorithm(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let ((SEQUENCE, content), _) = element(der)? else { return None };
    let elements = elements(content)?;
    let (_, algorithm) = elements.into_iter().find(|(tag, _)| *tag == SEQUENCE)?;
    let ((OBJECT_IDENTIFIER, identifier), parameters) = element(algorithm)? else { return None };
    Some((identifier, parameters))
}

/// The curve that the parameters behind [`oid::EC`] name.
pub(super) fn curve(parameters: &[u8]) -> Option<&[u8]> {
    match element(parameters)? {
        ((OBJECT_IDENTIFIER, curve), []) => Some(curve),
        _ => None,
    }
}

/// The bits of a public key (RFC 5280 §4.1.2.7).
pub(super) fn public_bits(spki: &[u8]) -> Option<&[u8]> {
    let ((SEQUENCE, content), []) = element(spki)? else { return None };
    match elements(content)?[..] {
        [_, (BIT_STRING, [0, bits @ ..])] => Some(bits),
        _ => None,
    }
}

/// The two primes of an RSA key in PKCS#8 (RFC 8017, appendix A.1.2).
pub(super) fn primes(pkcs8: &[u8]) -> Option<[&[u8]; 2]> {
    let ((SEQUENCE, content), []) = element(pkcs8)? else { return None };
    let (_, key) = elements(content)?.into_iter().find(|(tag, _)| *tag == OCTET_STRING)?;
    let ((SEQUENCE, content), _) = element(key)? else { return None };
    let numbers = elements(content)?;
    Some([numbers.get(4)?.1, numbers.get(5)?.1])
}

/// The elements that `bytes` are made of, wholly.
pub(super) fn elements(mut bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (element, rest) = element(bytes)?;
        found.push(element);
        bytes = rest;
    }
    Some(found)
}

/// The first element, and what follows it.
pub(super) fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // Up to 64 KiB is read of a file.
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(((tag, content), rest))
}
