//! Texts that the server hands out and wants back unchanged: what is in them is no secret, but only this server can have made
//! them, for this use and this context (HMAC with SHA-256, RFC 2104).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::keys::{KeyRing, SigningKey};

/// Bytes of a hash's block.
const BLOCK: usize = 64;
/// Bytes of the code before the content.
const CODE: usize = 32;

/// Seals with the ring's signing key, and opens what any key sealed that still verifies.
#[derive(Clone)]
pub struct Sealer {
    signing: Secret,
    verifying: Vec<Secret>,
}

/// A key for this use alone, whatever the ring's key is otherwise for.
#[derive(Clone)]
struct Secret(Zeroizing<[u8; 32]>);

impl Sealer {
    /// With keys that are derived from the ring's.
    pub fn new(ring: &KeyRing) -> Self {
        Self { signing: Secret::of(ring.signing()), verifying: ring.verifying().map(Secret::of).collect() }
    }

    /// The sealed form of `content`, good in this context only: letters, digits, hyphens and underscores.
    pub fn seal(&self, scope: &[&[u8]], content: &[u8]) -> String {
        let mut sealed = self.signing.code(scope, content).to_vec();
        sealed.extend_from_slice(content);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The content of what was sealed in this context; `None` for anything else.
    pub fn open(&self, scope: &[&[u8]], sealed: &str) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (code, content) = sealed.split_at_checked(CODE)?;
        let is_ours = self.verifying.iter().any(|secret| is_same(&secret.code(scope, content), code));
        is_ours.then(|| content.to_vec())
    }
}

impl Secret {
    fn of(key: &SigningKey) -> Self {
        Self(Zeroizing::new(hmac(key.material(), &[b"coffer sealed texts"])))
    }

    fn code(&self, scope: &[&[u8]], content: &[u8]) -> [u8; 32] {
        let mut parts = Vec::with_capacity(2 * scope.len() + 1);
        // With its length before it no part can be taken for a piece of its neighbour.
        let lengths: Vec<[u8; 8]> = scope.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
        for (length, part) in lengths.iter().zip(scope) {
            parts.extend([length.as_slice(), part]);
        }
        parts.push(content);
        hmac(self.0.as_slice(), &parts)
    }
}

fn hmac(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    let mut block = Zeroizing::new([0; BLOCK]);
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let padded = |pad: u8| Zeroizing::new(block.map(|byte| byte ^ pad));
    let mut inner = Sha256::new_with_prefix(padded(0x36).as_slice());
    for part in message {
        inner.update(part);
    }
    let outer = Sha256::new_with_prefix(padded(0x5c).as_slice()).chain_update(inner.finalize());
    outer.finalize().into()
}

/// Takes the same time wherever they differ.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_one_of_its_rfc() {
        // RFC 4231, test cases 1, 2 and 6.
        for (key, message, code) in [
            (&[0x0b; 20][..], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let made = u128::from_str_radix(&code[..32], 16).unwrap().to_be_bytes();
            assert_eq!(hmac(key, &[message])[..16], made);
        }
    }

    #[test]
    fn what_was_sealed_opens_unchanged_and_in_its_context_only() {
        let secret = || Secret(Zeroizing::new([7; 32]));
        let sealer = Sealer { signing: secret(), verifying: vec![Secret(Zeroizing::new([8; 32])), secret()] };
        let text = sealer.seal(&[b"ab", b"c"], b"content");
        assert_eq!(sealer.open(&[b"ab", b"c"], &text).as_deref(), Some(&b"content"[..]));
        for scope in [&[&b"ab"[..], b"d"][..], &[b"a", b"bc"], &[b"ab"], &[b"ab", b"c", b""], &[]] {
            assert_eq!(sealer.open(scope, &text), None);
        }
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_ne!(sealer.open(&[b"ab", b"c"], &changed).as_deref(), Some(&b"content"[..]), "{at}");
        }
        for garbage in ["", "AAAA", "%", &text[1..], &"A".repeat(43)] {
            assert_eq!(sealer.open(&[b"ab", b"c"], garbage), None, "{garbage}");
        }
        let stranger =
            Sealer { signing: Secret(Zeroizing::new([9; 32])), verifying: vec![Secret(Zeroizing::new([9; 32]))] };
        assert_eq!(stranger.open(&[b"ab", b"c"], &text), None);
    }
}
