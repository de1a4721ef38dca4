//! What an operator's key file holds. A secret is taken byte for byte; keys in the usual forms are taken as what they are, so that no public key is ever
//! mistaken for a secret; and whatever else is known to be no key is refused with a sentence.
//!
//! - `pem`, `structures`, `jwk`: the forms that keys are taken from; `der`, `private` and `public`: what their parts are read by
//! - `foreign`: what is known and not taken; `texts` and `lines`: the same of texts; `hidden`: the same, with other things around it or encoded in one of
//!   the `alphabets`; `bytes` and `cbor`: keys by their bytes, and in CBOR
//! - `guessable`: keys of a kind that is taken, which anyone can guess or compute
//! - [`PublicKey`]: what all of them come down to

mod alphabets;
mod bytes;
mod cbor;
mod der;
mod foreign;
mod guessable;
mod hidden;
mod jwk;
mod lines;
mod pem;
mod private;
mod public;
mod structures;
mod texts;

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::Algorithm;
pub(super) use public::PublicKey;

/// One key out of a file.
pub(super) struct Imported {
    pub key: ImportedKey,
    /// The id that the file gives it.
    pub kid: Option<String>,
}

/// A key as what it is.
pub(super) enum ImportedKey {
    /// An HS256 secret.
    Secret(Zeroizing<Vec<u8>>),
    /// It signs: PKCS#8 DER.
    Private { algorithm: Algorithm, pkcs8: Zeroizing<Vec<u8>>, public: PublicKey },
    /// It verifies.
    Public(PublicKey),
}

/// Why a file is not taken: how a sentence about it goes on.
pub(super) type Why = Cow<'static, str>;

/// The keys in a file's bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Imported>, Why> {
    let one = |key| Ok(vec![Imported { key, kid: None }]);
    if let Some(key) = structures::read(bytes)? {
        return one(key);
    }
    if let Ok(text) = str::from_utf8(bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes)) {
        if pem::is_pem(text) {
            return one(pem::read(text)?);
        }
        if let Some(keys) = jwk::read(text)? {
            return Ok(keys);
        }
    }
    if let Some(why) = foreign::recognize(bytes) {
        return Err(why);
    }
    // One newline at the end is the editor's.
    one(ImportedKey::Secret(Zeroizing::new(bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec())))
}

/// Editors of some systems write it before a text.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
