//! Ids and revisions. An id is a `UUIDv7`, written in its canonical text form (lower case, hyphens) and read in any form that a UUID
//! has (RFC 9562 §4): capitals, no hyphens, braces, `urn:uuid:`. Making one needs a clock and randomness, so that happens in the
//! server. Here they are only parsed and written. Records of a collection may have numbers instead: [`RecordId`].

mod record;

pub use self::record::RecordId;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::schema::described_as_text;

/// The text is not an id.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("not a valid id")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this UUID's bits.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID's bits, for storage keys.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        described_as_text!($name, "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$");

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    };
}

id!(/// Names one user for ever.
    UserId);
id!(/// Names one session: the family of tokens that began with one sign-in.
    SessionId);
id!(/// Names one collection, whatever it is called.
    CollectionId);
id!(/// Names one field of a collection, whatever it is called.
    FieldId);
id!(/// Names one published path for ever, wherever it leads.
    PathId);
id!(/// Names one saved view for ever, whatever it is called.
    ViewId);
id!(/// Names one invitation for ever.
    InvitationId);
id!(/// Names one operation for ever: what one request did, and work in the background.
    OperationId);

/// A record's version: the store-wide number of the commit that wrote it, strictly rising and never reused. It is the
/// record's `ETag` and the id of its change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Revision(pub u64);

impl Revision {
    /// The strong entity tag (RFC 9110 §8.8.3): the number in quotes.
    pub fn etag(self) -> String {
        format!("\"{}\"", self.0)
    }

    /// The entity tag of a record that was written before its definition's version `look`, which changed what records look like.
    pub fn etag_since(self, look: Option<u32>) -> String {
        match look {
            Some(look) => format!("\"{}-{look}\"", self.0),
            None => self.etag(),
        }
    }

    /// Reads the revision of a strong entity tag; `None` for anything that Coffer would not have written.
    pub fn from_etag(text: &str) -> Option<Self> {
        let text = text.trim();
        let inner = text.strip_prefix('"')?.strip_suffix('"')?;
        let (revision, look) = match inner.split_once('-') {
            Some((revision, look)) => (revision, Some(look.parse().ok()?)),
            None => (inner, None),
        };
        let revision = Self(revision.parse().ok()?);
        // Tags are compared as they are written: "042" is another one.
        (revision.etag_since(look) == text).then_some(revision)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Revision {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse() {
            Ok(number) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(number)),
            _ => Err(InvalidId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_uuid_is_the_same_id() {
        let canonical = "01920000-0000-7000-8000-0000000000ab";
        for text in [
            canonical,
            "01920000-0000-7000-8000-0000000000AB",
            "019200000000700080000000000000ab",
            "019200000000700080000000000000AB",
            "{01920000-0000-7000-8000-0000000000ab}",
            "urn:uuid:01920000-0000-7000-8000-0000000000ab",
        ] {
            assert_eq!(text.parse::<UserId>().unwrap().to_string(), canonical);
        }
        for bad in ["", "1", " 01920000-0000-7000-8000-0000000000ab", "0192000000007000800000000000000ab", "../etc"] {
            assert_eq!(bad.parse::<UserId>(), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn etags_round_trip() {
        assert_eq!(Revision::from_etag(&Revision(42).etag()), Some(Revision(42)));
        assert_eq!(Revision::from_etag(&Revision(42).etag_since(Some(3))), Some(Revision(42)));
        assert_eq!(Revision::from_etag("W/\"42\""), None);
        for other in ["42", "\"042\"", "\"+42\"", "\"\"", "\"", "\"4 2\"", "\"42\"\"", "\"42-\"", "\"42-03\"", "\"-3\""]
        {
            assert_eq!(Revision::from_etag(other), None, "{other}");
        }
    }
}
