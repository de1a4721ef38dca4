//! Which passwords are let in. No composition rules and no forced changes (NIST SP 800-63B §3.1.1.2, ASVS 6.2): long enough,
//! not one that everyone tries first, and not the user's name or the product's again.
//!
//! What is common is said in six ways: `pattern` knows walks along a keyboard, counting, and what people make of 1,500
//! words (`common_words.txt`); `phrases` knows sentences that everybody knows, `subjects` names that belong together; [`PasswordList`]
//! knows the passwords that most people had in leaks; the operator may bring a list; and `digests` knows what becomes of all this in
//! hexadecimal and base64. All look through the usual spellings (`spelling`): letter case, separators, digits around
//! and between, `p4$$w0rd`.
//!
//! Why no estimator: of the long passwords in two public lists zxcvbn 3.1.1 rates a third to a half as guessable, and lets `maryhadalittlelamb`
//! through; and a password of a hundred characters can hold it for two seconds. Here the time grows with the password's length alone.

mod digests;
mod list;
mod pattern;
mod phrases;
mod spelling;
mod subjects;

use common::problem::FieldError;
use thiserror::Error;

pub use list::PasswordList;

use super::{password::Password, secret::regular};

/// The least length unless the operator lowers it.
pub const DEFAULT_MIN_LENGTH: usize = 15;
/// The least that it can be lowered to.
pub const LOWEST_MIN_LENGTH: usize = 8;
/// A password longer than this is too long to type, and a higher minimum is a mistake in the settings.
pub const HIGHEST_MIN_LENGTH: usize = 64;

/// What has to be left of a password when the user's name and the product's are taken out.
const OWN_PART: usize = 8;
/// Contained words shorter than this say nothing.
const SHORTEST_CONTEXT_WORD: usize = 3;
/// From so many characters on a password may be something longer that everyone knows.
const LONG: usize = 12;
const PRODUCT_NAME: &str = "coffer";

/// Why a new password is refused: a code for the machine, `Display` for the person.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum PolicyError {
    /// Fewer code points than the minimum.
    #[error("This password is too short. It must contain at least {min_length} characters.")]
    TooShort {
        /// The minimum.
        min_length: usize,
    },
    /// What an attacker tries first.
    #[error("This password is too common: {0}.")]
    TooCommon(&'static str),
    /// Little more than the user's name or the product's.
    #[error("This password is too similar to the username or to the name of this product.")]
    TooSimilar,
}

impl PolicyError {
    /// The code of the field error, in Django's terms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooCommon(_) => "password_too_common",
            Self::TooSimilar => "password_too_similar",
        }
    }
}

impl From<PolicyError> for FieldError {
    fn from(error: PolicyError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// A minimum length outside 8 to 64.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("the least password length can be set to {LOWEST_MIN_LENGTH} to {HIGHEST_MIN_LENGTH}, and {0} is outside")]
pub struct MinLengthOutOfRange(usize);

/// The policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    min_length: usize,
    list: PasswordList,
}

impl Default for Policy {
    fn default() -> Self {
        Self { min_length: DEFAULT_MIN_LENGTH, list: PasswordList::default() }
    }
}

impl Policy {
    /// A policy with another minimum, in code points.
    pub fn with_min_length(min_length: usize) -> Result<Self, MinLengthOutOfRange> {
        if (LOWEST_MIN_LENGTH..=HIGHEST_MIN_LENGTH).contains(&min_length) {
            Ok(Self { min_length, ..Self::default() })
        } else {
            Err(MinLengthOutOfRange(min_length))
        }
    }

    /// The same, with a list of the operator's.
    #[must_use]
    pub fn with_list(self, list: PasswordList) -> Self {
        Self { list, ..self }
    }

    /// The minimum, in code points.
    pub fn min_length(&self) -> usize {
        self.min_length
    }

    /// Everything that is wrong with a new password of `username`'s.
    pub fn check(&self, password: &Password, username: &str) -> Vec<PolicyError> {
        let mut errors = Vec::new();
        if password.text().chars().count() < self.min_length {
            errors.push(PolicyError::TooShort { min_length: self.min_length });
        }
        let readings = spelling::readings(password.text());
        if let Some(why) = readings.iter().find_map(|reading| self.commonness(reading)) {
            errors.push(PolicyError::TooCommon(why));
        } else if digests::is_known(password.text(), &[username, PRODUCT_NAME], |text| self.is_plain(text, username)) {
            errors.push(PolicyError::TooCommon("it is the digest or the encoding of what everyone tries"));
        }
        let own = spelling::readings(username);
        let words: Vec<&str> = own.iter().map(String::as_str).chain([PRODUCT_NAME]).collect();
        if readings.iter().any(|reading| self.is_mostly(reading, &words)) {
            errors.push(PolicyError::TooSimilar);
        }
        errors
    }

    /// Whether a text would be refused if it were written as it is.
    fn is_plain(&self, text: &str, username: &str) -> bool {
        let own = spelling::readings(username);
        let words: Vec<&str> = own.iter().map(String::as_str).chain([PRODUCT_NAME]).collect();
        spelling::readings(text).iter().any(|it| self.commonness(it).is_some() || self.is_mostly(it, &words))
    }

    fn commonness(&self, folded: &str) -> Option<&'static str> {
        if let Some(why) = pattern::commonness(folded) {
            return Some(why);
        }
        if folded.chars().count() >= LONG && regular::rule(folded.as_bytes()).is_some() {
            return Some("it counts, is a date, or is known by heart to many");
        }
        let backwards: String = folded.chars().rev().collect();
        if phrases::is_known(folded) || phrases::is_known(&backwards) {
            return Some("it is a sentence that everyone knows");
        }
        if subjects::is_known(folded) || subjects::is_known(&backwards) {
            return Some("it is made of names that belong together");
        }
        let is_listed = self.list.contains(folded) || self.list.contains(&backwards);
        is_listed.then_some("it is in a list of passwords that are known")
    }

    /// Whether one of the words, forwards or backwards, is in the password and little else is, or what everyone tries. Digits and signs at
    /// either end of what is left are little.
    fn is_mostly(&self, folded: &str, words: &[&str]) -> bool {
        let mut rest = folded.to_owned();
        for word in words.iter().filter(|word| word.chars().count() >= SHORTEST_CONTEXT_WORD) {
            let backwards: String = word.chars().rev().collect();
            for word in [*word, &backwards] {
                rest = rest.replace(word, " ");
            }
        }
        if rest == folded {
            return false;
        }
        let rest = rest.trim_matches(|c: char| !c.is_alphabetic());
        rest.chars().filter(|c| c.is_alphanumeric()).count() < OWN_PART || self.commonness(rest).is_some()
    }
}

/// Whether a text is one that everyone knows or tries, in any spelling. The lists that are built in are asked alone.
pub(crate) fn is_known(text: &str) -> bool {
    let policy = Policy::default();
    spelling::readings(text).iter().any(|reading| policy.commonness(reading).is_some())
}

#[cfg(test)]
mod tests;
