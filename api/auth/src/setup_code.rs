//! The one-time code with which the first admin is made (`docs/security.md`, P12).

use std::{fmt, sync::Mutex, time::Duration};

use base::{Clock, Entropy};
use sha2::{Digest, Sha256};

/// How long a code holds. After that the server has to be started again.
pub const CODE_LIFETIME: Duration = Duration::from_hours(1);

/// The one-time code. Its text is shown once, by [`SetupCode::new`]'s caller; only a digest is kept.
pub struct SetupCode(Mutex<Option<Pending>>);

struct Pending {
    digest: [u8; 32],
    made: Duration,
}

impl fmt::Debug for SetupCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupCode(…)")
    }
}

impl SetupCode {
    /// No code: there is an admin already.
    pub fn none() -> Self {
        Self(Mutex::new(None))
    }

    /// A new code and its text: 20 characters that cannot be mistaken for each other, 100 bits.
    pub fn new(entropy: &Entropy, clock: &Clock) -> (Self, String) {
        const ALPHABET: &[u8; 32] = b"23456789abcdefghjkmnpqrstuvwxyzk";
        let text: String =
            entropy.bytes::<20>().iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
        let pending = Pending { digest: Sha256::digest(text.as_bytes()).into(), made: clock.elapsed() };
        (Self(Mutex::new(Some(pending))), text)
    }

    /// What is kept of a code.
    pub fn digest(code: &str) -> [u8; 32] {
        Sha256::digest(code.trim().as_bytes()).into()
    }

    /// Whether `code` is the one. Digests are compared, so time tells nothing of the text; at 100 bits nobody guesses it, and
    /// a limit on tries would let a stranger use them up.
    pub fn matches(&self, code: &str, clock: &Clock) -> bool {
        let mut slot = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(pending) = slot.as_ref() else { return false };
        if clock.elapsed().saturating_sub(pending.made) > CODE_LIFETIME {
            *slot = None;
            return false;
        }
        Self::digest(code) == pending.digest
    }
}
