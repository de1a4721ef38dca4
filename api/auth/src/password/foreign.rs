//! Hashes that another program made: Django's PBKDF2, scrypt, bcrypt and Argon2, and bcrypt as most frameworks store it. They are compared with as they
//! are, and made anew when their user signs in. Comparing takes the time that they were made to take, and not that of an own hash.
//!
//! Source: `django.contrib.auth.hashers` of Django 5.2, whose encodings are `name$cost$salt$hash`.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use thiserror::Error;

use super::{
    compute,
    plain::Password,
    stored::{HashError, PasswordHash},
};
use argon2::password_hash::phc::PasswordHash as Phc;

/// The most rounds of PBKDF2 that are computed, some seconds of them.
const MAX_ROUNDS: u32 = 5_000_000;
/// The highest cost of bcrypt that is computed, some seconds of it.
const MAX_BCRYPT_COST: u32 = 15;
/// The most work of scrypt that is computed: its `r` times its `p`.
const MAX_SCRYPT_WIDTH: u32 = 256;
/// What stands before the hash of a user who has no password, in Django.
const UNUSABLE: char = '!';

/// Why a hash of another program is not taken over.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ForeignError {
    /// None of the kinds that are read.
    #[error("this is no hash of PBKDF2, scrypt, bcrypt or Argon2id as Django stores them")]
    Unknown,
    /// It would take seconds, or more memory than a sign-in may have.
    #[error("this hash takes more time or memory to compare with than a sign-in may take")]
    TooDear,
}

/// A hash of another program that is not in PHC format.
#[derive(Clone)]
pub(super) enum Foreign {
    Pbkdf2 { algorithm: pbkdf2::Algorithm, rounds: NonZeroU32, salt: String, hash: Vec<u8> },
    Scrypt { params: scrypt::Params, memory: u64, salt: String, hash: Vec<u8> },
    Bcrypt { hash: String, of_digest: bool },
}

impl PasswordHash {
    /// Takes a hash over from another program.
    ///
    /// # Errors
    /// It is of another kind, or too dear to be compared with.
    pub fn from_foreign(text: &str) -> Result<Self, ForeignError> {
        if text.starts_with(UNUSABLE) {
            return Ok(Self::unusable());
        }
        // Django's name stands before the PHC string.
        let phc = text.strip_prefix("argon2$").map_or_else(|| text.to_owned(), |rest| format!("${rest}"));
        if let Ok(phc) = Phc::new(&phc) {
            return if compute::is_own(&phc) {
                if compute::is_affordable(&phc) {
                    Ok(Self::from_stored(phc.to_string()))
                } else {
                    Err(ForeignError::TooDear)
                }
            } else {
                Err(ForeignError::Unknown)
            };
        }
        Foreign::parse(text).map(|_| Self::from_stored(text.to_owned()))
    }

    /// The hash of somebody who has no password: nothing matches it.
    fn unusable() -> Self {
        Self::from_stored(UNUSABLE.to_string())
    }

    pub(super) fn is_unusable(&self) -> bool {
        self.as_str().starts_with(UNUSABLE)
    }
}

impl Foreign {
    pub(super) fn parse(text: &str) -> Result<Self, ForeignError> {
        if let Some(hash) = text.strip_prefix("bcrypt_sha256$") {
            return bcrypt(hash, true);
        }
        if let Some(hash) = text.strip_prefix("bcrypt$") {
            return bcrypt(hash, false);
        }
        if text.starts_with("$2") {
            return bcrypt(text, false);
        }
        let parts: Vec<&str> = text.split('$').collect();
        match parts[..] {
            ["pbkdf2_sha256", rounds, salt, hash] => pbkdf2(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, hash),
            ["pbkdf2_sha1", rounds, salt, hash] => pbkdf2(pbkdf2::PBKDF2_HMAC_SHA1, rounds, salt, hash),
            ["scrypt", work, salt, r, p, hash] => scrypt_of([work, r, p], salt, hash),
            _ => Err(ForeignError::Unknown),
        }
    }

    /// Bytes that comparing takes.
    pub(super) fn memory(&self) -> u64 {
        match self {
            Self::Scrypt { memory, .. } => *memory,
            Self::Pbkdf2 { .. } | Self::Bcrypt { .. } => 0,
        }
    }

    /// Whether the password is the one that was hashed. Hashes are compared in constant time.
    pub(super) fn is_of(&self, password: &Password) -> Result<bool, HashError> {
        let password = password.text().as_bytes();
        match self {
            Self::Pbkdf2 { algorithm, rounds, salt, hash } => {
                Ok(pbkdf2::verify(*algorithm, *rounds, salt.as_bytes(), password, hash).is_ok())
            }
            Self::Scrypt { params, salt, hash, .. } => {
                let mut own = vec![0; hash.len()];
                scrypt::scrypt(password, salt.as_bytes(), params, &mut own).map_err(|_| HashError::Failed)?;
                Ok(aws_lc_rs::constant_time::verify_slices_are_equal(&own, hash).is_ok())
            }
            Self::Bcrypt { hash, of_digest } => {
                if !of_digest {
                    return bcrypt::verify(password, hash).map_err(|_| HashError::Failed);
                }
                let digest = digest::digest(&digest::SHA256, password);
                let nibbles = digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
                let hex: String = nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect();
                bcrypt::verify(hex, hash).map_err(|_| HashError::Failed)
            }
        }
    }
}

fn number(text: &str) -> Result<u32, ForeignError> {
    text.parse().map_err(|_| ForeignError::Unknown)
}

fn bytes(hash: &str) -> Result<Vec<u8>, ForeignError> {
    match BASE64_STANDARD.decode(hash) {
        Ok(bytes) if bytes.len() >= 16 => Ok(bytes),
        _ => Err(ForeignError::Unknown),
    }
}

fn pbkdf2(algorithm: pbkdf2::Algorithm, rounds: &str, salt: &str, hash: &str) -> Result<Foreign, ForeignError> {
    let rounds = NonZeroU32::new(number(rounds)?).ok_or(ForeignError::Unknown)?;
    let hash = bytes(hash)?;
    if rounds.get() > MAX_ROUNDS {
        return Err(ForeignError::TooDear);
    }
    Ok(Foreign::Pbkdf2 { algorithm, rounds, salt: salt.to_owned(), hash })
}

fn scrypt_of(cost: [&str; 3], salt: &str, hash: &str) -> Result<Foreign, ForeignError> {
    let [work, r, p] = cost.map(number);
    let (work, r, p, hash) = (work?, r?, p?, bytes(hash)?);
    if !work.is_power_of_two() {
        return Err(ForeignError::Unknown);
    }
    let memory = u64::from(work) * u64::from(r) * 128;
    if memory > u64::from(compute::MAX_MEMORY_KIB) * 1024 || r.saturating_mul(p) > MAX_SCRYPT_WIDTH {
        return Err(ForeignError::TooDear);
    }
    let log = u8::try_from(work.ilog2()).map_err(|_| ForeignError::Unknown)?;
    let params = scrypt::Params::new(log, r, p).map_err(|_| ForeignError::Unknown)?;
    Ok(Foreign::Scrypt { params, memory, salt: salt.to_owned(), hash })
}

fn bcrypt(hash: &str, of_digest: bool) -> Result<Foreign, ForeignError> {
    let parts: bcrypt::HashParts = hash.parse().map_err(|_| ForeignError::Unknown)?;
    if parts.get_cost() > MAX_BCRYPT_COST {
        return Err(ForeignError::TooDear);
    }
    Ok(Foreign::Bcrypt { hash: hash.to_owned(), of_digest })
}

#[cfg(test)]
mod tests;
