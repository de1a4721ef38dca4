//! A password as a person typed it.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// A longer password is refused before it is looked at.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// What a person typed, in Unicode normal form C, so that one keyboard's é is another's. Whole and otherwise untouched.
/// Never printed; wiped when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password of at most [`MAX_PASSWORD_BYTES`] bytes.
    pub fn new(text: &str) -> Result<Self, PasswordTooLong> {
        if text.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordTooLong);
        }
        // Room for the worst expansion of normal form C, so that no half-built copy is left behind by a growing string.
        let mut normal = Zeroizing::new(String::with_capacity(text.len() * 3));
        normal.extend(text.nfc());
        Ok(Self(normal))
    }

    /// The text, for the checks of the policy.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A password is longer than [`MAX_PASSWORD_BYTES`] bytes. At sign-in that is a wrong password like any other.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("a password has at most {MAX_PASSWORD_BYTES} bytes")]
pub struct PasswordTooLong;

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest growth that normal form C can cause fits the room that was set aside, so no copy is left behind.
    #[test]
    fn normalising_never_outgrows_its_buffer() {
        let worst = "\u{1d160}".repeat(MAX_PASSWORD_BYTES / 4);
        let password = Password::new(&worst).unwrap();
        assert_eq!(password.0.capacity(), worst.len() * 3);
        assert!(password.0.len() > worst.len());
    }
}
