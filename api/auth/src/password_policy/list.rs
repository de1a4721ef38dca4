//! Lists of passwords that are known: one that is built in, and one that the operator brings. Of each entry a short fingerprint
//! is kept, so that a list neither takes much memory nor shows anybody's password.

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, BufRead},
};

use sha2::{Digest, Sha256};

use super::spelling::{forms, readings};

/// The fingerprints of the passwords that most people had, of a list in the public domain (`NOTICE`): the first 100,000 of any length, and
/// those of 15 characters or more of the first million. `api/auth/examples/password_list.rs` makes the file out of such lists.
static BUILT_IN: &[u8] = include_bytes!("common_passwords.bin");

/// Bytes of a fingerprint: few, and enough that of a hundred million other passwords ten are refused by mistake.
const WIDTH: usize = 5;
type Fingerprint = [u8; WIDTH];

/// What compressed lists begin with.
const COMPRESSED: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "it is compressed; unpack it first: gunzip FILE"),
    (b"\xfd7zXZ", "it is compressed; unpack it first: unxz FILE"),
    (b"BZh", "it is compressed; unpack it first: bunzip2 FILE"),
    (b"\x28\xb5\x2f\xfd", "it is compressed; unpack it first: unzstd FILE"),
    (b"PK\x03\x04", "it is an archive; unpack it first: unzip FILE"),
];

/// Passwords that are known, beside those that are built in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PasswordList(Vec<Fingerprint>);

impl PasswordList {
    /// Reads a list: one password on each line, in any order. A few lines that are no UTF-8 are passed over, as lists of leaked passwords have
    /// them; a file that is in another encoding, or without any line that could be a password, is an error that says what is wrong with it.
    pub fn read(mut lines: impl BufRead) -> io::Result<Self> {
        let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why));
        let start = lines.fill_buf()?;
        if let Some((_, why)) = COMPRESSED.iter().find(|(magic, _)| start.starts_with(magic)) {
            return refuse(why);
        }
        if start.starts_with(b"\xff\xfe")
            || start.starts_with(b"\xfe\xff")
            || start.iter().take(512).any(|byte| *byte == 0)
        {
            return refuse("it is no text in UTF-8; save it as UTF-8, one password on each line");
        }
        let mut known = Vec::new();
        let mut line = Vec::new();
        let (mut count, mut hashes, mut beyond_ascii, mut unreadable) = (0_usize, 0_usize, 0_usize, 0_usize);
        while lines.read_until(b'\n', &mut line)? > 0 {
            // Some systems end lines with a carriage return alone.
            for line in line.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty()) {
                if let Ok(text) = str::from_utf8(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)) {
                    count += 1;
                    beyond_ascii += usize::from(!text.is_ascii());
                    hashes += usize::from(is_hash(text));
                    known.extend(readings(text).iter().flat_map(|reading| fingerprints(reading)));
                } else {
                    unreadable += 1;
                }
            }
            line.clear();
        }
        if unreadable > beyond_ascii {
            return refuse(
                "its letters beyond ASCII are not in UTF-8, so nothing would be refused by them; write it anew: iconv -f latin1 -t utf-8 FILE",
            );
        }
        if count == 0 {
            return refuse("there is no password in it; write one on each line, in UTF-8");
        }
        if hashes * 2 > count {
            return refuse("it has hashes of passwords; bring a list of the passwords themselves, one on each line");
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

/// Whether a line is a hash, as lists of leaked ones have it: in hexadecimal, and how often it was found.
fn is_hash(line: &str) -> bool {
    let (hash, times) = line.split_once(':').unwrap_or((line, ""));
    matches!(hash.len(), 32 | 40 | 64)
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && times.bytes().all(|byte| byte.is_ascii_digit())
}

fn fingerprints(folded: &str) -> BTreeSet<Fingerprint> {
    let digest = |form: &String| {
        let mut fingerprint = [0; WIDTH];
        fingerprint.copy_from_slice(&Sha256::digest(form)[..WIDTH]);
        fingerprint
    };
    forms(folded).iter().map(digest).collect()
}
