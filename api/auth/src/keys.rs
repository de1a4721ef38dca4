//! The key ring: which keys sign and verify tokens. It lives in `<data>/keys/ring.json`; how it gets there is in `file`,
//! what an operator's files hold in `import`,
//! what makes a secret too weak in [`super::secret`]. A key is active (the one that signs), verify-only, or retired.
//! Secrets leave this module towards [`super::token`] only: nothing prints, lists or logs one.

mod file;
mod import;

use std::{
    borrow::Cow,
    fmt,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base::{Clock, Entropy};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::secret::{self, SecretError};
use import::{Imported, ImportedKey, PublicKey};

/// What a secret is for, in the sentences that refuse one.
const WHAT: &str = "signing key";
/// New HS256 secrets fill one block of the hash.
const NEW_SECRET_BYTES: usize = 64;

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256 (RFC 7518 §3.2): one secret signs and verifies.
    Hs256,
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256 (RFC 7518 §3.3), for clients that know nothing newer.
    Rs256,
}

impl Algorithm {
    /// All of them, the default first.
    pub const ALL: [Self; 4] = [Self::Hs256, Self::EdDsa, Self::Es256, Self::Rs256];

    /// Its registered name, as in the `alg` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of this name, in any letter case: people type it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Signs new tokens. Exactly one key does.
    Active,
    /// Signed once; its tokens are good until they expire.
    VerifyOnly,
    /// Its tokens are refused and its secret is gone. Kept in the list as a record.
    Retired,
}

impl KeyState {
    const ALL: [Self; 3] = [Self::Active, Self::VerifyOnly, Self::Retired];

    /// Its name in the ring's file and in `coffer keys list`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::VerifyOnly => "verify-only",
            Self::Retired => "retired",
        }
    }
}

/// One key. `Debug` does not show its secret.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    state: KeyState,
    created_at: OffsetDateTime,
    /// HS256: the secret. Otherwise PKCS#8 DER; a JWK where the key is public. Empty once retired.
    material: Zeroizing<Vec<u8>>,
    /// It verifies and cannot sign.
    is_public: bool,
}

impl SigningKey {
    /// Its id, the `kid` header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it is used for.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// When it came into the ring.
    pub fn created_at(&self) -> OffsetDateTime {
        self.created_at
    }

    /// Whether it is a public key, which verifies and cannot sign.
    pub fn is_public(&self) -> bool {
        self.is_public
    }

    /// Whether a token could not tell the two apart, or they are the same key.
    fn is_same(&self, other: &Self) -> bool {
        self.kid == other.kid || !self.material.is_empty() && self.material == other.material
    }

    pub(crate) fn material(&self) -> &[u8] {
        &self.material
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} {} {})", self.kid, self.algorithm, self.state.as_str())
    }
}

/// Why there is no usable key. One sentence each, for the person who starts the server.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum KeyError {
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{} is open to other users of this machine; run: chmod 600 {}", path.display(), path.display())]
    Exposed { path: PathBuf },
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the key ring {} is damaged ({why}); restore it from a backup, or delete it: everyone will have to sign in again", path.display())]
    Damaged { path: PathBuf, why: &'static str },
    #[error("there is no key {0} in the ring; `coffer keys list` shows them")]
    Unknown(String),
    #[error("the key {0} signs new tokens; add another one first with: coffer keys add")]
    Active(String),
    #[error("could not make a new {0} key")]
    Generate(Algorithm),
    #[error("{} {why}", path.display())]
    Foreign { path: PathBuf, why: Cow<'static, str> },
    #[error(
        "only public keys were given, which verify tokens and sign none; give a private key, or a secret, before them"
    )]
    NothingSigns,
    #[error("the key {0} is in the ring already; `coffer keys list` shows it")]
    Known(String),
}

/// The keys. Exactly one is active.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Vec<SigningKey>,
}

impl KeyRing {
    /// The ring in the data directory; made there, with one HS256 key, where there is none. Of several that start at once
    /// one makes it and the others load it.
    pub fn open(data: &Path, clock: &Clock, entropy: &Entropy) -> Result<Self, KeyError> {
        let ring = file::RingFile::lock(data)?;
        if let Some(loaded) = ring.load()? {
            return Ok(loaded);
        }
        let first = Self { keys: vec![new_key(Algorithm::Hs256, clock, entropy)?] };
        ring.store(&first)?;
        Ok(first)
    }

    /// The keys in files that the operator brings: secrets, the bytes of a file less one newline at its end; and private and public keys as PEM,
    /// DER or JWK. The first that can sign does, and all verify. The data directory's own ring is left alone and not used.
    pub fn from_key_files(files: &[PathBuf], clock: &Clock) -> Result<Self, KeyError> {
        let mut keys: Vec<(SigningKey, &PathBuf)> = Vec::new();
        for path in files {
            for key in read_key_file(path, clock)? {
                if let Some((_, first)) = keys.iter().find(|(known, _)| known.is_same(&key)) {
                    let (first, second) = ((*first).clone(), path.clone());
                    return Err(SecretError::Twice { what: WHAT, first, second }.into());
                }
                keys.push((key, path));
            }
        }
        let mut keys: Vec<SigningKey> = keys.into_iter().map(|(key, _)| key).collect();
        let signing = keys.iter_mut().find(|key| !key.is_public).ok_or(KeyError::NothingSigns)?;
        signing.state = KeyState::Active;
        Ok(Self { keys })
    }

