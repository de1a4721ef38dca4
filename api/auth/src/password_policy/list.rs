//! Lists of passwords that are known: one that is built in, and one that the operator brings. Of each entry a short fingerprint
//! is kept, so that a list neither takes much memory nor shows anybody's password.

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, BufRead},
};

use sha2::{Digest, Sha256};

use super::spelling::{fold, forms};

/// The fingerprints of the passwords that most people had, of a list in the public domain (`NOTICE`): the first 100,000 of any length, and
/// those of 15 characters or more of the first million. `api/auth/examples/password_list.rs` makes the file out of such lists.
static BUILT_IN: &[u8] = include_bytes!("common_passwords.bin");

/// Bytes of a fingerprint: few, and enough that of a hundred million other passwords ten are refused by mistake.
const WIDTH: usize = 5;
type Fingerprint = [u8; WIDTH];

/// Passwords that are known, beside those that are built in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PasswordList(Vec<Fingerprint>);

impl PasswordList {
    /// Reads a list: one password on each line, in any order. Lines that are no UTF-8 are passed over.
    pub fn read(mut lines: impl BufRead) -> io::Result<Self> {
        let mut known = Vec::new();
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            if let Ok(text) = str::from_utf8(&line) {
                known.extend(fingerprints(&fold(text.trim_end_matches(['\r', '\n']))));
            }
            line.clear();
        }
        known.sort_unstable();
        known.dedup();
        Ok(Self(known))
    }

    /// The fingerprints, in order: the form in which the list that is built in is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// Whether a folded password, in any spelling, is known here or to Coffer.
    pub(super) fn contains(&self, folded: &str) -> bool {
        let (built_in, _) = BUILT_IN.as_chunks::<WIDTH>();
        let is_known =
            |known: &Fingerprint| self.0.binary_search(known).is_ok() || built_in.binary_search(known).is_ok();
        fingerprints(folded).iter().any(is_known)
    }
}

impl fmt::Debug for PasswordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordList({})", self.0.len())
    }
}

fn fingerprints(folded: &str) -> BTreeSet<Fingerprint> {
    let digest = |form: &String| {
        let mut fingerprint = [0; WIDTH];
        fingerprint.copy_from_slice(&Sha256::digest(form)[..WIDTH]);
        fingerprint
    };
    forms(folded).iter().map(digest).collect()
}