    /// Takes the keys in a file into the data directory's ring. The first that can sign does from the next start on; the one before it still
    /// verifies. Where there is no ring yet and none of them can sign, one that signs is made.
    pub fn import(data: &Path, file: &Path, clock: &Clock, entropy: &Entropy) -> Result<Vec<SigningKey>, KeyError> {
        let mut new = read_key_file(file, clock)?;
        let ring = file::RingFile::lock(data)?;
        let mut keys = ring.load()?.map_or_else(Vec::new, |loaded| loaded.keys);
        if let Some(known) = new.iter().find(|key| keys.iter().any(|known| known.is_same(key))) {
            return Err(KeyError::Known(known.kid.clone()));
        }
        if let Some(at) = (1..new.len()).find(|at| new[..*at].iter().any(|known| known.is_same(&new[*at]))) {
            return Err(KeyError::Foreign {
                path: file.to_owned(),
                why: format!("has the key {} twice", new[at].kid).into(),
            });
        }
        if let Some(signing) = new.iter_mut().find(|key| !key.is_public) {
            for key in &mut keys {
                if key.state == KeyState::Active {
                    key.state = KeyState::VerifyOnly;
                }
            }
            signing.state = KeyState::Active;
        } else if keys.is_empty() {
            keys.push(new_key(Algorithm::Hs256, clock, entropy)?);
        }
        keys.extend(new.iter().cloned());
        ring.store(&Self { keys })?;
        Ok(new)
    }

    /// Makes a new key in the data directory's ring. It signs from the next start on; the one before it still verifies.
    pub fn add(data: &Path, algorithm: Algorithm, clock: &Clock, entropy: &Entropy) -> Result<SigningKey, KeyError> {
        let ring = file::RingFile::lock(data)?;
        let mut keys = ring.load()?.map_or_else(Vec::new, |loaded| loaded.keys);
        for key in &mut keys {
            if key.state == KeyState::Active {
                key.state = KeyState::VerifyOnly;
            }
        }
        let new = new_key(algorithm, clock, entropy)?;
        keys.push(new.clone());
        ring.store(&Self { keys })?;
        Ok(new)
    }

    /// Retires a key of the data directory's ring: its tokens are refused from the next start on, and its secret is wiped
    /// from the file. The key that signs cannot be retired.
    pub fn retire(data: &Path, kid: &str) -> Result<SigningKey, KeyError> {
        let ring = file::RingFile::lock(data)?;
        let unknown = || KeyError::Unknown(kid.to_owned());
        let mut loaded = ring.load()?.ok_or_else(unknown)?;
        let key = loaded.keys.iter_mut().find(|key| key.kid == kid).ok_or_else(unknown)?;
        if key.state == KeyState::Active {
            return Err(KeyError::Active(key.kid.clone()));
        }
        key.state = KeyState::Retired;
        key.material = Zeroizing::new(Vec::new());
        let retired = key.clone();
        ring.store(&loaded)?;
        Ok(retired)
    }

    /// Every key, oldest first, retired ones too.
    pub fn keys(&self) -> &[SigningKey] {
        &self.keys
    }

    /// The key that signs.
    ///
    /// # Panics
    /// Never: a ring without an active key is not made.
    pub fn signing(&self) -> &SigningKey {
        self.keys.iter().find(|key| key.state == KeyState::Active).expect("a ring has one active key")
    }

    /// Every key whose tokens are still good.
    pub fn verifying(&self) -> impl Iterator<Item = &SigningKey> {
        self.keys.iter().filter(|key| key.state != KeyState::Retired)
    }
}

fn new_key(algorithm: Algorithm, clock: &Clock, entropy: &Entropy) -> Result<SigningKey, KeyError> {
    let failed = |_| KeyError::Generate(algorithm);
    let material = match algorithm {
        Algorithm::Hs256 => {
            let mut secret = Zeroizing::new(vec![0; NEW_SECRET_BYTES]);
            entropy.fill(&mut secret);
            secret
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
            Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
            Zeroizing::new(pair.as_der().map_err(failed)?.as_ref().to_vec())
        }
    };
    let kid = fingerprint(&material);
    Ok(SigningKey { kid, algorithm, state: KeyState::Active, created_at: clock.now(), material, is_public: false })
}

/// The keys in an operator's file; none of them signs yet.
fn read_key_file(path: &Path, clock: &Clock) -> Result<Vec<SigningKey>, KeyError> {
    let bytes = secret::read_bytes(WHAT, path)?;
    let imported = import::read(&bytes).map_err(|why| KeyError::Foreign { path: path.to_owned(), why })?;
    imported.into_iter().map(|imported| key_of(imported, path, clock)).collect()
}

fn key_of(imported: Imported, path: &Path, clock: &Clock) -> Result<SigningKey, KeyError> {
    let (algorithm, material, kid, is_public) = match imported.key {
        ImportedKey::Secret(secret) => {
            secret::check_new(WHAT, &secret, path)?;
            let kid = fingerprint(&secret);
            (Algorithm::Hs256, secret, kid, false)
        }
        ImportedKey::Private { algorithm, pkcs8, public } => (algorithm, pkcs8, public.thumbprint(), false),
        ImportedKey::Public(public) => (public.algorithm(), jwk_bytes(&public), public.thumbprint(), true),
    };
    let kid = imported.kid.unwrap_or(kid);
    Ok(SigningKey { kid, algorithm, state: KeyState::VerifyOnly, created_at: clock.now(), material, is_public })
}

fn jwk_bytes(public: &PublicKey) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(public.to_jwk().to_string().into_bytes())
}

/// A key's id: the same key has the same id on every node and after every start, and says nothing about the key.
fn fingerprint(material: &[u8]) -> String {
    let digest = Sha256::new_with_prefix(b"coffer signing key id\0").chain_update(material).finalize();
    digest[..8].iter().fold(String::with_capacity(16), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests;
